import Store
import Telemetry
import Testing

@testable import Gateway

@Suite("Sending again")
struct ResendTests {
    private static let start = RollupsOfTheStoreTests.start

    @Test("owes what was accepted and what was never owed, once, and nothing outside the range")
    func range() async throws {
        // The outbox has only quarters from 01:00 on; what came before was nobody's business.
        let since = Self.start + .seconds(3600)
        var selection = OwedSelection(uplink: "city", resolution: .quarterHour)
        selection.since = since
        let folded = try await FoldedStore(
            groups: [RollupsOfTheStoreTests.group()], start: Self.start, selections: [selection])
        defer { folded.remove() }
        for minute in 0..<185 {
            folded.clock.advance(to: Self.start + .seconds(60 * minute))
            try await folded.commit([
                Scan(
                    group: folded.groups[0].id, time: folded.clock.wall,
                    readings: [.number(1), .number(Double(minute))])
            ])
        }
        try await folded.evaluate()
        func owed() async throws -> [Timestamp] {
            try await folded.store.reader.owedItems(
                uplink: "city", now: folded.clock.wall, correctionSpacing: .zero,
                liveSince: Timestamp(milliseconds: 0), live: true, limit: 100
            ).map(\.start)
        }
        let first = try await folded.store.reader.owedItems(
            uplink: "city", now: folded.clock.wall, correctionSpacing: .zero,
            liveSince: Timestamp(milliseconds: 0), live: true, limit: 100)
        #expect(first.first?.start == since && first.count == 8)
        try await folded.store.writer.settle(
            first.map { Settlement($0, .accepted) }, at: folded.clock.wall)
        let resend = Resend(
            store: folded.store,
            plan: UplinkPlan(
                uplink: "city", site: SiteID("s"), groups: folded.groups,
                resolution: .quarterHour), calendar: .utc)
        let range = (Self.start + .seconds(1800), Self.start + .seconds(5400))
        let count = try await resend.run(
            from: range.0, to: range.1, at: folded.clock.wall, actor: "tester")
        #expect(count == 4)
        #expect(try await owed() == [1800, 2700, 3600, 4500].map { Self.start + .seconds($0) })
        let again = try await resend.run(
            from: range.0, to: range.1, at: folded.clock.wall, actor: "tester")
        #expect(again == 0, "what is owed already is not owed twice")
        let none = try await resend.run(
            from: range.0, to: range.1, kinds: ["rollup/1d"], at: folded.clock.wall,
            actor: "tester")
        #expect(none == 0)
    }
}
