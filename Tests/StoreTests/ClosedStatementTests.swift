import EnergyAccounting
import GRDB
import Telemetry
import Testing

@testable import Store

@Suite("A closed statement")
struct ClosedStatementTests {
    private let site = Site()
    private let utc = SiteCalendar.utc

    private func statement(_ amount: Int) -> StatementDocument {
        StatementDocument(
            kind: "monthly", title: LocalizedText(en: "Month", zh: "月报"), site: "A",
            period: "2026-03",
            tables: [
                .init(
                    key: "meters", title: LocalizedText(en: "Meters", zh: "计量点"),
                    columns: [
                        .init("meter", LocalizedText(en: "Meter", zh: "计量点"), isNumber: false),
                        .init("amount", LocalizedText(en: "Amount", zh: "用量"), unit: "kWh"),
                    ],
                    rows: [
                        [
                            .word("main"),
                            .number(
                                .init(
                                    Exact(Int128(amount), over: 3), places: 2, trace: "main@2026-03"
                                )),
                        ]
                    ])
            ])
    }

    @Test("comes back as it was, is never closed again, and its hash stands in the audit chain")
    func closing() async throws {
        var store = try site.open(.process)
        #expect(try await store.reader.closedStatement("monthly", "2026-03") == nil)
        let closed = try await store.writer.close(statement(100), actor: "Li", at: Site.start)
        let again = try await store.writer.close(
            statement(200), actor: "Wang", at: Site.start + .seconds(60))
        #expect(again == closed && closed.document == statement(100))
        try store.close()
        store = try site.open(.process)
        let found = try #require(try await store.reader.closedStatement("monthly", "2026-03"))
        #expect(found == closed && found.isIntact && found.hash.count == 32)
        let entries = try await store.reader.audit()
        #expect(entries.map(\.action) == ["energy.closed"])
        #expect(entries[0].detail == "monthly 2026-03 sha256:\(closed.hashText)")
        #expect(try await store.reader.verifyAudit() == .intact(entries: 1))
        try store.close()
    }

    @Test("is told with what has been corrected since, and an open one as it is")
    func corrections() async throws {
        let store = try site.open(.process)
        #expect(try await store.reader.told(statement(200), calendar: utc) == statement(200))
        _ = try await store.writer.close(statement(100), actor: "Li", at: Site.start)
        let same = try await store.reader.told(statement(100), calendar: utc)
        #expect(same.tables == statement(100).tables)
        #expect(same.notes.first?.en.hasPrefix("Closed by Li at ") == true)
        let other = try await store.reader.told(statement(200), calendar: utc)
        let table = try #require(other.tables.last)
        #expect(table.key == "since_closing" && table.rows.count == 1)
        #expect(
            table.rows[0].suffix(2) == [
                .number(.init(Exact(3333, over: 100), places: 2)),
                .number(.init(Exact(6667, over: 100), places: 2)),
            ])
        #expect(other.tables.first == statement(100).tables.first)
        try store.close()
    }

    @Test("whose bytes were changed says so, and one that cannot be read is damage, not open")
    func damage() async throws {
        let store = try site.open(.process)
        _ = try await store.writer.close(statement(100), actor: "Li", at: Site.start)
        try store.close()
        func edit(_ sql: String) throws {
            let queue = try DatabaseQueue(path: site.path)
            try queue.write { try $0.execute(sql: sql) }
            try queue.close()
        }
        try edit("UPDATE energy_closing SET body = CAST(replace(body, '100/3', '101/3') AS BLOB)")
        var opened = try site.open(.process)
        let found = try #require(try await opened.reader.closedStatement("monthly", "2026-03"))
        #expect(!found.isIntact && found.words(utc).en.contains("do not have this hash"))
        try opened.close()
        try edit("UPDATE energy_closing SET body = x'00'")
        opened = try site.open(.process)
        let reader = opened.reader
        await #expect(throws: StoreError.self) {
            try await reader.closedStatement("monthly", "2026-03")
        }
        try opened.close()
    }
}
