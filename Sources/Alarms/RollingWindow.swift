import Telemetry

/// The good readings of the last `over` before an instant, and one statistic of them.
///
/// A mean costs one addition and one subtraction per reading and still never drifts, because
/// decimals are added as integers; only readings that are no short decimals are summed anew.
struct RollingWindow: Hashable, Sendable {
    /// The most readings that are kept; beyond them the oldest go early, and are counted.
    static let capacity = 20_000

    let statistic: AlarmRule.Statistic
    /// Ascending; equal times in order of arrival. Live from `head` on.
    private var times: [Timestamp] = []
    private var values: [Double] = []
    private var head = 0
    /// The sum of the decimals among the live values.
    private var decimals = ScaledInteger.zero
    /// The live values that are not decimals, in order.
    private var floats: [Double] = []
    /// The least or greatest live value; nil when it has to be looked for.
    private var extreme: Double?

    init(_ statistic: AlarmRule.Statistic) { self.statistic = statistic }

    var count: Int { values.count - head }

    /// The live readings, in order of time.
    var readings: [(time: Timestamp, value: Double)] {
        zip(times[head...], values[head...]).map { ($0, $1) }
    }

    /// Takes a reading in, a late one at its place.
    /// - Returns: whether the oldest had to go because the window was full.
    mutating func add(_ value: Double, at time: Timestamp) -> Bool {
        var index = times.count
        while index > head, times[index - 1] > time { index -= 1 }
        let isInOrder = index == times.count
        times.insert(time, at: index)
        values.insert(value, at: index)
        switch statistic {
        case .mean:
            if let decimal = ScaledInteger(exactly: value) {
                decimals = decimals + decimal
            } else if isInOrder {
                floats.append(value)
            } else {
                floats = values[head...].filter { ScaledInteger(exactly: $0) == nil }
            }
        case .max: if let known = extreme { extreme = Swift.max(known, value) }
        case .min: if let known = extreme { extreme = Swift.min(known, value) }
        case .last: break
        }
        guard count > Self.capacity else { return false }
        removeOldest()
        return true
    }

    /// Lets go of everything at or before `time`.
    mutating func removeAll(through time: Timestamp) {
        while head < times.count, times[head] <= time { removeOldest() }
        if head > 64, head * 2 > times.count {
            times.removeFirst(head)
            values.removeFirst(head)
            head = 0
        }
    }

    /// The statistic, nil for an empty window.
    mutating func value() -> Double? {
        guard count > 0 else { return nil }
        switch statistic {
        case .mean:
            var sum = ExactSum()
            sum.add(decimals.reduced)
            for value in floats { sum.add(value) }
            return sum.value / Double(count)
        case .last: return values.last
        case .max:
            if extreme == nil { extreme = values[head...].max() }
            return extreme
        case .min:
            if extreme == nil { extreme = values[head...].min() }
            return extreme
        }
    }

    private mutating func removeOldest() {
        let value = values[head]
        head += 1
        switch statistic {
        case .mean:
            if let decimal = ScaledInteger(exactly: value) {
                decimals = decimals - decimal
            } else {
                floats.removeFirst()
            }
        case .max, .min: if value == extreme { extreme = nil }
        case .last: break
        }
    }
}

extension RollingWindow: Codable {
    private enum CodingKeys: String, CodingKey { case statistic, times, values }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(statistic.rawValue, forKey: .statistic)
        try container.encode(Array(times[head...]), forKey: .times)
        try container.encode(Array(values[head...]), forKey: .values)
    }

    /// Everything else follows from the readings, so only they are stored.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let word = try container.decode(String.self, forKey: .statistic)
        guard let statistic = AlarmRule.Statistic(rawValue: word) else {
            throw DecodingError.dataCorruptedError(
                forKey: .statistic, in: container, debugDescription: "no statistic '\(word)'")
        }
        self.init(statistic)
        let times = try container.decode([Timestamp].self, forKey: .times)
        let values = try container.decode([Double].self, forKey: .values)
        for (time, value) in zip(times, values) { _ = add(value, at: time) }
    }
}

extension ScaledInteger {
    /// The same number with the fewest places, so that a sum does not remember what it once held.
    fileprivate var reduced: ScaledInteger {
        var number = self
        while number.exponent > 0, number.mantissa % 10 == 0 {
            number.mantissa /= 10
            number.exponent -= 1
        }
        return number
    }
}
