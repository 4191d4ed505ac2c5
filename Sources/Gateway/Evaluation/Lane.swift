import Telemetry

/// One bucket that still takes readings: a rollup for each series of the group.
struct OpenBucket: Codable, Hashable, Sendable {
    var start: Timestamp
    var rollups: [Rollup]
    /// Readings came out of order, so the bucket is folded anew from the journal when it closes.
    var isDisordered = false
}

/// The open buckets of one scan group at one resolution, without a hole between them.
///
///     closed … │ open │ open │ open, holds the newest scan │
///              ▲ closedUntil
///
/// Lanes exist for the resolutions that are folded from samples, whose buckets are cut in UTC.
struct Lane: Codable, Hashable, Sendable {
    /// How many empty buckets a gap may fill: two days of minutes, a month of quarters. Beyond it
    /// the lane starts anew after the gap, and what a counter counted meanwhile is in no bucket.
    static let longestGap = 3000

    let resolution: Resolution
    var open: [OpenBucket] = []
    var closedUntil: Timestamp?

    init(_ resolution: Resolution) { self.resolution = resolution }

    func bucket(_ start: Timestamp) -> Bucket {
        Bucket(resolution, containing: start, calendar: .utc)
    }

    /// The place of the open bucket that holds `time`, made if need be; nil if it is closed.
    ///
    /// A gap longer than `longestGap` has to be skipped before.
    mutating func index(for time: Timestamp, in group: ScanGroup) -> Int? {
        let start = time.slot(every: resolution.nominal)
        if let closedUntil, start < closedUntil { return nil }
        let length = resolution.nominal.milliseconds
        if let first = open.first, start < first.start {
            let missing = (first.start.milliseconds - start.milliseconds) / length
            guard missing <= Int64(Self.longestGap) else { return nil }
            open.insert(contentsOf: buckets(from: start, count: Int(missing), group), at: 0)
            return 0
        }
        let next = open.last.map { $0.start + resolution.nominal } ?? closedUntil ?? start
        if start >= next {
            let missing = (start.milliseconds - next.milliseconds) / length + 1
            open += buckets(from: next, count: Int(missing), group)
        }
        guard let first = open.first else { return nil }
        return Int((start.milliseconds - first.start.milliseconds) / length)
    }

    /// Starts anew at `time` if the gap before it is too long to be filled.
    ///
    /// - Returns: the starts of buckets that were open; they have to be folded from the journal.
    mutating func skipGap(to time: Timestamp) -> [Timestamp] {
        let start = time.slot(every: resolution.nominal)
        guard let next = open.last.map({ $0.start + resolution.nominal }) ?? closedUntil,
            start - next > resolution.nominal * Self.longestGap
        else { return [] }
        defer {
            open = []
            closedUntil = start
        }
        return open.map(\.start)
    }

    private func buckets(from start: Timestamp, count: Int, _ group: ScanGroup) -> [OpenBucket] {
        (0..<count).map { index in
            let bucket = bucket(start + resolution.nominal * index)
            let empty = Rollup(expected: group.expected(in: bucket))
            return OpenBucket(
                start: bucket.start,
                rollups: Array(repeating: empty, count: group.series.count))
        }
    }

    /// Adds a counter's interval to every open bucket that it touches.
    ///
    /// - Returns: the starts of closed buckets that it touches too: their increase has changed.
    mutating func add(_ interval: CounterInterval, column: Int, in group: ScanGroup) -> [Timestamp] {
        for index in open.indices {
            let bucket = bucket(open[index].start)
            open[index].rollups[column].add(interval, in: bucket, period: group.period)
        }
        guard let closedUntil, interval.start < closedUntil else { return [] }
        var starts: [Timestamp] = []
        var start = interval.start.slot(every: resolution.nominal)
        while start < min(closedUntil, interval.end), starts.count < Self.longestGap {
            starts.append(start)
            start = start + resolution.nominal
        }
        return starts
    }
}
