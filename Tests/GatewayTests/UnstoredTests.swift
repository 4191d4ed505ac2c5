import Acquisition
import GRDB
import Store
import Synchronization
import Telemetry
import TestSeeds
import Testing

@testable import Gateway

@Suite("When nothing can be stored")
struct UnstoredTests {
    private static func scan(_ folded: FoldedStore, _ seconds: Double) -> Scan {
        IngestionTests.scan(folded, seconds, seconds)
    }

    @Test("tickets fail, messages are refused, polled scans wait in a ring and are stored later")
    func ring() async throws {
        var options = Ingestion.Options()
        options.capacity = 32
        let folded = try await IngestionTests.folded(options)
        defer { folded.remove() }
        try folded.breakInserts(into: "journal")
        try await folded.running([folded.ingestion]) { _ in
            let polled = try await folded.ingestion.admit(
                Admission(scans: [Self.scan(folded, 0)]))
            let message = Admission(
                scans: [Self.scan(folded, 1)], deliveries: [IngestionTests.mark(1)],
                holdsWindow: true)
            let ticket = try await folded.ingestion.admit(message)
            await #expect(throws: StoreError.self) { try await ticket.committed() }
            await #expect(throws: StoreError.self) { try await polled.committed() }
            #expect(await !folded.ingestion.isStoring)
            await #expect(throws: IngestionError.self) {
                _ = try await folded.ingestion.admit(
                    Admission(
                        scans: [Self.scan(folded, 1)], deliveries: [IngestionTests.mark(1)]))
            }
            // A ring of 32 readings holds 16 of these 30 scans at most; nobody is held back.
            for second in 2..<32 {
                _ = try await folded.ingestion.admit(
                    Admission(scans: [Self.scan(folded, Double(second))]))
            }
            let lost = folded.counters.values.dropped[.unstored, default: 0]
            #expect(lost >= 30)
            #expect(lost <= 34)
            #expect(try await folded.journaled().isEmpty)
            let failures = folded.counters.values.failedCommits
            try await breathe()
            #expect(folded.counters.values.failedCommits == failures, "no attempt without pause")
            try folded.mend()
            folded.clock.advance(by: .seconds(1))
            try await eventually("the store writes again") {
                folded.store.reader.newestSequence() > 0
            }
            let times = try await folded.journaled().map(\.time)
            #expect(times.count * 2 + lost == 31 * 2, "31 polled scans, each kept or counted")
            #expect(times.last == IngestionTests.start + .seconds(31))
            #expect(times == times.sorted())
            // What was not acknowledged comes again and counts once.
            let again = try await folded.ingestion.admit(
                Admission(
                    scans: [Self.scan(folded, 1)], deliveries: [IngestionTests.mark(1)],
                    holdsWindow: true))
            try await again.committed()
            let stored = try await folded.journaled()
            #expect(stored.count { $0.time == IngestionTests.start + .seconds(1) } == 1)
        }
    }

    @Test("a message that repeats one whose commit then fails is not acknowledged either")
    func repeatedWhileFailing() async throws {
        let folded = try await IngestionTests.folded()
        defer { folded.remove() }
        let ingestion = folded.ingestion
        let scan = Self.scan(folded, 1)
        func admission(_ id: UInt16) -> Admission {
            Admission(scans: [scan], deliveries: [IngestionTests.mark(id)])
        }
        let side = try folded.side()
        let first = try await ingestion.admit(admission(1))
        // Somebody else holds the lock: the commit waits, and then finds the trap.
        try await side.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
        let commit = Task { try await ingestion.commitNow() }
        try await breathe()
        let second = try await ingestion.admit(admission(2))
        try await side.writeWithoutTransaction { db in
            try db.execute(
                sql: "CREATE TRIGGER planted BEFORE INSERT ON journal "
                    + "BEGIN SELECT RAISE(ABORT, 'planted'); END")
            try db.commit()
        }
        await #expect(throws: StoreError.self) { try await commit.value }
        await #expect(throws: StoreError.self) { try await first.committed() }
        await #expect(throws: StoreError.self) { try await second.committed() }
        try folded.mend()
        try await ingestion.commitNow()
        #expect(try await folded.journaled().isEmpty)
        let third = try await ingestion.admit(admission(3))
        try await ingestion.commitNow()
        try await third.committed()
        #expect(try await folded.journaled() == [scan])
    }

    @Test("the watchdog is fed by an honest failure, and a stop says what was lost")
    func watchdog() async throws {
        let folded = try await IngestionTests.folded()
        defer { folded.remove() }
        let rounds = Mutex(0)
        let ingestion = Ingestion(
            store: folded.store, groups: folded.groups, wallClock: folded.clock,
            clock: folded.clock, options: .init(), counters: folded.counters,
            logger: FoldedStore.quiet, onRound: { rounds.withLock { $0 += 1 } })
        try folded.breakInserts(into: "journal")
        _ = try await ingestion.admit(Admission(scans: [Self.scan(folded, 0)]))
        await #expect(throws: IngestionError.self) {
            try await folded.running([ingestion]) { _ in
                folded.clock.advance(by: .seconds(1))
                try await eventually("a failed commit") {
                    folded.counters.values.failedCommits > 0
                }
                try await eventually("the watchdog is fed") { rounds.withLock { $0 } > 0 }
            }
        }
        #expect(folded.counters.values.dropped[.unstored] == 2)
    }

    @Test("evaluation waits for the store and loses no effect")
    func evaluationWaits() async throws {
        var contents: [[String]] = []
        for isBroken in [false, true] {
            let folded = try await FoldedStore(
                groups: [RollupsOfTheStoreTests.group()], start: RollupsOfTheStoreTests.start,
                selections: [OwedSelection(uplink: "city", resolution: .minute)])
            defer { folded.remove() }
            var random = SeededGenerator(seed: 9)
            let scans = RollupsOfTheStoreTests.stream(
                &random, group: folded.groups[0].id, scans: 6 * 20)
            if isBroken { try folded.breakInserts(into: "rollup") }
            try await folded.running([folded.evaluation]) { _ in
                for minute in 0..<20 {
                    folded.clock.advance(by: .seconds(60))
                    try await folded.commit(Array(scans[minute * 6..<minute * 6 + 6]))
                    try await Task.sleep(for: .milliseconds(1))
                }
                try await folded.pass(.seconds(40))
                if isBroken {
                    try await breathe()
                    #expect(try folded.effects().isEmpty)
                    try folded.mend()
                }
                try await eventually("all effects are stored") {
                    folded.clock.advance(by: .seconds(6))
                    return try folded.effects().count { $0.hasPrefix("outbox") } == 20
                }
            }
            contents.append(try folded.effects())
        }
        let isEqual = contents[0] == contents[1]
        #expect(isEqual)
        #expect(contents[0].count > 40)
    }
}
