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

    /// How far back and ahead a counter's neighbouring good readings are looked for, in scans.
    private static let neighbourLimits = [32, 512, 8192]
    private static let neighbourSpan = Duration.seconds(7 * 86_400)

    /// Works off what is due in `machine`, finer resolutions first.
    ///
    /// The machine's earlier effects must have been applied, because stored rows are compared.
    func resolve(_ machine: inout EvaluationMachine) async throws {
        let late = machine.late
        for scan in late.sorted(by: { ($0.time, $0.group) < ($1.time, $1.group) }) {
            machine.add(try await folds(touchedBy: scan, machine))
        }
        machine.removeLate(late)
        let fine = machine.due.filter { $0.resolution.finer == nil }.sorted()
        for fold in fine { try await refold(fold, &machine) }
        machine.remove(fine)
    }

    /// Works off hours and days; the quarters below them must have been applied.
    func resolveCoarse(_ machine: inout EvaluationMachine) async throws {
        let coarse = machine.due.filter { $0.resolution.finer != nil }.sorted()
        for fold in coarse { try await mergeQuarters(fold, &machine) }
        machine.remove(coarse)
    }

    // MARK: from samples

    private func refold(_ fold: DueFold, _ machine: inout EvaluationMachine) async throws {
        guard let group = machine.groups[fold.group] else { return }
        let bucket = Bucket(fold.resolution, containing: fold.start, calendar: .utc)
        let samples = try await reader.scans(
            group: fold.group, from: bucket.start, to: bucket.end, upTo: machine.cursor)
        let before = try await neighbours(of: group, before: bucket.start, upTo: machine.cursor)
        let after = try await neighbours(of: group, from: bucket.end, upTo: machine.cursor)
        let rollups = group.series.enumerated().map { column, series in
            Rollup.fold(
                series, over: bucket, previous: before[column],
                samples: samples.lazy.filter { $0.readings.count > column }
                    .map { ($0.time, $0.readings[column]) },
                next: after[column], period: group.period, expected: group.expected(in: bucket))
        }
        if try await store(rollups, group, bucket, &machine) {
            machine.add(coarse(above: bucket, group.id, machine))
        }
    }

    private func coarse(
        above bucket: Bucket, _ group: ScanGroup.ID, _ machine: EvaluationMachine
    ) -> [DueFold] {
        guard bucket.resolution == .quarterHour else { return [] }
        return [Resolution.hour, .day].compactMap { resolution in
            let coarse = Bucket(resolution, containing: bucket.start, calendar: calendar)
            guard machine.hasClosed(coarse, of: group) else { return nil }
            return DueFold(group: group, resolution: resolution, start: coarse.start)
        }
    }

    /// By column: the good reading of each counter that is nearest before `time`.
    private func neighbours(
        of group: ScanGroup, before time: Timestamp, upTo cursor: Int64
    ) async throws -> [Int: Rollup.Timed] {
        try await neighbours(of: group) { limit in
            try await reader.lastScans(group: group.id, before: time, limit: limit, upTo: cursor)
                .sorted { Scan.isEarlier($1, $0) }
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
                for column in counters where found[column] == nil {
                    guard column < scan.readings.count, let number = scan.readings[column].number
                    else { continue }
                    found[column] = Rollup.Timed(time: scan.time, value: number)
                }
            }
            if found.count == counters.count || scans.count < limit { break }
        }
        return found
    }

    /// The closed buckets that a late scan changes: its own, and for counters those between the
    /// good readings around it, because what was counted there lies otherwise in time now.
    private func folds(
        touchedBy late: EvaluationMachine.LateScan, _ machine: EvaluationMachine
    ) async throws -> [DueFold] {
        guard let group = machine.groups[late.group], let fold = machine.folds[late.group] else {
            return []
        }
        let before = try await neighbours(of: group, before: late.time, upTo: machine.cursor)
        let after = try await neighbours(
            of: group, from: late.time + .milliseconds(1), upTo: machine.cursor)
        let first = before.values.map(\.time).min() ?? late.time
        let last = after.values.map(\.time).max() ?? late.time
        var due: [DueFold] = []
        for lane in fold.lanes {
            guard let closedUntil = lane.closedUntil else { continue }
            let own = late.time.slot(every: lane.resolution.nominal)
            if own < closedUntil {
                due.append(DueFold(group: group.id, resolution: lane.resolution, start: own))
            }
            var start = first.slot(every: lane.resolution.nominal)
            while start <= last, start < closedUntil, due.count < Lane.longestGap {
                due.append(DueFold(group: group.id, resolution: lane.resolution, start: start))
                start = start + lane.resolution.nominal
            }
        }
        return due
    }

    // MARK: from quarters

    private func mergeQuarters(_ fold: DueFold, _ machine: inout EvaluationMachine) async throws {
        guard let group = machine.groups[fold.group] else { return }
        let bucket = Bucket(fold.resolution, containing: fold.start, calendar: calendar)
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
        if pairs.allSatisfy({ old, new in old.map { $0.hasSameFigures(as: new) } ?? false }) {
            return false
        }
        // Fewer readings than were counted before means that their raw data is gone; what was
        // right then stays.
        if pairs.contains(where: { old, new in
            old.map { $0.count + $0.bad > new.count + new.bad } ?? false
        }) {
            return false
        }
        let revision = stored.map(\.revision).max().map { $0 + 1 } ?? 0
        machine.record(rollups, of: group, bucket: bucket, revision: revision)
        return true
    }
}

extension Rollup {
    /// Whether a stored row of this rollup would read the same as one of `other`.
    func hasSameFigures(as other: Rollup) -> Bool {
        count == other.count && bad == other.bad && expected == other.expected
            && (first == nil) == (other.first == nil) && sum.value == other.sum.value
            && minimum == other.minimum && maximum == other.maximum
            && first?.value == other.first?.value && last?.value == other.last?.value
            && increase?.double == other.increase?.double && isEstimated == other.isEstimated
    }
}
