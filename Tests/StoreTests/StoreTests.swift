import Foundation
import GRDB
import Telemetry
import Testing

@testable import Store

@Suite("The store's file")
struct StoreTests {
    let site = Site()

    private func pragma(_ name: String, of store: Store) async throws -> Int {
        try await store.writer.write("read") { try Int.fetchOne($0, sql: "PRAGMA \(name)") ?? -1 }
    }

    @Test("durability power commits with synchronous FULL, process with NORMAL")
    func durability() async throws {
        var store = try site.open(.power)
        #expect(try await pragma("synchronous", of: store) == 2)
        #expect(try await pragma("secure_delete", of: store) == 0)
        #expect(try await pragma("foreign_keys", of: store) == 1)
        #expect(try await pragma("cache_size", of: store) == -2048)
        try store.close()
        store = try site.open(.process)
        #expect(try await pragma("synchronous", of: store) == 1)
        try store.close()
    }

    @Test("every table is STRICT")
    func strict() async throws {
        let store = try site.open()
        let loose = try await store.reader.read("list tables") { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM pragma_table_list WHERE strict = 0 AND type = 'table'
                        AND schema = 'main' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'grdb%'
                    """)
        }
        #expect(loose == [])
        try store.close()
    }

    @Test("a store that is opened again holds everything, and goes on counting")
    func reopen() async throws {
        var store = try site.open()
        let group = try await store.writer.register([Site.group()])[0]
        let mark = DeliveryMark(link: "broker", messageID: 9, digest: 77)
        let first = try await store.writer.commit(Site.batch([Site.scan(group, at: 0, 1)]))
        let second = try await store.writer.commit(
            Site.batch([Site.scan(group, at: 10, 2)], [mark]))
        #expect(second > first)
        try store.close()

        store = try site.open()
        #expect(store.reader.newestSequence() == second)
        let rows = try await store.reader.journal(after: 0)
        #expect(rows.map(\.sequence) == [first, second])
        #expect(rows[0].scans == [Site.scan(group, at: 0, 1)])
        #expect(rows[1].deliveries == [mark])
        #expect(rows[1].clock == Site.clock(Site.start + .seconds(10)))
        #expect(try await store.reader.recentDeliveries(link: "broker", limit: 5) == [mark])
        #expect(try await store.reader.recentDeliveries(link: "other", limit: 5).isEmpty)
        let number = try #require(try await store.reader.registry().groups.first?.series[0].number)
        #expect(store.reader.latest()[number]?.reading == .number(2))
        let third = try await store.writer.commit(Site.batch([Site.scan(group, at: 20, 3)]))
        #expect(third > second)
        try store.close()
    }

    @Test("a file of a newer version, of another program, or of no database is refused and says so")
    func refused() throws {
        try site.open().close()
        try site.meddle("INSERT INTO grdb_migrations (identifier) VALUES ('9999-future')")
        var error = #expect(throws: StoreError.self) { try site.open() }
        #expect(error?.code == .newerSchema)

        let other = Site()
        try FileManager.default.createDirectory(
            atPath: other.directory, withIntermediateDirectories: true)
        try other.meddle("CREATE TABLE song (title TEXT)")
        error = #expect(throws: StoreError.self) { try other.open() }
        #expect(error?.code == .cannotOpen)

        let noise = Site()
        try FileManager.default.createDirectory(
            atPath: noise.directory, withIntermediateDirectories: true)
        try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: noise.path))
        error = #expect(throws: StoreError.self) { try noise.open() }
        #expect(error?.code == .corrupt)
        #expect(error?.disposition == .stop)

        let occupied = Site()
        try Data([1]).write(to: URL(fileURLWithPath: occupied.directory))
        error = #expect(throws: StoreError.self) { try occupied.open() }
        #expect(error?.code == .cannotOpen)
    }

    @Test("the time zone cannot change once rollups are stored")
    func zone() async throws {
        let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 28_800)
        try site.open(calendar: .utc).close()
        var store = try site.open(calendar: shanghai)
        let bucket = Bucket(.day, containing: Site.start, calendar: shanghai)
        try await store.writer.apply(
            EvaluationEffects(rollups: [
                RollupRecord(series: 1, bucket: bucket, rollup: Rollup(count: 1), revision: 0)
            ]))
        try store.close()
        let error = #expect(throws: StoreError.self) { try site.open(calendar: .utc) }
        #expect(error?.code == .zoneChanged)
        store = try site.open(calendar: shanghai)
        let found = try await store.reader.rollups(
            series: 1, resolution: .day, from: bucket.start, to: bucket.end)
        #expect(found.map(\.bucket) == [bucket])
        try store.close()
    }

    @Test("a closed store answers with an error")
    func closed() async throws {
        let store = try site.open()
        let group = try await store.writer.register([Site.group()])[0]
        try store.close()
        await #expect(throws: StoreError.self) {
            try await store.writer.commit(Site.batch([Site.scan(group, at: 0)]))
        }
        await #expect(throws: StoreError.self) { try await store.reader.checkpoint() }
        #expect(await store.reader.waitForCommit(after: 1_000) == 0)
    }

    @Test("the audit chain verifies, and a changed, removed or inserted entry breaks it")
    func audit() async throws {
        let store = try site.open()
        for index in 1...5 {
            try await store.writer.appendAudit(
                actor: "admin", action: "configuration.changed", detail: "change \(index)",
                at: Site.start + .seconds(Int64(index)))
        }
        #expect(try await store.reader.verifyAudit() == .intact(entries: 5))
        let entries = try await store.reader.audit()
        #expect(entries.map(\.detail) == (1...5).map { "change \($0)" })
        try site.meddle("UPDATE audit SET detail = 'nothing' WHERE seq = 3")
        #expect(try await store.reader.verifyAudit() == .broken(atSequence: 3))
        try site.meddle("UPDATE audit SET detail = 'change 3' WHERE seq = 3")
        #expect(try await store.reader.verifyAudit() == .intact(entries: 5))
        try site.meddle("DELETE FROM audit WHERE seq = 2")
        #expect(try await store.reader.verifyAudit() == .broken(atSequence: 2))
        try store.close()
    }

    @Test("the first audit hash is the SHA-256 that anybody can compute from the description")
    func auditVector() {
        // printf of 32 zero bytes, seq 1, time 2, then "a", "b", "c" with their lengths | sha256sum
        let hash = AuditChain.hash(
            previous: AuditChain.origin, sequence: 1, time: Timestamp(milliseconds: 2), actor: "a",
            action: "b", detail: "c")
        let hex = hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(hex == "a0563acb51909811f82fe55b840e6b40ebe882a9059e58b096b7e3e8c9029720")
    }
}
