import Telemetry

extension UplinkItem {
    /// Whether the item tells readings, not folds of them.
    var tellsReadings: Bool { kind.hasPrefix(Content.raw.rawValue + "/") }

    /// The devices of the item with their entries, in the order in which they come.
    var entriesByDevice: [(device: DeviceID, entries: [Entry])] {
        var found: [(device: DeviceID, entries: [Entry])] = []
        for entry in entries {
            let device = entry.series.id.device
            if let place = found.firstIndex(where: { $0.device == device }) {
                found[place].entries.append(entry)
            } else {
                found.append((device, [entry]))
            }
        }
        return found
    }
}

extension UplinkItem.Entry {
    /// What time-series engines are told of a period, unless the platform's point says otherwise.
    var toldStatistics: [Statistic] {
        if !point.statistics.isEmpty { return point.statistics }
        switch series.kind {
        case .gauge: return [.mean, .minimum, .maximum]
        case .counter: return [.increase, .last]
        case .state, .text: return []
        }
    }

    /// The symbol of the unit in which the platform gets the numbers; empty without one.
    var toldUnit: String { point.unit?.symbol ?? series.unit }

    /// `number` with the digits that the platform wants; nil when it is none.
    func rounded(_ number: Double?) -> Double? {
        guard let number, number.isFinite else { return nil }
        guard let places = point.decimals else { return number }
        // What has no 15 digits to round keeps those that it has.
        return DecimalText.fixed(number, places: places).flatMap(Double.init) ?? number
    }
}

extension Statistic {
    /// The word by which time-series engines know it: `mean`, `min`, `exceeded_10`.
    var word: String {
        switch self {
        case .mean: "mean"
        case .minimum: "min"
        case .maximum: "max"
        case .first: "first"
        case .last: "last"
        case .sum: "sum"
        case .increase: "increase"
        case .energeticMean: "leq"
        case .exceeded(let share): "exceeded_\(share)"
        case .vectorMean: "direction"
        }
    }

    /// The statistic of that word; nil when there is none.
    static func named(_ word: String) -> Statistic? {
        let plain: [Statistic] = [
            .mean, .minimum, .maximum, .first, .last, .sum, .increase, .energeticMean, .vectorMean,
        ]
        if let found = plain.first(where: { $0.word == word }) { return found }
        return (1...99).map { .exceeded($0) }.first { $0.word == word }
    }
}
