import Foundation
import GRDB
import Telemetry
import Testing

@testable import BucketCodec
@testable import Store

@Suite("Verification")
struct VerificationTests {
    let site = Site()

    /// An hour of scans, their quarters, a bucket of the time before, three audit entries.
    private func filled() async throws -> Store {
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        let scans = (0..<360).map { Site.scan(group, at: Int64($0) * 10, Double($0 % 7)) }
        for row in 0..<36 {
            _ = try await store.writer.commit(Site.batch(Array(scans[row * 10..<row * 10 + 10])))
        }
        var effects = EvaluationEffects()
        for quarter in 0..<3 {
            let bucket = Bucket(
                .quarterHour, containing: Site.start + .seconds(Int64(quarter) * 900),
                calendar: .utc)
            let before = scans.last { $0.time < bucket.start }
            let after = scans.first { $0.time >= bucket.end }
            for (column, series) in group.series.enumerated() {
                let timed = { (scan: Scan?) in
                    scan.flatMap { scan in
                        scan.readings[column].number.map {
                            Rollup.Timed(time: scan.time, value: $0)
                        }
                    }
                }
                let rollup = Rollup.fold(
                    series, over: bucket, previous: timed(before),
                    samples: scans.filter { bucket.contains($0.time) }
                        .map { ($0.time, $0.readings[column]) },
                    next: timed(after), period: group.period, expected: 90)
                effects.rollups.append(
                    RollupRecord(
                        series: series.number, bucket: bucket, rollup: rollup, revision: 0))
            }
        }
        effects.checkpoint = EvaluationCheckpoint(version: 1, cursor: 36, state: [1])
        try await store.writer.apply(effects)
        for index in 0..<3 {
            try await store.writer.appendAudit(
                actor: "admin", action: "configuration.changed", detail: "\(index)",
                at: Site.start)
        }
        let early = (0..<30).map { Site.scan(group, at: Int64($0) * 10 - 7200) }
        try await store.writer.write("seal") { db in
            try db.execute(
                sql: """
                    INSERT INTO bucket (scan_group, start, "end", rows, codec, data)
                    VALUES (?, ?, ?, 30, ?, ?)
                    """,
                arguments: [
                    group.id.number, early[0].time.milliseconds,
                    early[0].time.milliseconds + 300_000, Int(BucketCodec.version),
                    Blob(
                        BucketCodec.encode(
                            BucketRows(scans: early, width: 3), period: group.period)),
                ])
        }
        return store
    }

    private func report() async throws -> VerificationReport {
        let store = try Store.openReadOnly(directory: site.directory, calendar: .utc)
        defer { try? store.close() }
        return try await StoreVerification(store.reader).run()
    }

    @Test("calls a sound store sound, beside its writer, and counts what it looked at")
    func sound() async throws {
        let store = try await filled()
        let report = try await report()
        #expect(report.isSound, "\(report.damage)")
        #expect(report[.journal].checked == 36)
        #expect(report[.buckets].checked == 1)
        #expect(report[.rollups].checked == 9)
        #expect(report[.audit].checked == 3)
        try store.close()
    }

    @Test("names what was changed, by device and time")
    func changed() async throws {
        try await filled().close()
        let second = (Site.start + .seconds(900)).milliseconds
        try site.meddle("UPDATE rollup SET sum = sum + 1 WHERE start = ? AND series = 1", [second])
        try site.meddle("UPDATE journal SET scans = zeroblob(40) WHERE seq = 5")
        try site.meddle(
            "UPDATE bucket SET data = CAST(substr(data, 1, length(data) - 1) || x'99' AS BLOB)")
        try site.meddle("UPDATE audit SET detail = 'x' WHERE seq = 2")
        let report = try await report()
        #expect(!report.isSound)
        let rollup = report.damage.first { $0.table == "rollup" }
        #expect(rollup?.device == "meter" && rollup?.part == "power")
        #expect(rollup?.from == second && rollup?.to == second + 900_000)
        let bucket = report.damage.first { $0.table == "bucket" }
        #expect(bucket?.device == "meter" && bucket?.part == "rs485/fast")
        #expect(bucket?.from == (Site.start + .seconds(-7200)).milliseconds)
        let journal = report.damage.first { $0.table == "journal" }
        #expect(journal?.from == (Site.start + .seconds(400)).milliseconds)
        #expect(journal?.to == (Site.start + .seconds(490)).milliseconds + 1)
        #expect(report[.audit].damaged == 1)
    }

    /// What somebody or something may do to a file, and the section that must say so.
    private static let contradictions: [(VerificationReport.Name, String, cause: String)] = [
        (.schema, "INSERT INTO grdb_migrations VALUES ('9999-future')", "does not know"),
        (.registry, "UPDATE series SET device = 99 WHERE number = 1", "refer to a row"),
        (.registry, "UPDATE journal SET boot = 99 WHERE seq = 3", "refer to a row"),
        (.alarms, "UPDATE alarm SET state = 'normal'", "newest transition"),
        (.alarms, "UPDATE alarm SET onset = onset + 1", "key is not"),
        (.alarms, "UPDATE alarm SET transition = transition - 1", "do not stand"),
        (.alarms, "DELETE FROM alarm", "of no alarm"),
        (.outbox, "UPDATE outbox SET revision_sent = 9", "contradict each other"),
        (.outbox, "UPDATE outbox SET attempts = -1", "contradict each other"),
        (.rollups, "UPDATE rollup SET count = count - 1 WHERE series = 2", "not the fold"),
        (.audit, "DELETE FROM audit WHERE seq = 2", "chain is broken"),
    ]

    @Test("finds every contradiction in its own section", arguments: 0..<contradictions.count)
    func contradiction(number: Int) async throws {
        let (section, sql, cause) = Self.contradictions[number]
        let store = try await filled()
        var effects = EffectsTests.effects(cursor: 36)
        effects.rollups = []
        try await store.writer.apply(effects)
        try store.close()
        let sound = try await report()
        #expect(sound.isSound, "\(sound.damage)")
        #expect(sound[section].checked > 0)
        try site.meddle("PRAGMA ignore_check_constraints = ON; \(sql)", foreignKeys: false)
        let report = try await report()
        #expect(report[section].damaged > 0, "\(sql)")
        #expect(report.damage.contains { $0.cause.contains(cause) }, "\(report.damage)")
        // Rows of a group that is not known can be read by nobody.
        let elsewhere = VerificationReport.Name.allCases.filter {
            $0 != section && section != .registry && report[$0].damaged > 0
        }
        #expect(elsewhere.isEmpty, "\(sql)")
    }

    @Test("a page that SQLite cannot read is damage of its table, and the rest is still checked")
    func page() async throws {
        try await filled().close()
        let text = Data("configuration.changed".utf8)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: site.path))
        let found = try #require(bytes.range(of: text)).lowerBound
        let page = found / 4096 * 4096
        // The head of the page: its kind, its number of rows, where they begin.
        bytes.replaceSubrange(page..<page + 8, with: [UInt8](repeating: 0xFF, count: 8))
        try bytes.write(to: URL(fileURLWithPath: site.path))
        let report = try await report()
        #expect(report[.structure].damaged > 0)
        #expect(report.damage.contains { $0.table == "audit" })
        #expect(report[.journal].checked == 36)
        #expect(report[.buckets].checked == 1)
    }

    @Test(
        "a backup beside a committing writer is one instant, opens alone, and the log stays small")
    func backup() async throws {
        let store = try await filled()
        let group = try await store.reader.registry().groups[0]
        let (directory, target) = (site.directory, site.directory + "/copy/plumbline.sqlite")
        try FileManager.default.createDirectory(
            atPath: site.directory + "/copy", withIntermediateDirectories: true)
        let writing = Task {
            var rows = 0
            while !Task.isCancelled {
                _ = try await store.writer.commit(
                    Site.batch([Site.scan(group, at: 4000 + Int64(rows) * 10)]))
                rows += 1
            }
            return rows
        }
        var growth: Int64 = 0
        for _ in 0..<5 {
            let report = try StoreBackup.copy(
                directory: directory, to: target, overwrites: true)
            growth = max(growth, report.logGrowth)
        }
        writing.cancel()
        let rows = try await writing.value
        print("5 backups beside \(rows) commits, the log grew by at most \(growth) bytes")
        #expect(throws: StoreError.self) {
            try StoreBackup.copy(directory: directory, to: target)
        }
        try store.close()
        #expect(!FileManager.default.fileExists(atPath: target + "-wal"))
        let copy = try Store.open(
            StoreOptions(directory: site.directory + "/copy"), calendar: .utc)
        #expect(copy.reader.newestSequence() >= 36)
        try copy.close()
    }

    @Test("compacting gives room back and keeps every row")
    func compact() async throws {
        try await filled().close()
        try site.meddle("CREATE TABLE ballast (data BLOB)")
        try site.meddle("INSERT INTO ballast VALUES (randomblob(3000000))")
        try site.meddle("DROP TABLE ballast")
        let before = try site.dump()
        let report = try StoreCompaction.compact(directory: site.directory)
        #expect(report.after < report.before - 2_900_000)
        #expect(try site.dump() == before)
        try site.open().close()
    }
}
