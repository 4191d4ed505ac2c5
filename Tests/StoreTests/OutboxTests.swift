import Telemetry
import Testing

@testable import Store

@Suite("The outbox")
struct OutboxTests {
    let site = Site()
    static let spacing = Duration.seconds(900)

    static func item(_ quarter: Int64, revision: Int = 0, uplink: String = "city") -> OwedItem {
        let start = Site.start + .seconds(quarter * 900)
        return OwedItem(
            uplink: uplink, kind: "rollup/15min", scope: "dust/rs485/fast", start: start,
            revision: revision, due: start + .seconds(900))
    }

    static func time(_ quarter: Int64, _ seconds: Int64 = 0) -> Timestamp {
        Site.start + .seconds(quarter * 900 + seconds)
    }

    private func owe(_ store: Store, _ items: [OwedItem]) async throws {
        try await store.writer.apply(EvaluationEffects(owed: items))
    }

    private func owed(
        _ store: Store, now: Timestamp, since: Timestamp = Site.start, live: Bool = true,
        limit: Int = 100
    ) async throws -> [OwedItem] {
        try await store.reader.owedItems(
            uplink: "city", now: now, correctionSpacing: Self.spacing, liveSince: since,
            live: live, limit: limit)
    }

    @Test("live items and the backlog are two lists, each oldest first, of one uplink only")
    func order() async throws {
        let store = try site.open()
        try await owe(store, [5, 1, 4, 0, 3, 2].map { Self.item($0) })
        try await owe(store, [Self.item(2, uplink: "other")])
        let now = Self.time(10)
        let live = try await owed(store, now: now, since: Self.time(4))
        #expect(live == [Self.item(4), Self.item(5)])
        let backlog = try await owed(store, now: now, since: Self.time(4), live: false, limit: 3)
        #expect(backlog == [Self.item(0), Self.item(1), Self.item(2)])
        #expect(try await owed(store, now: Self.time(2)) == [Self.item(0), Self.item(1)])
        let status = try await store.reader.uplinkStatus(uplink: "city")
        #expect(status.owed == 6)
        #expect(status.oldestOwed == Site.start)
        #expect(status.lastOutcome == nil)
        try store.close()
    }

    @Test("an outcome settles the revision that was sent, and no higher one")
    func settlesItsRevision() async throws {
        let store = try site.open()
        try await owe(store, [Self.item(0)])
        try await owe(store, [Self.item(0, revision: 1)])
        try await store.writer.settle(Self.item(0), outcome: .accepted, at: Self.time(1, 5))
        // Still owed, but a correction waits for its spacing.
        #expect(try await store.reader.uplinkStatus(uplink: "city").owed == 1)
        #expect(try await owed(store, now: Self.time(1, 10)).isEmpty)
        let later = try await owed(store, now: Self.time(2, 5))
        #expect(later.map(\.revision) == [1])
        try await store.writer.settle(later[0], outcome: .accepted, at: Self.time(2, 6))
        let status = try await store.reader.uplinkStatus(uplink: "city")
        #expect(status.owed == 0)
        #expect(status.accepted == 2)
        #expect(status.lastAccepted == Self.time(2, 6))
        // A late, second answer for the old revision changes nothing.
        let before = try site.dump()
        try await store.writer.settle(Self.item(0), outcome: .accepted, at: Self.time(9))
        #expect(try site.dump() == before)
        try store.close()
    }

    @Test("a retry is due again after its delay, and a restart does not forget it")
    func retry() async throws {
        var store = try site.open()
        try await owe(store, [Self.item(0)])
        let now = Self.time(1, 5)
        try await store.writer.settle(
            Self.item(0), outcome: .retry(after: .seconds(30), reason: "broker away"), at: now)
        try store.close()
        store = try site.open()
        #expect(try await owed(store, now: now + .seconds(29)).isEmpty)
        let again = try await owed(store, now: now + .seconds(30))
        #expect(again.map(\.revision) == [0])
        // Owing it again (a replay) does not bring it forward.
        try await owe(store, [Self.item(0)])
        #expect(try await owed(store, now: now + .seconds(29)).isEmpty)
        let status = try await store.reader.uplinkStatus(uplink: "city")
        #expect(status.owed == 1)
        #expect(status.retried == 1)
        #expect(status.lastOutcome == "retry")
        #expect(status.lastReason == "broker away")
        try store.close()
    }

    @Test("a rejected item moves out of the way with its reason, until a correction is owed")
    func rejected() async throws {
        let store = try site.open()
        try await owe(store, [Self.item(0), Self.item(1)])
        try await store.writer.settle(
            Self.item(0), outcome: .rejected(reason: "unknown station"), at: Self.time(3))
        #expect(try await owed(store, now: Self.time(3)) == [Self.item(1)])
        var status = try await store.reader.uplinkStatus(uplink: "city")
        #expect(status.rejected == 1)
        #expect(status.lastReason == "unknown station")
        try await owe(store, [Self.item(0, revision: 1)])
        #expect(try await owed(store, now: Self.time(3)).map(\.revision) == [1, 0])
        status = try await store.reader.uplinkStatus(uplink: "city")
        #expect(status.owed == 2)
        try store.close()
    }

    @Test("an expired item is owed no longer and is counted with its reason, once")
    func expired() async throws {
        let store = try site.open()
        try await owe(store, [Self.item(0), Self.item(1)])
        for _ in 0..<2 {
            try await store.writer.settle(
                Self.item(0), outcome: .expired(reason: "beyond retention"), at: Self.time(5))
        }
        let status = try await store.reader.uplinkStatus(uplink: "city")
        #expect(status.owed == 1)
        #expect(status.expired == 1)
        #expect(status.accepted == 0)
        #expect(status.lastReason == "beyond retention")
        #expect(try await owed(store, now: Self.time(5)) == [Self.item(1)])
        try store.close()
    }

    @Test("what is live is judged by the end of a period, where periods differ in length")
    func spans() async throws {
        let store = try site.open()
        var day = Self.item(0)
        day.kind = "2031/1d"
        day.due = Site.start
        try await owe(store, [Self.item(0), day])
        let now = Site.start + .seconds(86_400 + 60)
        func live(_ spans: [String: Duration]) async throws -> [String] {
            try await store.reader.owedItems(
                uplink: "city", now: now, correctionSpacing: Self.spacing,
                liveSince: now - .seconds(300), live: true, spans: spans, limit: 10
            ).map(\.kind)
        }
        #expect(
            try await live(["2031/1d": .seconds(86_400), "rollup/15min": .seconds(900)]) == [
                "2031/1d"
            ])
        #expect(try await live([:]).isEmpty)
        try store.close()
    }

    @Test("a lane in which an item rests is left out whole, and no other")
    func resting() async throws {
        let store = try site.open()
        var other = Self.item(1)
        other.scope = "meter/rs485/fast"
        try await owe(store, [Self.item(0), Self.item(2), other])
        let found = try await store.reader.owedItems(
            uplink: "city", now: Self.time(9), correctionSpacing: Self.spacing,
            liveSince: Site.start, live: true,
            resting: [OwedLane(kind: "rollup/15min", scope: "dust/rs485/fast")], limit: 10)
        #expect(found == [other])
        try store.close()
    }

    @Test("what a platform has set and what it has cost outlive a restart")
    func settings() async throws {
        var store = try site.open()
        let now = Self.time(0)
        for (name, value) in [("period", "5"), ("period", "10"), ("key", "a")] {
            try await store.writer.keep(
                PlatformSetting(name: name, value: value), of: "city", at: now)
        }
        try await store.writer.keep(
            PlatformSetting(scope: "MN1", name: "period", value: "1"), of: "city", at: now)
        try await store.writer.keep(
            PlatformSetting(name: "period", value: "60"), of: "other", at: now)
        let day = Duration.seconds(86_400)
        for (bytes, at) in [(Int64(100), now), (20, now), (3, now + day)] {
            try await store.writer.settle(
                [Settlement(Self.item(0), .retry(after: .seconds(1), reason: "away"))],
                traffic: UplinkTraffic(uplink: "city", bytes: bytes), at: at)
        }
        try store.close()
        store = try site.open()
        let settings = try await store.reader.platformSettings(of: "city")
        #expect(
            settings == [
                PlatformSetting(name: "key", value: "a"),
                PlatformSetting(name: "period", value: "10"),
                PlatformSetting(scope: "MN1", name: "period", value: "1"),
            ])
        let today = Bucket(.day, containing: now, calendar: .utc)
        #expect(
            try await store.reader.traffic(uplink: "city", from: today.start, to: today.end) == 120)
        #expect(
            try await store.reader.traffic(
                uplink: "city", from: today.start, to: today.end + day) == 123)
        #expect(
            try await store.reader.traffic(uplink: "other", from: today.start, to: today.end) == 0)
        try store.close()
    }

    @Test("many settlements are one transaction")
    func batch() async throws {
        let store = try site.open()
        let items = (0..<200).map { Self.item(Int64($0)) }
        try await owe(store, items)
        try await store.writer.settle(
            items.map { Settlement($0, .accepted) }, at: Self.time(300))
        let status = try await store.reader.uplinkStatus(uplink: "city")
        #expect(status.owed == 0)
        #expect(status.accepted == 200)
        try store.close()
    }

    @Test("changes of one rule and series wait for each other, whatever their onsets")
    func lanes() async throws {
        let store = try site.open(.process)
        func item(_ series: String, onset: Int, at seconds: Int64) -> OwedItem {
            OwedItem(
                uplink: "feed/bus", kind: "change/normal", scope: "pm10|\(series)|\(onset)",
                start: Site.start + .seconds(seconds), revision: 0, due: Timestamp(milliseconds: 0))
        }
        let first = item("d.pm10", onset: 100, at: 1)
        let second = item("d.pm10", onset: 250, at: 2)
        let other = item("e.pm10", onset: 250, at: 3)
        try await store.writer.apply(EvaluationEffects(owed: [first, second, other]))
        let now = Site.start + .seconds(10)
        func owed(inOrder: Bool) async throws -> [String] {
            try await store.reader.owedItems(
                uplink: "feed/bus", now: now, correctionSpacing: .zero,
                liveSince: Timestamp(milliseconds: 0), live: true, inOrder: inOrder, limit: 10
            ).map(\.scope)
        }
        #expect(try await owed(inOrder: true) == [first, second, other].map(\.scope))
        // The first is tried again later: nothing of the same rule and series overtakes it.
        try await store.writer.settle(
            first, outcome: .retry(after: .seconds(60), reason: "away"), at: now)
        #expect(try await owed(inOrder: true) == [other.scope])
        #expect(try await owed(inOrder: false) == [second.scope, other.scope])
        try store.close()
    }
}
