import RealModule
import Telemetry

/// The good readings of the last `over` before an instant, and one statistic of them.
///
/// A mean costs one addition and one subtraction per reading and still never drifts, because
/// decimals are added as integers; only readings that are no short decimals are summed anew.
struct RollingWindow: Hashable, Sendable {
    /// The most readings that are kept; beyond them the oldest go early, and are counted.
    static let capacity = 20_000

    let statistic: AlarmTerm.Statistic
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

    init(_ statistic: AlarmTerm.Statistic) { self.statistic = statistic }

    var count: Int { values.count - head }

    /// The live readings, in order of time.
    var readings: [(time: Timestamp, value: Double)] {
        zip(times[head...], values[head...]).map { ($0, $1) }
    }

    /// When the oldest live reading was taken.
    var first: Timestamp? { head < times.count ? times[head] : nil }

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
        default: break
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

    /// Lets go of everything before `time`.
    mutating func removeAll(before time: Timestamp) {
        removeAll(through: Timestamp(milliseconds: time.milliseconds - 1))
    }

    /// The part before `time`, with the statistic of its own.
    func part(before time: Timestamp) -> RollingWindow {
        var part = RollingWindow(statistic)
        for index in head..<times.count where times[index] < time {
            _ = part.add(values[index], at: times[index])
        }
        return part
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
        case .range:
            guard let least = values[head...].min(), let most = values[head...].max() else {
                return nil
            }
            return most - least
        case .change, .increase: return values[values.count - 1] - values[head]
        case .leq: return energeticMean
        case .percentile(let rank):
            // Nearest rank: the smallest value that at least so many in a hundred do not pass.
            let sorted = values[head...].sorted()
            return sorted[Swift.max(0, (rank * sorted.count + 99) / 100 - 1)]
        }
    }

    /// In the order of the readings, so that a restored window gives the same bits.
    private var energeticMean: Double {
        var sum = ExactSum()
        for level in values[head...] { sum.add(Double.exp10(level / 10)) }
        return 10 * Double.log10(sum.value / Double(count))
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
        default: break
        }
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
