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
