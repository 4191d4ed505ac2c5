import Store
import Telemetry
import TestSeeds
import Testing

@testable import Gateway

@Suite("A replay")
struct ReplayTests {
    private static func folded(restarts: Bool = false) async throws -> FoldedStore {
        let folded = try await FoldedStore(
            groups: [RollupsOfTheStoreTests.group()], start: RollupsOfTheStoreTests.start,
            selections: [OwedSelection(uplink: "boss", resolution: .hour)])
        var random = SeededGenerator(seed: 31)
        let scans = RollupsOfTheStoreTests.stream(
            &random, group: folded.groups[0].id, scans: 6 * 60 * 3)
        try await RollupsOfTheStoreTests.deliver(scans, to: folded, delay: 5, &random)
        return folded
    }

    private static func replay(
        _ folded: FoldedStore, _ change: (inout Replay.Options) -> Void = { _ in }
    ) async throws -> [Replay.Line] {
        var options = Replay.Options()
        change(&options)
        return try await Replay(
            store: folded.store, calendar: .utc, selections: folded.selections, options: options
        ).run()
    }

    @Test("of sound data changes nothing")
    func sound() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        let before = try folded.effects()
        let lines = try await Self.replay(folded)
        #expect(lines.map(\.resolution).contains(.quarterHour))
        #expect(lines.reduce(0) { $0 + $1.compared } > 12)
        #expect(lines.allSatisfy { $0.changed == 0 && $0.kept == 0 })
        let after = try folded.effects()
        #expect(after == before)
    }

    @Test("corrects a wrong rollup with the next revision, and owes it only on demand")
    func planted() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        let quarter = RollupsOfTheStoreTests.start + .seconds(900)
        let right = try #require(
            try await folded.rollup(0, .quarterHour, at: quarter))
        let hour = try #require(
            try await folded.rollup(0, .hour, at: RollupsOfTheStoreTests.start))
        try folded.execute(
            "UPDATE rollup SET sum = sum + 1 WHERE start = \(quarter.milliseconds)"
                + " AND resolution = 15")
        let owed = try folded.effects().filter { $0.hasPrefix("outbox") }
        let dry = try await Self.replay(folded) { $0.isDry = true }
        // The hour is compared with the quarters as they are stored, the wrong one among them.
        #expect(dry.reduce(0) { $0 + $1.changed } == 2)
        let still = try await folded.rollup(0, .quarterHour, at: quarter)
        #expect(still?.rollup.sum.value == right.rollup.sum.value + 1)

        let lines = try await Self.replay(folded)
        #expect(lines.reduce(0) { $0 + $1.changed } == 1, "the hour above it was right")
        let corrected = try await folded.rollup(0, .quarterHour, at: quarter)
        #expect(corrected?.rollup.sum.value == right.rollup.sum.value)
        #expect(corrected?.revision == right.revision + 1)
        let quiet = try folded.effects().filter { $0.hasPrefix("outbox") }
        #expect(quiet == owed)

        try folded.execute(
            "UPDATE rollup SET max = max + 1 WHERE resolution = 60"
                + " AND start = \(RollupsOfTheStoreTests.start.milliseconds)")
        _ = try await Self.replay(folded) { $0.resends = true }
        let again = try await folded.rollup(0, .hour, at: RollupsOfTheStoreTests.start)
        #expect(again?.rollup.maximum == hour.rollup.maximum)
        let resent = try folded.effects().filter { $0.hasPrefix("outbox") }
        #expect(resent != owed)
    }

    @Test("keeps what counted more readings than the raw data still holds, unless told otherwise")
    func fewer() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        let quarter = RollupsOfTheStoreTests.start + .seconds(900)
        try folded.execute(
            "UPDATE rollup SET count = count + 5 WHERE start = \(quarter.milliseconds)"
                + " AND resolution = 15")
        let kept = try await Self.replay(folded)
        #expect(kept.reduce(0) { $0 + $1.kept } > 0)
        #expect(kept.reduce(0) { $0 + $1.changed } <= 1)
        let believed = try await Self.replay(folded) { $0.believesFewer = true }
        #expect(believed.reduce(0) { $0 + $1.changed } >= 1)
        let sound = try await Self.replay(folded)
        #expect(sound.allSatisfy { $0.changed == 0 && $0.kept == 0 })
    }
}
