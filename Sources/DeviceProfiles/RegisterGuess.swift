import Telemetry

/// Guesses at what unknown registers mean, by physics: a mains has 50 Hz (or 60) and about 220 V, three
/// phases have nearly the same voltage, and three powers add up to their total.
///
/// A guess is for people to look at beside the device's display. It decides nothing by itself.
package struct RegisterGuess: Hashable, Sendable {
    /// What a value may be.
    package enum Meaning: String, Hashable, Sendable {
        case frequency
        /// Three voltages in a row.
        case voltages
        /// Three powers, and the total behind them.
        case powers
    }

    package var meaning: Meaning
    package var area: RegisterArea
    /// Of the first value.
    package var address: Int
    package var type: RegisterType
    package var wordOrder: HalfOrder
    package var scale: Double
    /// The values with the scale, as they should stand on the display.
    package var values: [Double]

    /// How a value in registers may be written.
    private struct Form {
        var type: RegisterType
        var order: HalfOrder
        var scales: [Double]
    }

    private static let forms: [Form] = [
        Form(type: .uint16, order: .highFirst, scales: [1, 0.1, 0.01]),
        Form(type: .float32, order: .highFirst, scales: [1, 0.1, 0.01]),
        Form(type: .float32, order: .lowFirst, scales: [1, 0.1, 0.01]),
        Form(type: .uint32, order: .highFirst, scales: [0.1, 0.01, 0.001]),
        Form(type: .uint32, order: .lowFirst, scales: [0.1, 0.01, 0.001]),
    ]

    /// Everything in `registers` that physics allows, the most telling first.
    package static func guesses(_ registers: [Int: UInt16], area: RegisterArea) -> [RegisterGuess] {
        var found: [RegisterGuess] = []
        for form in forms {
            let step = form.type.registers
            let numbers: [Int: Double] = registers.keys.reduce(into: [:]) { numbers, address in
                let words = (address..<(address + step)).compactMap { registers[$0] }
                guard words.count == step else { return }
                let source = RegisterSource(
                    area: area, address: address, type: form.type, count: step,
                    wordOrder: form.order, byteOrder: .highFirst)
                numbers[address] = source.number(in: .registers(words))
            }
            for (address, number) in numbers.sorted(by: { $0.key < $1.key }) {
                func guess(_ meaning: Meaning, _ scale: Double, _ raw: [Double]) {
                    found.append(
                        RegisterGuess(
                            meaning: meaning, area: area, address: address, type: form.type,
                            wordOrder: form.order, scale: scale, values: raw.map { $0 * scale }))
                }
                for scale in form.scales where isMains(number * scale) {
                    guess(.frequency, scale, [number])
                }
                let row = (0..<4).compactMap { numbers[address + $0 * step] }
                guard row.count >= 3 else { continue }
                for scale in form.scales where areVoltages(row.prefix(3).map { $0 * scale }) {
                    guess(.voltages, scale, Array(row.prefix(3)))
                }
                if row.count == 4, addUp(row) { guess(.powers, form.scales[0], row) }
            }
        }
        return found.sorted { $0.weight > $1.weight }
    }

    private static func isMains(_ value: Double) -> Bool {
        (49.7...50.3).contains(value) || (59.7...60.3).contains(value)
    }

    /// Three phases between 80 % and 115 % of 220 V, or of 230 V, and near each other.
    private static func areVoltages(_ values: [Double]) -> Bool {
        guard let low = values.min(), let high = values.max() else { return false }
        return low > 176 && high < 265 && high - low < 15 && low != high
    }

    private static func addUp(_ row: [Double]) -> Bool {
        let sum = row[0] + row[1] + row[2]
        let size = row.prefix(3).map(\.magnitude).reduce(0, +)
        return size > 10 && size < 1e7 && row.prefix(3).allSatisfy { $0 != 0 }
            && (sum - row[3]).magnitude <= size * 0.01
    }

    /// Floats and three of a kind are rarely chance; a 16-bit number near 50 often is.
    private var weight: Int {
        (meaning == .frequency ? 0 : 4) + (type == .float32 ? 2 : 0) + (scale == 1 ? 1 : 0)
    }
}

/// How plausible a device's readings are when a profile is tried on it.
package enum ProfileFit {
    /// The share of the readings that are good and physically plausible, 0 to 1; nil without any.
    ///
    /// - Parameter readings: canonical, by point.
    package static func score(_ readings: [(key: PointKey, number: Double?)]) -> Double? {
        guard !readings.isEmpty else { return nil }
        var points = 0.0
        for reading in readings {
            guard let number = reading.number else { continue }
            points += isPlausible("\(reading.key.quantity)", number) ? 1 : 0
        }
        return points / Double(readings.count)
    }

    private static func isPlausible(_ quantity: String, _ value: Double) -> Bool {
        switch quantity {
        case "frequency": return (45...65).contains(value)
        case "voltage": return value == 0 || (50...30_000).contains(value.magnitude)
        case "current": return value.magnitude < 10_000
        case "power_factor": return value.magnitude <= 1
        case "active_power", "reactive_power", "apparent_power": return value.magnitude < 1e8
        case "active_energy", "reactive_energy": return (0..<1e9).contains(value)
        default: return value.magnitude < 1e12
        }
    }
}
