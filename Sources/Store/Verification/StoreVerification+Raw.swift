import GRDB
import Telemetry

extension StoreVerification {
    /// Every journal row: its blob, and that its scans fit their groups.
    func checkJournal(_ step: Step, _ report: inout VerificationReport) async throws {
        let ends = try await rows("find the journal", "SELECT min(seq), max(seq) FROM journal", [])
        guard let first = ends.first?[0].integer, let newest = ends.first?[1].integer else {
            return
        }
        let registry = try await reader.registry()
        var after = first &- 1
        var skip: Int64 = 1
        while after < newest {
            let page = try await readable(
                "read journal rows after \(after)",
                """
                SELECT seq, first_ms, last_ms, scans, deliveries, wall_ms FROM journal
                WHERE seq > ? ORDER BY seq LIMIT \(Self.page)
                """, [after])
            if let damage = page.damage {
                // A page that cannot be read: its rows are skipped in growing steps.
                report.found(.journal, DataLoss(table: "journal", rows: Int(skip), cause: damage))
                after = after &+ skip
                skip = min(skip * 2, 1024)
                continue
            }
            skip = 1
            for row in page.rows {
                report.checked(.journal)
                if let cause = Self.fault(of: row, registry) {
                    let range = [
                        row[1].integer ?? row[5].integer, row[2].integer ?? row[5].integer,
                    ]
                    .map { $0.map(Timestamp.init(milliseconds:)) }
                    report.found(
                        .journal,
                        DataLoss(
                            table: "journal", from: range[0],
                            to: range[1].map { $0 + .milliseconds(1) }, rows: 1, cause: cause))
                }
            }
            guard let last = page.rows.last?[0].integer else { return }
            after = last
            try await step.done(Double(after &- first) / Double(max(1, newest &- first)))
        }
    }

    private static func fault(of row: [DatabaseValue], _ registry: Registry) -> String? {
        guard let blob = row[3].bytes else { return "journal rows without scans" }
        do throws(Damage) {
            for scan in try JournalCodec.decode(blob) {
                guard let group = registry.group(scan.group) else {
                    // Registered after the registry was read, if it is above all that are known.
                    let known = (registry.groups + registry.superseded).map(\.id.number).max() ?? 0
                    if scan.group.number > known { continue }
                    return "scans of group \(scan.group), which is not registered"
                }
                if group.series.count != scan.readings.count {
                    return "scans of group \(scan.group) of another width"
                }
            }
            if let deliveries = row[4].bytes { _ = try DeliveriesCodec.decode(deliveries) }
            return nil
        } catch {
            return error.what
        }
    }
}

extension StoreVerification {
    /// Every bucket: its blob, that it holds what its row says, that none overlaps the next.
    func checkBuckets(_ step: Step, _ report: inout VerificationReport) async throws {
        guard try await has("bucket") else { return }
        let names = try await reader.read("read the groups") { try GroupNames($0) }
        var group = Int64.min
        while let next = try await rows(
            "find the next group", "SELECT min(scan_group) FROM bucket WHERE scan_group > ?",
            [group]
        ).first?[0].integer {
            group = next
            try await checkBuckets(of: group, names[group], step, &report)
        }
    }

    private func checkBuckets(
        of group: Int64, _ name: (device: String, part: String)?, _ step: Step,
        _ report: inout VerificationReport
    ) async throws {
        var (start, end) = (Int64.min, Int64.min)
        while true {
            let page = try await bucketPage(group, after: start)
            for row in page {
                report.checked(.buckets)
                start = row.start
                let cause = row.cause ?? (row.start < end ? "buckets that overlap" : nil)
                end = max(end, row.end)
                guard let cause else { continue }
                report.found(
                    .buckets,
                    DataLoss(
                        table: "bucket", device: name?.device, part: name?.part,
                        from: Timestamp(milliseconds: row.start),
                        to: Timestamp(milliseconds: row.end), rows: 1, cause: cause))
            }
            if page.isEmpty { return }
            try await step.done(0.5)
        }
    }

    private struct CheckedBucket: Sendable {
        var start: Int64
        var end: Int64
        var cause: String?
    }

    /// Some buckets after `start`; the unique index tells of those whose page cannot be read.
    private func bucketPage(
        _ group: Int64, after start: Int64
    ) async throws(StoreError) -> [CheckedBucket] {
        let columns = "start, \"end\", rows, codec, data"
        let sql = "FROM bucket WHERE scan_group = ? AND start > ? ORDER BY start LIMIT 64"
        let page = try await readable("read buckets", "SELECT \(columns) \(sql)", [group, start])
        if page.damage == nil { return page.rows.map(Self.checked) }
        let keys = try await rows("list buckets", "SELECT start \(sql)", [group, start])
            .compactMap { $0[0].integer }
        var found: [CheckedBucket] = []
        for (index, key) in keys.enumerated() {
            let one = try await readable(
                "read a bucket",
                "SELECT \(columns) FROM bucket WHERE scan_group = ? AND start = ?", [group, key])
            if one.damage == nil {
                found += one.rows.map(Self.checked)
            } else {
                let next = index + 1 < keys.count ? keys[index + 1] : key &+ 3_600_000
                found.append(
                    CheckedBucket(
                        start: key, end: min(next, key &+ 6 * 3_600_000),
                        cause: "buckets on pages that cannot be read"))
            }
        }
        return found
    }

    private static func checked(_ row: [DatabaseValue]) -> CheckedBucket {
        let start = row[0].integer ?? 0
        guard let end = row[1].integer, end > start, let rows = row[2].integer,
            let data = row[4].bytes
        else {
            return CheckedBucket(start: start, end: start, cause: "bucket rows that make no sense")
        }
        let cause = StoredBucket.fault(data, codec: row[3].integer, rows: rows, start..<end)
        return CheckedBucket(start: start, end: end, cause: cause)
    }
}
