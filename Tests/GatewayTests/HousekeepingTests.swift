import GRDB
import Store
import Telemetry
import Testing

@testable import Gateway

@Suite("Housekeeping")
struct HousekeepingTests {
    /// The time of day of a virtual clock, as a guess if so wished.
    private struct Guess: WallClock {
        let clock: VirtualClock
        let isEstimated: Bool

        func read() -> ClockReading {
            var reading = clock.read()
            reading.isEstimated = isEstimated
            return reading
        }
    }

    private static func minutes(_ folded: FoldedStore) throws -> Int {
        try folded.effects().count { $0.contains("resolution:1 ") }
    }

    @Test("removes nothing by age while the time of day is a guess")
    func guessedTime() async throws {
        let folded = try await IngestionTests.folded()
        defer { folded.remove() }
        try await folded.commit([IngestionTests.scan(folded, 1), IngestionTests.scan(folded, 2)])
        try await folded.pass(.seconds(3600))
        try await folded.evaluate()
        let before = try Self.minutes(folded)
        #expect(before > 0)
        for isEstimated in [true, false] {
            let housekeeping = Housekeeping(
                store: folded.store,
                policy: HousekeepingPolicy(
                    rawRetention: .seconds(600), rollupRetention: [.minute: .seconds(600)]),
                clock: folded.clock,
                wallClock: Guess(clock: folded.clock, isEstimated: isEstimated),
                logger: FoldedStore.quiet)
            try await folded.running([housekeeping]) { _ in
                for _ in 0..<20 {
                    folded.clock.advance(by: .seconds(60))
                    try await breathe()
                }
                if isEstimated {
                    #expect(try Self.minutes(folded) == before)
                } else {
                    try await eventually("what is old goes") {
                        folded.clock.advance(by: .seconds(60))
                        return try Self.minutes(folded) == 0
                    }
                }
            }
        }
    }

    @Test("moves a long log into the file a little after the commit that has made it so")
    func longLog() async throws {
        let folded = try await IngestionTests.folded()
        defer { folded.remove() }
        let (reader, writer) = (folded.store.reader, folded.store.writer)
        func commit() async throws {
            _ = try await writer.appendAudit(
                actor: "the test", action: "filled", detail: "x", at: folded.clock.wall)
        }
        let housekeeping = Housekeeping(
            store: folded.store, policy: HousekeepingPolicy(rawRetention: .seconds(900 * 86_400)),
            clock: folded.clock, wallClock: folded.clock, logger: FoldedStore.quiet)
        try await folded.running([housekeeping]) { _ in
            try await eventually("it waits") { folded.clock.sleepers == 1 }
            for _ in 0..<2000 where reader.longLogCount == 0 { try await commit() }
            try await eventually("it has heard of the log") { folded.clock.sleepers == 2 }
            let seen = reader.longLogCount
            #expect(seen > 0)
            try await commit()
            #expect(reader.longLogCount == seen + 1, "somebody waits for this commit")
            folded.clock.advance(by: .milliseconds(100))
            // The move begins when the sleeper has woken; a commit that it has passed is short.
            var isShort = false
            for _ in 0..<1000 where !isShort {
                let before = reader.longLogCount
                try await commit()
                isShort = reader.longLogCount == before
                if !isShort { try await Task.sleep(for: .milliseconds(2)) }
            }
            #expect(isShort, "the log is short again")
        }
    }

    @Test("knows its budget a second after the start, and keeps nobody's first reading waiting")
    func firstSteps() async throws {
        let folded = try await IngestionTests.folded()
        defer { folded.remove() }
        let housekeeping = Housekeeping(
            store: folded.store, policy: HousekeepingPolicy(rawRetention: .seconds(900 * 86_400)),
            clock: folded.clock, wallClock: folded.clock, logger: FoldedStore.quiet)
        func named() throws -> Int {
            try folded.side().read {
                try Int.fetchOne($0, sql: "SELECT count(*) FROM readings_latest") ?? 0
            }
        }
        try await folded.running([housekeeping]) { _ in
            try await eventually("it waits") { folded.clock.sleepers == 1 }
            folded.clock.advance(by: .seconds(1))
            try await eventually("the first step") {
                try await folded.store.reader.statistics().budgetBytes > 0
                    && folded.clock.sleepers == 1
            }
            #expect(try named() == 0)
            try await folded.commit([IngestionTests.scan(folded, 1)])
            folded.clock.advance(by: .seconds(10))
            try await eventually("the second step") { try named() > 0 }
            try await eventually("it waits again") { folded.clock.sleepers == 1 }
            // What has been saved changes in the file only every five minutes.
            let before = try folded.side().read {
                try Row.fetchAll($0, sql: "SELECT * FROM reading_latest")
            }
            try await folded.commit([IngestionTests.scan(folded, 12)])
            folded.clock.advance(by: .seconds(60))
            try await breathe()
            let after = try folded.side().read {
                try Row.fetchAll($0, sql: "SELECT * FROM reading_latest")
            }
            #expect(before == after)
        }
    }

    @Test("verifies the store an hour after the start and each week, and counts what is damaged")
    func verification() async throws {
        let folded = try await IngestionTests.folded()
        defer { folded.remove() }
        for second in 0..<3 {
            try await folded.commit([IngestionTests.scan(folded, Double(second))])
        }
        let housekeeping = Housekeeping(
            store: folded.store, policy: HousekeepingPolicy(rawRetention: .seconds(900 * 86_400)),
            clock: folded.clock, wallClock: folded.clock, logger: FoldedStore.quiet,
            verification: BackgroundVerification(
                reader: folded.store.reader, counters: folded.counters, clock: folded.clock,
                logger: FoldedStore.quiet))
        try await folded.running([housekeeping]) { _ in
            try await eventually("the first verification") {
                folded.clock.advance(by: .seconds(60))
                return folded.counters.values.verifications == 1
            }
            #expect(folded.counters.values.damagedRows == 0)
            #expect(folded.clock.now.offset >= .seconds(3600))
            try folded.execute("UPDATE journal SET scans = zeroblob(length(scans)) WHERE seq = 2")
            folded.clock.advance(by: .seconds(6 * 86_400))
            try await breathe()
            #expect(folded.counters.values.verifications == 1)
            try await eventually("the second verification") {
                folded.clock.advance(by: .seconds(3600))
                return folded.counters.values.verifications == 2
            }
            #expect(folded.counters.values.damagedRows == 1)
        }
    }
}
