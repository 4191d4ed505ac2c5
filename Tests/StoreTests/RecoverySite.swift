import Foundation
import GRDB
import Telemetry
import TestSeeds

@testable import BucketCodec
@testable import Store

/// A store with all kinds of content, as bytes that a test may damage.
struct RecoverySample {
    let bytes: Data
    /// Sequences of the journal rows.
    let journal: Set<Int64>
    /// Rowids of the buckets, when the schema has them.
    let buckets: Set<Int64>
    /// The pages on which a row has some of its bytes, by rowid.
    let journalPages: [Int64: Set<Int>]
    let bucketPages: [Int64: Set<Int>]
    static let pageSize = 4096
    var pages: Int { bytes.count / Self.pageSize }

    /// - Parameter rows: journal rows of 20 scans each.
    static func make(rows: Int = 80) async throws -> RecoverySample {
        let site = Site()
        let store = try site.open(.process)
        let groups = try await store.writer.register([
            Site.group("meter-a"), Site.group("meter-b"), Site.group("dust", points: ["pm10"]),
        ])
        var random = SeededGenerator(seed: 11)
        for row in 0..<rows {
            let scans = (0..<20).map { index in
                Site.scan(
                    groups[index % 3], at: Int64(row * 70 + index / 3 * 10),
                    Double(Int.random(in: 0..<10_000, using: &random)) / 10)
            }
            _ = try await store.writer.commit(Site.batch(scans))
        }
        try await effects(store, groups)
        for index in 0..<30 {
            try await store.writer.appendAudit(
                actor: "admin", action: "configuration.changed", detail: "change \(index)",
                at: Site.start + .seconds(Int64(index)))
        }
        let hasBuckets = try await store.reader.read("look") { try $0.tableExists("bucket") }
        if hasBuckets { try await seal(store, groups) }
        try store.close()
        // Closing may leave the log; the sample is one file.
        let queue = try DatabaseQueue(path: site.path)
        try await queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
        try queue.close()
        return try RecoverySample(path: site.path)
    }

    private init(path: String) throws {
        bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let image = try SQLiteImage(path: path)
        journalPages = try Self.pages(of: "journal", image)
        bucketPages = try Self.pages(of: "bucket", image)
        journal = Set(journalPages.keys)
        buckets = Set(bucketPages.keys)
    }

    /// By rowid: the leaf and the overflow pages of a row.
    private static func pages(of table: String, _ image: SQLiteImage) throws -> [Int64: Set<Int>] {
        var root = 0
        let schema = PageWalker(image)
        _ = schema.walk(root: 1, isTable: true) { record in
            if let values = record.values, values[0] == .text("table"),
                values[1] == .text(table), case .integer(let number) = values[3]
            {
                root = Int(number)
            }
        }
        guard root > 0 else { return [:] }
        var pages: [Int64: Set<Int>] = [:]
        var waiting = [root]
        while let number = waiting.popLast() {
            guard let bytes = image.page(number), let page = SQLitePage(number: number, bytes)
            else { continue }
            for cell in page.cells {
                guard page.isLeaf else {
                    waiting.append(page.child(cell).page)
                    continue
                }
                var own: Set<Int> = [number]
                let record = page.record(cell) { overflow in
                    own.insert(overflow)
                    return image.page(overflow)
                }
                if let key = record?.rowID { pages[key] = own }
            }
            if !page.isLeaf { waiting.append(page.rightmost) }
        }
        return pages
    }

    private static func effects(_ store: Store, _ groups: [ScanGroup]) async throws {
        var effects = EvaluationEffects()
        for quarter in 0..<9 {
            let bucket = Bucket(
                .quarterHour, containing: Site.start + .seconds(Int64(quarter) * 900),
                calendar: .utc)
            for series in groups.flatMap(\.series) {
                var rollup = Rollup(count: 3, expected: 90)
                rollup.add(.number(Double(quarter)), at: bucket.start)
                effects.rollups.append(
                    RollupRecord(
                        series: series.number, bucket: bucket, rollup: rollup, revision: 0))
                effects.owed.append(
                    OwedItem(
                        uplink: "city", kind: "rollup15", scope: series.id.description,
                        start: bucket.start, revision: 0, due: bucket.end))
            }
            let evidence = AlarmEvidence(
                value: 1, unit: "kW", limit: 0.5, windowStart: bucket.start,
                windowEnd: bucket.end, samples: 3, coverage: 1)
            effects.transitions.append(
                AlarmTransition(
                    rule: "limit", ruleVersion: "1", severity: "warning",
                    series: groups[0].series[0].id, onset: bucket.start, from: .pending,
                    to: .activeUnacknowledged, time: bucket.start, evidence: evidence,
                    isBackfill: false))
        }
        effects.checkpoint = EvaluationCheckpoint(
            version: 1, cursor: 40, state: [UInt8](repeating: 0x7B, count: 9000))
        try await store.writer.apply(effects)
    }

    /// Buckets of five minutes, written as the sealing would, so that there are many.
    private static func seal(_ store: Store, _ groups: [ScanGroup]) async throws {
        try await store.writer.write("seal") { db in
            var random = SeededGenerator(seed: 12)
            for group in groups {
                for index in 0..<100 {
                    let from = -400_000 + index * 300
                    let scans = (0..<30).map {
                        Site.scan(
                            group, at: Int64(from + $0 * 10),
                            Double(Int.random(in: 0..<1_000_000, using: &random)) / 7)
                    }
                    let start = (Site.start + .seconds(Int64(from))).milliseconds
                    let data = BucketCodec.encode(
                        BucketRows(scans: scans, width: group.series.count), period: group.period)
                    try db.execute(
                        sql: """
                            INSERT INTO bucket (scan_group, start, "end", rows, codec, data)
                            VALUES (?, ?, ?, ?, ?, ?)
                            """,
                        arguments: [
                            group.id.number, start, start + 300_000, scans.count,
                            Int(BucketCodec.version), Blob(data),
                        ])
                }
            }
        }
    }
}
