import EnergyAccounting
import Foundation
import GRDB
import Telemetry
import TestSeeds
import Testing

@testable import Store

@Suite("What platforms took, by site day")
struct DeliveryDayTests {
    private static let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
    private static let first = CivilDate(daysSinceEpoch: 0)
    private static let last = CivilDate(daysSinceEpoch: 40_000)
    let site = Site()

    private func open() throws -> Store { try site.open(.process, calendar: Self.shanghai) }

    private func days(_ store: Store, _ uplink: String? = nil) async throws -> [DeliveryDay] {
        try await store.reader.deliveryDays(uplink: uplink, from: Self.first, through: Self.last)
    }

    private func item(
        _ quarter: Int, revision: Int = 0, uplink: String = "city", scope: String = "meter/rs485/a"
    ) -> OwedItem {
        let start = Site.start + .seconds(Int64(quarter) * 900)
        return OwedItem(
            uplink: uplink, kind: "rollup/15min", scope: scope, start: start, revision: revision,
            due: start + .seconds(900))
    }

    private func owe(_ store: Store, _ items: [OwedItem]) async throws {
        try await store.writer.apply(EvaluationEffects(owed: items))
    }

    /// One item as plain numbers, with no knowledge of the store's tables.
    private struct Owing {
        var owed: Int
        var settled = -1
        var fate = "owed"

        var isOpen: Bool { owed > settled }
    }

    private struct Key: Hashable, Comparable {
        var uplink: String
        var scope: String
        var quarter: Int

        static func < (a: Self, b: Self) -> Bool {
            (a.uplink, a.scope, a.quarter) < (b.uplink, b.scope, b.quarter)
        }
    }

    /// Counts by hand: the civil day of Shanghai is eight hours ahead of UTC, all year.
    private func reference(_ world: [Key: Owing]) -> [[String]: [Int]] {
        var counts: [[String]: [Int]] = [:]
        for (key, one) in world where !key.uplink.hasPrefix("feed/") {
            let start = Site.start.milliseconds / 1000 + Int64(key.quarter) * 900
            let day = (start + 8 * 3600) / 86_400
            let fate = one.isOpen ? "owed" : one.fate
            var sums = counts[[key.uplink, key.scope, "\(day)"]] ?? [0, 0, 0, 0]
            sums[0] += 1
            for (place, name) in ["accepted", "rejected", "expired"].enumerated()
            where name == fate { sums[place + 1] += 1 }
            counts[[key.uplink, key.scope, "\(day)"]] = sums
        }
        return counts
    }

    private func table(_ days: [DeliveryDay]) -> [[String]: [Int]] {
        Dictionary(
            uniqueKeysWithValues: days.map {
                (
                    [$0.uplink, $0.scope, "\($0.day.dayNumber)"],
                    [$0.owed, $0.accepted, $0.rejected, $0.expired]
                )
            })
    }

    @Test(
        "owing, accepting, refusing, giving up and restarting in any order give the counts that a list gives",
        arguments: 0..<12)
    func anyOrder(seed: Int) async throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var store = try open()
        var world: [Key: Owing] = [:]
        var applied: [[OwedItem]] = []
        let uplinks = ["city", "district", "feed/phone"]
        func owed(_ key: Key, _ revision: Int) -> OwedItem {
            item(key.quarter, revision: revision, uplink: key.uplink, scope: key.scope)
        }
        for step in 0..<160 {
            let choice = Int.random(in: 0..<12, using: &random)
            switch choice {
            case 0..<5:
                // New items and corrections, some of them several times in one transaction.
                var items: [OwedItem] = []
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    let key = Key(
                        uplink: uplinks.randomElement(using: &random)!,
                        scope: ["meter/rs485/a", "meter/rs485/b"].randomElement(using: &random)!,
                        quarter: Int.random(in: 0..<220, using: &random))
                    let known = world.keys.sorted().randomElement(using: &random)
                    let chosen = random.oneIn(3) ? known ?? key : key
                    let revision =
                        (world[chosen]?.owed ?? -1) + Int.random(in: 0...1, using: &random)
                    items.append(owed(chosen, max(0, revision)))
                    var one = world[chosen] ?? Owing(owed: 0)
                    one.owed = max(one.owed, max(0, revision))
                    world[chosen] = one
                }
                try await owe(store, items)
                applied.append(items)
            case 5:
                // A replay after a restart from an older checkpoint.
                if let again = applied.randomElement(using: &random) { try await owe(store, again) }
            case 6:
                try store.close()
                store = try open()
            default:
                guard let key = world.keys.sorted().randomElement(using: &random),
                    var one = world[key]
                else { continue }
                // Sometimes an answer comes for a revision that is no longer the newest.
                let revision = max(0, one.owed - (random.oneIn(4) ? 1 : 0))
                let now = Site.start + .seconds(Int64(step))
                let word = ["accepted", "accepted", "rejected", "expired", "retry"]
                    .randomElement(using: &random)!
                switch word {
                case "accepted":
                    try await store.writer.settle(owed(key, revision), outcome: .accepted, at: now)
                case "rejected":
                    try await store.writer.settle(
                        owed(key, revision), outcome: .rejected(reason: "no"), at: now)
                case "retry":
                    try await store.writer.settle(
                        owed(key, revision), outcome: .retry(after: .seconds(1), reason: "later"),
                        at: now)
                default:
                    try await store.writer.settle(
                        owed(key, revision), outcome: .expired(reason: "gone"), at: now)
                }
                if word != "retry", revision > one.settled {
                    one.settled = revision
                    one.fate = word
                    world[key] = one
                }
            }
            if step % 20 == 19 {
                let found = try await days(store)
                #expect(table(found) == reference(world), "after step \(step)")
                for uplink in uplinks.prefix(2) {
                    let open = try await store.reader.uplinkStatus(uplink: uplink).owed
                    let mine = found.filter { $0.uplink == uplink }
                    #expect(
                        mine.reduce(0) { $0 + $1.accepted + $1.rejected + $1.expired } + open
                            == mine.reduce(0) { $0 + $1.owed })
                }
            }
        }
        #expect(world.contains { $0.key.uplink.hasPrefix("feed/") })
        #expect(try await days(store, "district").allSatisfy { $0.uplink == "district" })
        try store.close()
    }

    @Test("a transaction that fails counts nothing, and its replay counts once")
    func failedTransaction() async throws {
        var store = try open()
        try await owe(store, [item(0)])
        try store.close()
        try site.meddle(
            """
            CREATE TRIGGER broken BEFORE INSERT ON cursor BEGIN SELECT RAISE(ABORT, 'broken'); END
            """)
        store = try open()
        let effects = EvaluationEffects(
            owed: [item(0), item(1), item(2)],
            checkpoint: EvaluationCheckpoint(version: 1, cursor: 7, state: [1]))
        await #expect(throws: StoreError.self) { try await store.writer.apply(effects) }
        #expect(try await days(store).map(\.owed) == [1])
        try store.close()
        try site.meddle("DROP TRIGGER broken")
        store = try open()
        for _ in 0..<2 { try await store.writer.apply(effects) }
        #expect(try await days(store).map(\.owed) == [3])
        try store.close()
    }

    @Test("an item belongs to the civil day in which its bucket begins")
    func civilDay() async throws {
        let store = try open()
        let midnight = try #require(Timestamp(rfc3339: "2026-11-22T00:00:00+08:00"))
        for start in [midnight - .seconds(900), midnight] {
            var one = item(0)
            one.start = start
            try await owe(store, [one])
        }
        let found = try await days(store)
        #expect(found.map { "\($0.day)" } == ["2026-11-21", "2026-11-22"])
        let second = try #require(CivilDate("2026-11-22"))
        let one = try await store.reader.deliveryDays(from: second, through: second)
        #expect(one.map(\.day) == [second])
        try store.close()
    }

    @Test("a file from before the counts gets them at its next start, and keeps to them")
    func olderFile() async throws {
        try FileManager.default.createDirectory(
            atPath: site.directory, withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: site.path)
        var migrator = DatabaseMigrator()
        for step in Migration.all.prefix(10) {
            migrator.registerMigration(step.identifier) { try $0.execute(sql: step.sql) }
        }
        try migrator.migrate(queue)
        let later = 300 * 86_400
        try await queue.write { db in
            // uplink, second after the start, owed, sent, settled, attempted
            let rows: [(String, Int, Int, Int, Int, Int?)] = [
                ("city", 0, 0, 0, 0, 1), ("city", 900, 0, -1, -1, nil),
                ("city", 1800, 1, 0, 0, 1), ("city", 2700, 0, -1, 0, 1),
                ("city", 3600, 0, -1, 0, nil), ("city", 4500, 0, -1, 0, 1),
                ("district", later, 2, 2, 2, 1), ("feed/phone", 0, 0, 0, 0, 1),
            ]
            for row in rows {
                try db.execute(
                    sql: """
                        INSERT INTO outbox (uplink, kind, scope, start, revision_owed,
                            revision_sent, revision_settled, due, attempted)
                        VALUES (?, 'k', 'm/i/g', ?, ?, ?, ?, 0, ?)
                        """,
                    arguments: [
                        row.0, Site.start.milliseconds + Int64(row.1) * 1000, row.2, row.3, row.4,
                        row.5,
                    ])
            }
            // The last of them was tried before it was given up: its attempt still tells.
            try db.execute(
                sql: """
                    INSERT INTO attempt (at, uplink, kind, scope, start, revision, outcome)
                    VALUES (1, 'city', 'k', 'm/i/g', ?, 0, 'expired')
                    """, arguments: [Site.start.milliseconds + 4_500_000])
        }
        try queue.close()
        for _ in 0..<2 {
            let store = try open()
            let found = try await days(store)
            #expect(found.map(\.uplink) == ["city", "district"])
            let city = try #require(found.first)
            let counts: [Int] = [
                city.owed, city.accepted, city.rejected, city.expired, city.open,
            ]
            #expect(counts == [6, 1, 1, 2, 2])
            #expect(found.last?.owed == 1)
            #expect(found.last?.accepted == 1)
            try store.close()
        }
    }

    @Test("counts live as long as days, and an item that is older than them begins no day anew")
    func retention() async throws {
        let store = try open()
        let day = 96
        try await owe(store, [item(0), item(day), item(10 * day)])
        let now = Site.start + .seconds(12 * 86_400)
        store.judge(at: now)
        let report = try await store.writer.housekeeping(
            clock: Site.clock(Site.start + .seconds(3_650 * 86_400)),
            policy: HousekeepingPolicy(
                rawRetention: .zero, rollupRetention: [.day: .seconds(5 * 86_400)]))
        #expect(report.count(.delivery, .age) == 2)
        #expect(try await days(store).map(\.owed) == [1])
        try await store.writer.settle(item(0), outcome: .accepted, at: now)
        let kept = try await days(store)
        #expect(kept.map(\.owed) == [1])
        #expect(kept.map(\.accepted) == [0])
        try store.close()
    }
}
