import Foundation
import GRDB
import Telemetry
import TestSeeds
import Testing

@testable import Store

/// What one kind of damage at every page led to.
private struct Tally {
    var files = 0
    var recovered = 0
    var kept = 0
    var untouched = 0

    /// The smallest share of untouched rows that came back from one file.
    var worst = 1.0
}

@Suite("A damaged file")
struct RecoveryTests {
    enum Harm: String, CaseIterable { case bit, zeros, cut }

    private static func harm(
        _ bytes: Data, _ kind: Harm, page: Int, _ random: inout SeededGenerator
    ) -> Data {
        var bytes = bytes
        let start = (page - 1) * RecoverySample.pageSize
        switch kind {
        case .bit:
            let bit = Int.random(in: 0..<RecoverySample.pageSize * 8, using: &random)
            bytes[start + bit / 8] ^= 1 << UInt8(bit % 8)
        case .zeros:
            bytes.replaceSubrange(
                start..<start + RecoverySample.pageSize,
                with: Data(count: RecoverySample.pageSize))
        case .cut: bytes = bytes.prefix(start + 1000)
        }
        return bytes
    }

    @Test(
        "opens and commits, whatever page has a flipped bit, is zeroed or cut off",
        arguments: Harm.allCases)
    func everyPage(kind: Harm) async throws {
        let sample = try await RecoverySample.make()
        let seed: UInt64 = 0xD4_4A_6E
        var random = SeededGenerator(seed: seed)
        var opened = Tally()
        var salvaged = Tally()
        for page in 1...sample.pages {
            let bytes = Self.harm(sample.bytes, kind, page: page, &random)
            try await Self.open(bytes, page, &opened)
            try Self.salvage(bytes, sample, kind, page, &salvaged)
        }
        print(
            "damage \(kind.rawValue), seed \(seed): \(opened.files) files, \(opened.recovered)"
                + " recovered at start, all opened and committed; salvage kept \(salvaged.kept) of"
                + " \(salvaged.untouched) untouched rows, at worst \(salvaged.worst) of a file")
        #expect(opened.files == sample.pages)
        #expect(salvaged.worst >= 0.99, "\(kind): \(salvaged)")
    }

    /// Opens as a start does; a store whose commits fail is marked and opened anew.
    private static func open(_ bytes: Data, _ page: Int, _ tally: inout Tally) async throws {
        let site = Site()
        try FileManager.default.createDirectory(
            atPath: site.directory, withIntermediateDirectories: true)
        try bytes.write(to: URL(fileURLWithPath: site.path))
        let options = StoreOptions(directory: site.directory, durability: .process)
        var wasRecovered = false
        for attempt in 1...2 {
            let (store, report) = try Store.openRecovering(
                options, calendar: .utc, now: Site.start)
            if report != nil { wasRecovered = true }
            do {
                let group = try await store.writer.register([Site.group("meter-a")])[0]
                _ = try await store.writer.commit(
                    Site.batch([Site.scan(group, at: 1_000_000)]))
                try store.close()
                break
            } catch {
                try? store.close()
                #expect(attempt == 1, "page \(page): \(error)")
                try Data().write(
                    to: URL(fileURLWithPath: site.directory + "/" + Store.suspectMarker))
            }
        }
        tally.files += 1
        if wasRecovered { tally.recovered += 1 }
    }

    private static func salvage(
        _ bytes: Data, _ sample: RecoverySample, _ kind: Harm, _ page: Int, _ tally: inout Tally
    ) throws {
        let site = Site()
        try FileManager.default.createDirectory(
            atPath: site.directory, withIntermediateDirectories: true)
        try bytes.write(to: URL(fileURLWithPath: site.path))
        let new = site.directory + "/new.sqlite"
        _ = try StoreSalvage.salvage(damaged: site.path, into: new)
        let queue = try DatabaseQueue(path: new)
        let (journal, buckets) = try queue.read { db in
            (
                try Set(Int64.fetchAll(db, sql: "SELECT seq FROM journal")),
                try db.tableExists("bucket")
                    ? try Set(Int64.fetchAll(db, sql: "SELECT id FROM bucket")) : []
            )
        }
        let isTouched = { (pages: Set<Int>) in
            kind == .cut ? pages.contains { $0 >= page } : pages.contains(page)
        }
        var (kept, all) = (0, 0)
        for (found, pages) in [(journal, sample.journalPages), (buckets, sample.bucketPages)] {
            let untouched = pages.filter { !isTouched($0.value) }
            all += untouched.count
            kept += untouched.keys.count { found.contains($0) }
        }
        tally.untouched += all
        tally.kept += kept
        if all > 0 { tally.worst = min(tally.worst, Double(kept) / Double(all)) }
    }

    @Test("a sound file is salvaged whole, the log beside it included")
    func soundFile() async throws {
        let site = Site()
        let store = try site.open()
        let group = try await store.writer.register([Site.group()])[0]
        for index in 0..<50 {
            _ = try await store.writer.commit(
                Site.batch([Site.scan(group, at: Int64(index) * 10)]))
        }
        // Not closed: everything is still in the log.
        let copy = Site()
        try FileManager.default.copyItem(atPath: site.directory, toPath: copy.directory)
        let report = try StoreSalvage.salvage(
            damaged: copy.path, into: copy.directory + "/new.sqlite")
        #expect(report.losses == [])
        #expect(report.table("journal")?.kept == 51, "50 rows and the tick that pins the sequence")
        #expect(report.table("series")?.kept == 3)
        try store.close()
    }

    @Test("a newer schema, another program's file and a missing right are no damage")
    func noDamage() async throws {
        let site = Site()
        try site.open().close()
        try site.meddle("INSERT INTO grdb_migrations VALUES ('9999-later')")
        var error = #expect(throws: StoreError.self) {
            try Store.openRecovering(
                StoreOptions(directory: site.directory), calendar: .utc, now: Site.start)
        }
        #expect(error?.code == .newerSchema)
        let other = Site()
        try FileManager.default.createDirectory(
            atPath: other.directory, withIntermediateDirectories: true)
        try other.meddle("CREATE TABLE song (title TEXT)")
        error = #expect(throws: StoreError.self) {
            try Store.openRecovering(
                StoreOptions(directory: other.directory), calendar: .utc, now: Site.start)
        }
        #expect(error?.code == .cannotOpen)
        #expect(FileManager.default.fileExists(atPath: other.path))
    }

    @Test("after a loss no sequence is given twice, and the loss stands in the audit chain")
    func afterLoss() async throws {
        let sample = try await RecoverySample.make()
        let site = Site()
        try FileManager.default.createDirectory(
            atPath: site.directory, withIntermediateDirectories: true)
        var bytes = sample.bytes
        bytes.replaceSubrange(0..<4096, with: Data(count: 4096))
        try bytes.write(to: URL(fileURLWithPath: site.path))
        let (store, report) = try Store.openRecovering(
            StoreOptions(directory: site.directory), calendar: .utc, now: Site.start)
        #expect(report?.salvage?.table("journal")?.kept == sample.journal.count + 1)
        #expect(store.reader.newestSequence() > sample.journal.max() ?? 0)
        let entries = try await store.reader.audit()
        #expect(entries.last?.action == "store.salvaged")
        #expect(FileManager.default.fileExists(atPath: report?.damagedFile ?? ""))
        let audit = try await store.reader.verifyAudit()
        #expect(audit == .intact(entries: 31))
        try store.close()
    }

    @Test("an index that names a row that is not there is found, and salvaged once it is suspected")
    func wrongIndex() async throws {
        let site = Site()
        let store = try site.open()
        try await store.writer.apply(EffectsTests.effects())
        try store.close()
        let queue = try DatabaseQueue(path: site.path)
        try await queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
        let root = try await queue.read { db in
            try Int.fetchOne(
                db, sql: "SELECT rootpage FROM sqlite_master WHERE name = 'outbox_owed'") ?? 0
        }
        try queue.close()
        // The last byte of the index's only page is the number of the first row.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: site.path))
        bytes[root * 4096 - 1] ^= 2
        try bytes.write(to: URL(fileURLWithPath: site.path))
        let reading = try Store.openReadOnly(directory: site.directory, calendar: .utc)
        let found = try await StoreVerification(reading.reader).run()
        #expect(found.damage.map(\.table) == ["outbox"], "\(found.damage)")
        try reading.close()

        let (damaged, report) = try Store.openRecovering(
            StoreOptions(directory: site.directory), calendar: .utc, now: Site.start)
        #expect(report == nil, "a start does not look at every page")
        try damaged.close()
        // What a read leaves behind that meets such a row.
        try Data().write(to: URL(fileURLWithPath: site.directory + "/" + Store.suspectMarker))
        let (mended, second) = try Store.openRecovering(
            StoreOptions(directory: site.directory), calendar: .utc, now: Site.start)
        #expect(second?.salvage?.table("outbox")?.kept == 1)
        #expect(try await mended.reader.uplinkStatus(uplink: "city").owed == 1)
        try mended.close()
    }
}
