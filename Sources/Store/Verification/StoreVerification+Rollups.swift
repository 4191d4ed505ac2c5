import GRDB
import Telemetry

extension StoreVerification {
    /// Quarters looked at together.
    private static let run = 24
    private static let quarter = Resolution.quarterHour.nominal

    /// Where raw data exists, quarters are its fold; hours and days are the fold of quarters.
    ///
    /// What the evaluation has just changed is looked at a second time before it is called damaged.
    func checkRollups(_ step: Step, _ report: inout VerificationReport) async throws {
        guard let checkpoint = try await reader.checkpoint() else { return }
        let registry = try await reader.registry()
        var suspects: [Suspect] = []
        for (index, group) in registry.groups.enumerated() {
            guard let range = try await range(of: group) else { continue }
            var start = range.lowerBound
            while start < range.upperBound {
                let end = min(start + Self.quarter * Self.run, range.upperBound)
                suspects += try await compare(
                    group, start..<end, isFirst: start == range.lowerBound,
                    upTo: checkpoint.cursor, &report)
                start = end
                try await step.done(Double(index) / Double(max(1, registry.groups.count)))
            }
            for resolution in [Resolution.hour, .day] {
                suspects += try await compareCoarse(group, resolution, range, &report)
                try await step.done(Double(index) / Double(max(1, registry.groups.count)))
            }
        }
        for suspect in suspects where try await isStill(suspect) {
            report.found(
                .rollups,
                DataLoss(
                    table: "rollup", device: suspect.group.device.text, part: suspect.part,
                    from: suspect.bucket.start, to: suspect.bucket.end, rows: 1,
                    cause: "\(suspect.bucket.resolution.rawValue) rollups that are not the fold of"
                        + " what lies below"))
        }
    }

    private struct Suspect: Sendable {
        var group: ScanGroup
        var bucket: Bucket
        var part: String
    }

    private func isStill(_ suspect: Suspect) async throws -> Bool {
        guard let checkpoint = try await reader.checkpoint() else { return false }
        var ignored = VerificationReport()
        let range = suspect.bucket.start..<suspect.bucket.end
        let found =
            suspect.bucket.resolution == .quarterHour
            ? try await compare(
                suspect.group, range, isFirst: false, upTo: checkpoint.cursor, &ignored)
            : try await compareCoarse(suspect.group, suspect.bucket.resolution, range, &ignored)
        return found.contains { $0.part == suspect.part }
    }

    /// The quarters of a group for which there are both raw data and rollups.
    private func range(of group: ScanGroup) async throws -> Range<Timestamp>? {
        let number = group.id.number
        let hasBuckets = try await has("bucket")
        let ends = try await rows(
            "find the raw data of group \(number)",
            """
            SELECT min(ifnull((SELECT min(first_ms) FROM journal), 9e18),
                    \(hasBuckets ? "ifnull((SELECT min(start) FROM bucket WHERE scan_group = ?1), 9e18)" : "9e18 + 0 * ?1")),
                (SELECT min(start) FROM rollup WHERE resolution = 15),
                (SELECT max(start) FROM rollup WHERE resolution = 15)
            """, [number])
        guard let row = ends.first, let raw = row[0].integer, let first = row[1].integer,
            let last = row[2].integer
        else { return nil }
        let start = Timestamp(milliseconds: max(raw, first)).slot(every: Self.quarter)
        let end = Timestamp(milliseconds: last) + Self.quarter
        return start < end ? start..<end : nil
    }

    private func compare(
        _ group: ScanGroup, _ range: Range<Timestamp>, isFirst: Bool, upTo cursor: Int64,
        _ report: inout VerificationReport
    ) async throws -> [Suspect] {
        let scans = try await reader.scans(
            group: group.id, from: range.lowerBound, to: range.upperBound, upTo: cursor,
            limit: 1_000_000)
        if scans.isEmpty { return [] }
        let isCounting = group.series.contains { $0.counter != nil }
        let before =
            isCounting
            ? try await reader.lastScans(
                group: group.id, before: range.lowerBound, limit: 32, upTo: cursor) : []
        let after =
            isCounting
            ? try await reader.scans(
                group: group.id, from: range.upperBound,
                to: range.upperBound + Self.quarter * 96, upTo: cursor, limit: 32) : []
        let all = before + scans + after
        var suspects: [Suspect] = []
        var rest = scans[...]
        var bucket = Bucket(.quarterHour, containing: range.lowerBound, calendar: .utc)
        var isOldest = isFirst
        while bucket.start < range.upperBound {
            let inside = rest.prefix { $0.time < bucket.end }
            rest = rest.dropFirst(inside.count)
            let stored = try await reader.rollups(
                group: group.id, start: bucket.start, resolution: .quarterHour)
            for record in stored {
                guard let column = group.series.firstIndex(where: { $0.number == record.series })
                else { continue }
                report.checked(.rollups)
                let series = group.series[column]
                let isCounter = series.counter != nil
                let previous =
                    !isCounter
                    ? nil
                    : all.lazy.prefix { $0.time < bucket.start }
                        .compactMap { $0.timed(column) }.atLastInstant()
                let next =
                    !isCounter
                    ? nil
                    : all.lazy.drop { $0.time < bucket.end }
                        .compactMap { $0.timed(column) }.atFirstInstant()
                let fold = Rollup.fold(
                    series, over: bucket, previous: previous,
                    samples: inside.lazy.map { ($0.time, $0.readings[column]) }, next: next,
                    period: group.period, expected: record.rollup.expected)
                let knowsCounter = previous != nil && next != nil
                if !record.rollup.agrees(
                    with: fold, counter: isCounter && knowsCounter), !isOldest
                {
                    suspects.append(
                        Suspect(group: group, bucket: bucket, part: series.id.point.text))
                }
            }
            isOldest = false
            bucket = bucket.next(calendar: .utc)
        }
        return suspects
    }

    private func compareCoarse(
        _ group: ScanGroup, _ resolution: Resolution, _ range: Range<Timestamp>,
        _ report: inout VerificationReport
    ) async throws -> [Suspect] {
        var suspects: [Suspect] = []
        for series in group.series {
            let coarse = try await reader.rollups(
                series: series.number, resolution: resolution, from: range.lowerBound,
                to: range.upperBound)
            for record in coarse {
                report.checked(.rollups)
                let quarters = try await reader.rollups(
                    series: series.number, resolution: .quarterHour, from: record.bucket.start,
                    to: record.bucket.end)
                let merged = quarters.map(\.rollup).reduce(Rollup()) { $0.merging($1) }
                if !record.rollup.agrees(with: merged, counter: series.counter != nil) {
                    suspects.append(
                        Suspect(group: group, bucket: record.bucket, part: series.id.point.text))
                }
            }
        }
        return suspects
    }
}

extension Rollup {
    /// Whether a stored rollup is what its samples fold to.
    ///
    /// Fewer samples than it counts, with other figures, mean that raw data is gone: what was right
    /// when they were there stays, and nothing can be said.
    fileprivate func agrees(with fold: Rollup, counter: Bool) -> Bool {
        let hasFigures =
            (first == nil) == (fold.first == nil) && sum.value == fold.sum.value
            && minimum == fold.minimum && maximum == fold.maximum
            && first?.value == fold.first?.value && last?.value == fold.last?.value
        if count + bad > fold.count + fold.bad, !hasFigures { return true }
        guard hasFigures, count == fold.count, bad == fold.bad else { return false }
        guard counter else { return true }
        return increase?.double == fold.increase?.double && isEstimated == fold.isEstimated
    }
}
