/// A sum of readings: exact for decimals, compensated (Neumaier) in order of addition for the rest.
package struct ExactSum: Hashable, Sendable, Codable {
    /// The sum of all short decimals, and of all other numbers: two parts of one sum.
    package private(set) var decimals = ScaledInteger.zero
    package private(set) var floats = 0.0
    /// What rounding has taken from `floats`.
    package private(set) var compensation = 0.0

    package init() {}

    /// A sum as it stood when its three parts were taken down.
    package init(decimals: ScaledInteger, floats: Double, compensation: Double) {
        self.decimals = decimals
        self.floats = floats
        self.compensation = compensation
    }

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
