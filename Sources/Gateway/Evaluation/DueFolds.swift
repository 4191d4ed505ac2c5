import Store
import Telemetry

/// Folds anew, from the journal and from stored quarters, what a late scan or a gap has changed.
///
/// The only place where the fold looks back. It reads no further than the machine's cursor, so the
/// outcome depends on the journal alone, and it compares before it writes: what has not changed
/// raises no revision and owes no correction.
struct DueFolds: Sendable {
    let reader: StoreReader
    let calendar: SiteCalendar
    /// Believe raw data that holds fewer readings than the stored rollup counted; else the rollup
    /// stays, because raw data goes first.
    var believesFewer = false

    /// How far back and ahead a counter's neighbouring good readings are looked for, in scans.
    private static let neighbourLimits = [32, 512, 8192]
    /// As long as the longest gap that is filled.
    private static let neighbourSpan = Resolution.quarterHour.nominal * Lane.longestGap
    /// Buckets folded from one look at the journal.
    private static let longestRun = 96
    private static let longestAnswer = 100_000
    /// Late scans that are no further apart are looked at together.
    private static let lateSpan = Duration.seconds(900)
    /// Rollups that may wait to be stored; more is left due.
    private static let mostPending = 5000

    /// Turns late scans into the closed buckets that they change.
    func spread(_ machine: inout EvaluationMachine) async throws {
        var rest = machine.late.sorted { ($0.group, $0.time) < ($1.group, $1.time) }[...]
        while let first = rest.first {
            var last = first
            while let next = rest.first, next.group == first.group,
                next.time - last.time <= Self.lateSpan
            {
                last = next
                rest.removeFirst()
            }
            machine.add(
                try await folds(touchedBy: first.group, from: first.time, to: last.time, machine))
        }
        machine.removeLate()
    }

    /// Works off minutes and quarters, as many as may wait to be stored.
    ///
    /// The machine's earlier effects must have been applied, because stored rows are compared.
    func refold(_ machine: inout EvaluationMachine) async throws {
        for fold in machine.due(fromSamples: true) {
            var run = fold
            var known: CounterReadings?
            while run.from < fold.to {
                let longest = run.from + fold.resolution.nominal * Self.longestRun
                run.to = min(fold.to, longest)
                known = try await refold(run, known, &machine)
                machine.remove(run)
                run.from = run.to
                if machine.pending.rollups.count >= Self.mostPending { return }
            }
        }
    }

    /// Works off hours and days; the quarters below them must have been applied.
    func merge(_ machine: inout EvaluationMachine) async throws {
        for fold in machine.due(fromSamples: false) {
            var bucket = Bucket(fold.resolution, containing: fold.from, calendar: calendar)
            while bucket.start < fold.to {
                try await mergeQuarters(bucket, of: fold.group, &machine)
                machine.remove(DueFold(fold.group, bucket))
                bucket = bucket.next(calendar: calendar)
                if machine.pending.rollups.count >= Self.mostPending { return }
            }
        }
    }

    // MARK: from samples

    /// - Parameter known: the readings around the run before this one, so that those around a long
    ///   gap are looked for once.
    private func refold(
        _ run: DueFold, _ known: CounterReadings?, _ machine: inout EvaluationMachine
    ) async throws -> CounterReadings? {
        guard let group = machine.groups[run.group] else { return nil }
        let scans = try await reader.scans(
            group: group.id, from: run.from, to: run.to, upTo: machine.cursor,
            limit: Self.longestAnswer)
        let first = Bucket(run.resolution, containing: run.from, calendar: .utc)
        if scans.count == Self.longestAnswer, first.end < run.to {
            var (head, tail) = (run, run)
            head.to = first.end
            tail.from = first.end
            let counters = try await refold(head, known, &machine)
            return try await refold(tail, counters, &machine)
        }
        var before = known?.last(before: run.from)
        if before == nil {
            before = try await neighbours(of: group, before: run.from, upTo: machine.cursor)
        }
        var after = known?.first(from: run.to)
        if after == nil {
            after = try await neighbours(of: group, from: run.to, upTo: machine.cursor)
        }
        let counters = CounterReadings(
            of: group, before: before ?? [:], scans: scans, after: after ?? [:])
        var rest = scans[...]
        var bucket = first
        while bucket.start < run.to {
            let inside = rest.prefix { $0.time < bucket.end }
            rest = rest.dropFirst(inside.count)
            let rollups = group.series.enumerated().map { column, series in
                Rollup.fold(
                    series, over: bucket, previous: counters.last(before: bucket.start, column),
                    samples: inside.lazy.filter { $0.readings.count > column }
                        .map { ($0.time, $0.readings[column]) },
                    next: counters.first(from: bucket.end, column), period: group.period,
                    expected: group.expected(in: bucket))
            }
            if try await store(rollups, group, bucket, &machine) {
                machine.add(coarse(above: bucket, group.id, machine))
            }
            bucket = bucket.next(calendar: .utc)
        }
        return counters
    }

    private func coarse(
        above bucket: Bucket, _ group: ScanGroup.ID, _ machine: EvaluationMachine
    ) -> [DueFold] {
        guard bucket.resolution == .quarterHour else { return [] }
        return [Resolution.hour, .day].compactMap { resolution in
            let coarse = Bucket(resolution, containing: bucket.start, calendar: calendar)
            return machine.hasClosed(coarse, of: group) ? DueFold(group, coarse) : nil
        }
    }

    /// By column: the good reading of each counter that is nearest before `time`.
    private func neighbours(
        of group: ScanGroup, before time: Timestamp, upTo cursor: Int64
    ) async throws -> [Int: Rollup.Timed] {
        try await neighbours(of: group) { limit in
            try await reader.lastScans(
                group: group.id, before: time, limit: limit, upTo: cursor,
                lookBack: Self.neighbourSpan
            ).reversed()
        }
    }

    /// By column: the first good reading of each counter at or after `time`.
    private func neighbours(
        of group: ScanGroup, from time: Timestamp, upTo cursor: Int64
    ) async throws -> [Int: Rollup.Timed] {
        try await neighbours(of: group) { limit in
            try await reader.scans(
                group: group.id, from: time, to: time + Self.neighbourSpan, upTo: cursor,
                limit: limit)
        }
    }

    private func neighbours(
        of group: ScanGroup, _ scans: (Int) async throws -> [Scan]
    ) async throws -> [Int: Rollup.Timed] {
        let counters = group.series.indices.filter { group.series[$0].counter != nil }
        var found: [Int: Rollup.Timed] = [:]
        if counters.isEmpty { return found }
        for limit in Self.neighbourLimits {
            let scans = try await scans(limit)
            for scan in scans {
                for column in counters where found[column].map({ $0.time == scan.time }) ?? true {
                    guard let reading = scan.timed(column) else { continue }
                    found[column] = found[column]?.lowest(reading) ?? reading
                }
            }
            if scans.count < limit { break }
            // The last instant may go on behind the limit.
            let isWhole = found.values.allSatisfy { $0.time != scans.last?.time }
            if found.count == counters.count, isWhole { break }
        }
        return found
    }

    /// The closed buckets that late scans change: their own, and for counters those between the
    /// good readings around them, because what was counted there lies otherwise in time now.
    private func folds(
        touchedBy id: ScanGroup.ID, from: Timestamp, to: Timestamp, _ machine: EvaluationMachine
    ) async throws -> [DueFold] {
        guard let group = machine.groups[id], let fold = machine.folds[id] else { return [] }
        let before = try await neighbours(of: group, before: from, upTo: machine.cursor)
        let after = try await neighbours(
            of: group, from: to + .milliseconds(1), upTo: machine.cursor)
        let first = min(from, before.values.map(\.time).min() ?? from)
        var last = max(to, after.values.map(\.time).max() ?? to) + .milliseconds(1)
        // Before the first scan of all nothing was silent; from this one on everything is.
        let isFirst = try await reader.lastScans(
            group: id, before: from, limit: 1, upTo: machine.cursor
        ).isEmpty
        if isFirst, group.period != nil,
            let next = try await reader.scans(
                group: id, from: to + .milliseconds(1), to: to + Self.neighbourSpan,
                upTo: machine.cursor, limit: 1
            ).first
        {
            last = max(last, next.time)
        }
        return fold.lanes.flatMap { lane in
            // The scans' own buckets apart: the way to a neighbour may be cut short.
            [
                lane.closed(from: first, to: last),
                lane.closed(from: from, to: to + .milliseconds(1)),
            ]
            .compactMap(\.self).map { DueFold(id, lane.resolution, $0) }
        }
    }

    // MARK: from quarters

    private func mergeQuarters(
        _ bucket: Bucket, of id: ScanGroup.ID, _ machine: inout EvaluationMachine
    ) async throws {
        guard let group = machine.groups[id] else { return }
        var rollups: [Rollup] = []
        for series in group.series {
            let quarters = try await reader.rollups(
                series: series.number, resolution: .quarterHour, from: bucket.start,
                to: bucket.end)
            var merged = quarters.map(\.rollup).reduce(Rollup()) { $0.merging($1) }
            merged.expected = group.expected(in: bucket)
            rollups.append(merged)
        }
        _ = try await store(rollups, group, bucket, &machine)
    }

    /// Records the rollups with the next revision if they differ from the stored ones.
    private func store(
        _ rollups: [Rollup], _ group: ScanGroup, _ bucket: Bucket,
        _ machine: inout EvaluationMachine
    ) async throws -> Bool {
        let stored = try await reader.rollups(
            group: group.id, start: bucket.start, resolution: bucket.resolution)
        let bySeries = Dictionary(
            stored.map { ($0.series, $0.rollup) }, uniquingKeysWith: { first, _ in first })
        let pairs = zip(group.series, rollups).map { (bySeries[$0.number], $1) }
        machine.tally.compared += 1
        let isSame = pairs.allSatisfy { old, new in
            old.map { $0.hasSameFigures(as: new) } ?? new.isSilent
        }
        if isSame { return false }
        // Fewer readings than were counted before means that their raw data is gone; what was
        // right then stays.
        if !believesFewer,
            pairs.contains(where: { old, new in
                old.map { $0.count + $0.bad > new.count + new.bad } ?? false
            })
        {
            machine.tally.kept += 1
            return false
        }
        machine.tally.changed += 1
        let revision = stored.map(\.revision).max().map { $0 + 1 } ?? 0
        machine.record(rollups, of: group, bucket: bucket, revision: revision)
        return true
    }
}
