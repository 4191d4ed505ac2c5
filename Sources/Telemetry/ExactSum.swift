/// A sum of readings: exact for decimals, compensated (Neumaier) in order of addition for the rest.
package struct ExactSum: Hashable, Sendable, Codable {
    private var decimals = ScaledInteger.zero
    private var floats = 0.0
    private var compensation = 0.0

    package init() {}

    /// Adds a finite number; anything else is ignored, because it never is a good reading.
    package mutating func add(_ value: Double) {
        guard value.isFinite else { return }
        if let decimal = ScaledInteger(exactly: value) {
            decimals = decimals + decimal
            return
        }
        let sum = floats + value
        compensation +=
            floats.magnitude >= value.magnitude ? (floats - sum) + value : (value - sum) + floats
        floats = sum
    }

    package mutating func add(_ value: ScaledInteger) { decimals = decimals + value }

    /// Adds another sum: its decimals exactly, its floats as one term.
    package mutating func add(_ other: ExactSum) {
        decimals = decimals + other.decimals
        let rest = other.floats + other.compensation
        let sum = floats + rest
        compensation +=
            floats.magnitude >= rest.magnitude ? (floats - sum) + rest : (rest - sum) + floats
        floats = sum
    }

    /// The sum, rounded once.
    package var value: Double { decimals.double + (floats + compensation) }
}
