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
    /// How many empty buckets a gap may open. Beyond it the lane starts anew after the gap, and
    /// what lies in the gap is folded from the journal: memory does not grow with silence.
    static let longestOpen = 96
    /// How many buckets of a gap are filled at all: two days of minutes, a month of quarters.
    /// Beyond it what a counter counted meanwhile is in no bucket.
    static let longestGap = 3000

    let resolution: Resolution
    var open: [OpenBucket] = []
    var closedUntil: Timestamp?

    init(_ resolution: Resolution) { self.resolution = resolution }

    func bucket(_ start: Timestamp) -> Bucket {
        Bucket(resolution, containing: start, calendar: .utc)
    }

    /// Where the next bucket begins that does not exist yet.
    private var next: Timestamp? { open.last.map { $0.start + resolution.nominal } ?? closedUntil }

    /// The place of the open bucket that holds `time`, made if need be; nil if it is closed.
    ///
    /// A gap longer than `longestOpen` has to be skipped before.
    mutating func index(for time: Timestamp, in group: ScanGroup) -> Int? {
        let start = time.slot(every: resolution.nominal)
        if let closedUntil, start < closedUntil { return nil }
        let length = resolution.nominal.milliseconds
        if let first = open.first, start < first.start {
            let missing = (first.start.milliseconds - start.milliseconds) / length
            guard missing <= Int64(Self.longestOpen) else {
                // Far before the first scan of the group: looked back to as in a closed bucket.
                closedUntil = first.start
                return nil
            }
            open.insert(contentsOf: buckets(from: start, count: Int(missing), group), at: 0)
            return 0
        }
        let next = next ?? start
        if start >= next {
            let missing = (start.milliseconds - next.milliseconds) / length + 1
            open += buckets(from: next, count: Int(missing), group)
        }
        guard let first = open.first else { return nil }
        return Int((start.milliseconds - first.start.milliseconds) / length)
    }

    /// Whether the gap before `time` is too long for its buckets to be opened.
    func isFarBehind(_ time: Timestamp) -> Bool {
        guard let next else { return false }
        return time.slot(every: resolution.nominal) - next > resolution.nominal * Self.longestOpen
    }

    /// Starts anew at `time` if the gap before it is too long to be opened.
    ///
    /// - Returns: what has to be folded from the journal: the open buckets and those of the gap.
    mutating func skipGap(to time: Timestamp) -> Range<Timestamp>? {
        guard isFarBehind(time), let next else { return nil }
        let start = time.slot(every: resolution.nominal)
        let from = open.first?.start ?? next
        open = []
        closedUntil = start
        let isFilled = start - next <= resolution.nominal * Self.longestGap
        return from..<(isFilled ? start : next)
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
    /// - Returns: the closed buckets that it touches too: their increase has changed.
    mutating func add(
        _ interval: CounterInterval, column: Int, in group: ScanGroup
    ) -> Range<Timestamp>? {
        for index in open.indices {
            let bucket = bucket(open[index].start)
            open[index].rollups[column].add(interval, in: bucket, period: group.period)
        }
        return closed(from: interval.start, to: interval.end)
    }

    /// The closed buckets that have a part of `[from, to)`, at most `longestGap` of them.
    func closed(from: Timestamp, to: Timestamp) -> Range<Timestamp>? {
        let start = from.slot(every: resolution.nominal)
        guard let closedUntil, start < min(closedUntil, to) else { return nil }
        let last = (to - .milliseconds(1)).slot(every: resolution.nominal)
        let end = min(last + resolution.nominal, closedUntil)
        return start..<min(end, start + resolution.nominal * Self.longestGap)
    }
}
