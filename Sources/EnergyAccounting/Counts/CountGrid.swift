import Telemetry

/// The slots into which a period is cut for the accounts: hours of civil time, or quarters of an
/// hour where a tariff or a demand wants them.
package struct CountGrid: Hashable, Sendable {
    /// `hour` or `quarterHour`.
    package let resolution: Resolution
    /// The first instant of each slot, and behind them the first instant after the last.
    package let bounds: [Timestamp]

    /// The slots from the one that holds `start` to the one that holds the last instant before `end`.
    package init(
        _ resolution: Resolution, from start: Timestamp, to end: Timestamp, calendar: SiteCalendar
    ) {
        self.resolution = resolution
        var bounds: [Timestamp] = []
        var bucket = Bucket(resolution, containing: start, calendar: calendar)
        bounds.append(bucket.start)
        while bucket.start < end {
            bounds.append(bucket.end)
            bucket = bucket.next(calendar: calendar)
        }
        self.bounds = bounds
    }

    /// The slots of a period.
    package init(_ resolution: Resolution, of period: AccountingPeriod, calendar: SiteCalendar) {
        self.init(
            resolution, from: period.start(calendar: calendar), to: period.end(calendar: calendar),
            calendar: calendar)
    }

    /// The number of slots.
    package var count: Int { max(0, bounds.count - 1) }

    /// The first instant of a slot.
    package func start(_ slot: Int) -> Timestamp { bounds[slot] }
    /// The first instant after a slot.
    package func end(_ slot: Int) -> Timestamp { bounds[slot + 1] }

    /// The slot that holds an instant; nil outside.
    package func slot(of time: Timestamp) -> Int? {
        guard let first = bounds.first, let last = bounds.last, first <= time, time < last else {
            return nil
        }
        var (low, high) = (0, bounds.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if bounds[middle] <= time { low = middle } else { high = middle }
        }
        return low
    }

    /// The slots that begin in `from` ..< `to`.
    package func slots(from: Timestamp, to: Timestamp) -> Range<Int> {
        let low = firstSlot(atOrAfter: from)
        return low..<max(low, firstSlot(atOrAfter: to))
    }

    private func firstSlot(atOrAfter time: Timestamp) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
