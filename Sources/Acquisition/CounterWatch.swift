import Telemetry

/// Doubts a counter that falls although its profile says that it is never set back.
///
/// A meter that has just got its mains back may answer 0, and then its lifetime again. Believed, the
/// 0 is a reset and the lifetime is counted as the energy of one minute. So what has fallen is
/// no value until it has stayed so:
///
///     5000.1 ─▶ 0 (doubted) ─▶ 5000.2               nothing has happened
///     5000.1 ─▶ 0 (doubted) ─▶ 0.1 … five minutes ─▶ believed: another meter hangs there
struct CounterWatch: Sendable {
    fileprivate struct Doubt {
        var value: Double
        var since: Duration
        var readings: Int
    }

    /// What has fallen is believed after this time,
    static let patience = Duration.seconds(300)
    /// and after so many readings.
    static let readings = 3

    fileprivate struct Counter {
        let place: Int
        let policy: CounterPolicy
        var believed: Double?
        var doubt: Doubt?
    }

    /// The counters of the group that are never set back.
    private var counters: [Counter]

    /// - Parameter last: what is stored, by the number of the series: a power cut often takes meter
    ///   and gateway together.
    init(_ series: [Series], last: [Int: Double] = [:]) {
        counters = series.enumerated().compactMap { place, series in
            guard let policy = series.counter, policy.resets == .never else { return nil }
            return Counter(place: place, policy: policy, believed: last[series.number])
        }
    }

    /// The readings of one poll, with `out_of_range` in the place of what is doubted.
    ///
    /// - Parameter now: the time of a clock that only goes forward.
    mutating func judge(_ readings: [Reading], now: Duration) -> [Reading] {
        var judged = readings
        for index in counters.indices {
            let place = counters[index].place
            guard place < readings.count, let value = readings[place].number,
                !counters[index].isBelieved(value, now)
            else { continue }
            judged[place] = .bad(.outOfRange)
        }
        return judged
    }
}

extension CounterWatch.Counter {
    fileprivate mutating func isBelieved(_ value: Double, _ now: Duration) -> Bool {
        if let last = believed,
            case .reset? = CounterStep(from: last, to: value, policy: policy)
        {
            // One that goes on falling has not become another meter.
            var since = CounterWatch.Doubt(value: value, since: now, readings: 0)
            if let doubt, value >= doubt.value { since = doubt }
            since.value = value
            since.readings += 1
            if since.readings < CounterWatch.readings || now - since.since < CounterWatch.patience {
                doubt = since
                return false
            }
        }
        believed = value
        doubt = nil
        return true
    }
}
