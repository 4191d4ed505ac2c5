import Telemetry

/// What one scan group has told so far that no closed bucket holds yet.
///
/// A synchronous value: scans and instants in, closed buckets out. Its sum over time is the same
/// for every way of cutting the stream, because it depends on nothing but what was journaled.
struct GroupFold: Codable, Hashable, Sendable {
    /// A bucket that has just closed for the first time.
    struct Closed {
        var bucket: Bucket
        var rollups: [Rollup]
        var isDisordered: Bool
        var isBackfill: Bool
    }

    private(set) var newest: Timestamp?
    /// By column: the newest good reading of each counter, where its next interval begins.
    private var counters: [Int: Rollup.Timed] = [:]
    private(set) var lanes: [Lane]
    /// When the last scan of history came, on the wall clock; nil once live scans have come.
    private var backfilledAt: Timestamp?

    /// - Parameter resolutions: those that are folded from samples and wanted by somebody.
    init(_ resolutions: [Resolution]) { lanes = resolutions.map { Lane($0) } }

    /// Takes one scan in.
    ///
    /// - Returns: closed buckets that it changes, and whether it came late: after a newer scan, after
    ///   another of its instant, or after the wall clock has closed its bucket. Those of one instant
    ///   are ordered by what they say, never by how they came, so what they touch is folded anew.
    mutating func take(
        _ scan: Scan, in group: ScanGroup, wall: Timestamp
    ) -> (due: [DueFold], isLate: Bool) {
        backfilledAt = scan.flags.contains(.backfill) ? wall : nil
        let isDisordered = newest.map { scan.time <= $0 } ?? false
        var isLate = isDisordered
        var due: [DueFold] = []
        for lane in lanes.indices {
            due += skipGap(to: scan.time, lane: lane, group)
            guard let index = lanes[lane].index(for: scan.time, in: group) else {
                isLate = true
                continue
            }
            for (column, reading) in scan.readings.enumerated() {
                lanes[lane].open[index].rollups[column].add(reading, at: scan.time)
            }
        }
        if isDisordered {
            for lane in lanes.indices {
                for index in lanes[lane].open.indices {
                    lanes[lane].open[index].isDisordered = true
                }
            }
        } else {
            newest = scan.time
        }
        // A late scan too may hold the newest good reading: those after it may all have failed.
        for (column, series) in group.series.enumerated() {
            guard let policy = series.counter, let number = scan.readings[column].number else {
                continue
            }
            due += count(
                Rollup.Timed(time: scan.time, value: number), column: column, policy, group)
        }
        return (due, isLate)
    }

    private mutating func count(
        _ reading: Rollup.Timed, column: Int, _ policy: CounterPolicy, _ group: ScanGroup
    ) -> [DueFold] {
        guard let from = counters[column] else {
            counters[column] = reading
            return []
        }
        if from.time == reading.time {
            // What ended in the other one is folded anew, because the scan is late.
            counters[column] = from.lowest(reading)
        }
        guard from.time < reading.time else { return [] }
        counters[column] = reading
        guard
            let interval = CounterInterval(
                from: from.value, at: from.time, to: reading.value, at: reading.time,
                policy: policy)
        else { return [] }
        var due: [DueFold] = []
        for lane in lanes.indices {
            if let touched = lanes[lane].add(interval, column: column, in: group) {
                due.append(DueFold(group.id, lanes[lane].resolution, touched))
            }
        }
        return due
    }

    /// Whether the silence before `time` is longer than buckets are kept open for.
    func isFarBehind(_ time: Timestamp) -> Bool { lanes.contains { $0.isFarBehind(time) } }

    /// The instant before which the clock alone closes and opens nothing, as long as no scan comes.
    func quietUntil(_ group: ScanGroup) -> Timestamp {
        var quiet = Timestamp(milliseconds: .max)
        for lane in lanes {
            if let first = lane.open.first {
                quiet = min(quiet, first.start + lane.resolution.nominal)
            } else if group.period != nil, let closedUntil = lane.closedUntil {
                quiet = min(quiet, closedUntil)
            }
        }
        return quiet
    }

    /// Closes every bucket whose time has come.
    ///
    /// - Parameter wall: a trusted instant of the journal; nil when the clock is not trusted.
    mutating func close(
        _ group: ScanGroup, wall: Timestamp?
    ) -> (closed: [Closed], due: [DueFold]) {
        guard let newest else { return ([], []) }
        return close(group, now: instant(newest: newest, wall: wall, group))
    }

    /// Closes every bucket whose time has come when it is `now` for the group.
    mutating func close(
        _ group: ScanGroup, now: Timestamp
    ) -> (closed: [Closed], due: [DueFold]) {
        var closed: [Closed] = []
        var due: [DueFold] = []
        for lane in lanes.indices {
            closed += close(lane: lane, group, now)
            // Silence is data where readings are expected: their buckets open and close empty.
            if group.period != nil, let closedUntil = lanes[lane].closedUntil, now > closedUntil {
                due += skipGap(to: now, lane: lane, group)
                _ = lanes[lane].index(for: now, in: group)
                closed += close(lane: lane, group, now)
            }
        }
        return (closed, due)
    }

    private mutating func close(
        lane: Int, _ group: ScanGroup, _ now: Timestamp
    ) -> [Closed] {
        var closed: [Closed] = []
        while let first = lanes[lane].open.first {
            let bucket = lanes[lane].bucket(first.start)
            guard isComplete(bucket, group) || now >= bucket.end + group.lateness else { break }
            lanes[lane].open.removeFirst()
            lanes[lane].closedUntil = bucket.end
            closed.append(
                Closed(
                    bucket: bucket, rollups: finished(first.rollups, bucket, group),
                    isDisordered: first.isDisordered, isBackfill: backfilledAt != nil))
        }
        return closed
    }

    private mutating func skipGap(
        to time: Timestamp, lane: Int, _ group: ScanGroup
    ) -> [DueFold] {
        let resolution = lanes[lane].resolution
        return lanes[lane].skipGap(to: time).map { [DueFold(group.id, resolution, $0)] } ?? []
    }

    /// Lateness counts from the trusted wall clock; for history from the group's own newest scan.
    private func instant(newest: Timestamp, wall: Timestamp?, _ group: ScanGroup) -> Timestamp {
        guard let wall else { return newest }
        if let backfilledAt, wall < backfilledAt + group.lateness { return newest }
        return max(newest, wall)
    }

    /// Whether every poll of the bucket has answered and every counter has been read after it.
    private func isComplete(_ bucket: Bucket, _ group: ScanGroup) -> Bool {
        guard group.isPolled, let newest, newest >= bucket.end else { return false }
        return group.series.enumerated().allSatisfy { column, series in
            series.counter == nil || (counters[column].map { $0.time >= bucket.end } ?? false)
        }
    }

    private func finished(_ rollups: [Rollup], _ bucket: Bucket, _ group: ScanGroup) -> [Rollup] {
        var rollups = rollups
        for (column, series) in group.series.enumerated() where series.counter != nil {
            let isOpenEnded = counters[column].map { $0.time < bucket.end } ?? true
            if isOpenEnded || rollups[column].increase == nil {
                rollups[column].isEstimated = true
            }
        }
        return rollups
    }
}

extension GroupFold {
    /// Everything a fold remembers, for the checkpoint.
    struct Parts: Hashable {
        var newest: Timestamp?
        var counters: [Int: Rollup.Timed]
        var lanes: [Lane]
        var backfilledAt: Timestamp?
    }

    var parts: Parts {
        Parts(newest: newest, counters: counters, lanes: lanes, backfilledAt: backfilledAt)
    }

    init(_ parts: Parts) {
        newest = parts.newest
        counters = parts.counters
        lanes = parts.lanes
        backfilledAt = parts.backfilledAt
    }

    /// Whether the fold was made for groups of this many series.
    func fits(columns: Int) -> Bool {
        counters.keys.allSatisfy { (0..<columns).contains($0) }
            && lanes.allSatisfy { $0.open.allSatisfy { $0.rollups.count == columns } }
    }

    /// Goes on with the lanes that are wanted now. A lane that nobody wants any more is dropped; a
    /// new one begins with the first bucket that is wholly after the newest scan.
    mutating func keep(_ resolutions: [Resolution]) {
        lanes = resolutions.map { resolution in
            if let lane = lanes.first(where: { $0.resolution == resolution }) { return lane }
            var lane = Lane(resolution)
            lane.closedUntil = newest.map {
                $0.slot(every: resolution.nominal) + resolution.nominal
            }
            return lane
        }
    }
}
