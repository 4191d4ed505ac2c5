import Acquisition
import Delivery
import Foundation
import GRDB
import ServiceLifecycle
import Synchronization
import Telemetry
import TestSeeds
import Testing
import UplinkFormats
import WebAPI

@testable import Gateway
@testable import Store

@Suite("While the disk hangs, fails or lies")
struct OutageTests {
    private static func scan(_ folded: FoldedStore, _ seconds: Double) -> Scan {
        IngestionTests.scan(folded, seconds, seconds)
    }

    private static func message(_ folded: FoldedStore, _ id: UInt16, _ seconds: Double)
        -> Admission
    {
        Admission(
            scans: [scan(folded, seconds)], deliveries: [IngestionTests.mark(id)],
            holdsWindow: true)
    }

    /// What the composition tells, and a second Ingestion of the same store that tells it.
    private static func ingestion(
        _ folded: FoldedStore, _ state: UnstoredState, _ readiness: Readiness,
        _ options: Ingestion.Options = .init(), onRound: @escaping @Sendable () -> Void = {}
    ) -> Ingestion {
        Ingestion(
            store: folded.store, groups: folded.groups, wallClock: folded.clock,
            clock: folded.clock, options: options, counters: folded.counters,
            logger: FoldedStore.quiet,
            observer: state.observer(readiness: readiness, counters: folded.counters),
            onRound: onRound)
    }

    private static func ready() -> Readiness {
        let readiness = Readiness()
        for stage in Readiness.Stage.allCases { readiness.reach(stage) }
        return readiness
    }

    @Test("a used up byte budget: nothing more is stored until there is room again")
    func usedUp() async throws {
        let folded = try await IngestionTests.folded()
        defer { folded.remove() }
        let readiness = Self.ready()
        let ingestion = Self.ingestion(folded, UnstoredState(), readiness)
        func housekeep(_ bytes: Int64) async throws {
            _ = try await folded.store.writer.housekeeping(
                clock: folded.clock.read(),
                policy: HousekeepingPolicy(rawRetention: .seconds(86_400), maximumBytes: bytes))
        }
        try await folded.running([ingestion]) { _ in
            try await housekeep(1)
            #expect(folded.store.reader.isFull)
            let ticket = try await ingestion.admit(Self.message(folded, 1, 1))
            await #expect(throws: IngestionError.self) { try await ticket.committed() }
            #expect(readiness.fault?.contains("the byte budget is used up") == true)
            _ = try await ingestion.admit(Admission(scans: [Self.scan(folded, 2)]))
            await #expect(throws: IngestionError.self) {
                _ = try await ingestion.admit(Self.message(folded, 2, 3))
            }
            for _ in 0..<10 {
                folded.clock.advance(by: .seconds(1))
                try await breathe()
            }
            #expect(try await folded.journaled().isEmpty)
            try await housekeep(1 << 30)
            try await eventually("there is room again") {
                folded.clock.advance(by: .seconds(1))
                return await ingestion.isStoring
            }
            #expect(try await folded.journaled() == [Self.scan(folded, 2)])
            #expect(readiness.fault == nil)
        }
    }

    @Test("a commit of more than 20 s: pollers go on, messages are refused, all is stored once")
    func slowCommit() async throws {
        let folded = try await IngestionTests.folded()
        defer { folded.remove() }
        let readiness = Self.ready()
        let rounds = Mutex(0)
        let ingestion = Self.ingestion(
            folded, UnstoredState(), readiness, onRound: { rounds.withLock { $0 += 1 } })
        let side = try folded.side()
        try await folded.running([ingestion]) { _ in
            // Somebody else holds the lock, so the commit hangs until it is given back.
            try await side.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
            _ = try await ingestion.admit(Admission(scans: [Self.scan(folded, 0)]))
            let inFlight = try await ingestion.admit(Self.message(folded, 1, 1))
            try await eventually("the commit is under way") { await ingestion.isCommitting }
            let meanwhile = try await ingestion.admit(Self.message(folded, 2, 2))
            try await eventually("the loop waits for the limit") { folded.clock.sleepers == 1 }
            folded.clock.advance(by: .seconds(19))
            try await breathe()
            #expect(await ingestion.isStoring)
            #expect(rounds.withLock { $0 } == 0)
            folded.clock.advance(by: .seconds(1))
            try await eventually("unstored") { await !ingestion.isStoring }
            #expect(readiness.fault?.contains("20") == true)
            #expect(folded.counters.values.isUnstored)
            try await eventually("an honest round") { rounds.withLock { $0 } > 0 }
            await #expect(throws: IngestionError.self) { try await meanwhile.committed() }
            await #expect(throws: IngestionError.self) {
                _ = try await ingestion.admit(Self.message(folded, 1, 1))
            }
            _ = try await ingestion.admit(Admission(scans: [Self.scan(folded, 3)]))
            #expect(try await folded.journaled().isEmpty)
            try await side.writeWithoutTransaction { try $0.rollback() }
            // The outcome of the late commit is told: the link knows what comes again.
            #expect(try await inFlight.committed() == 1)
            try await eventually("storing again") { await ingestion.isStoring }
            #expect(readiness.fault == nil)
            // The broker sends all of it again.
            let again = try await ingestion.admit(Self.message(folded, 1, 1))
            let second = try await ingestion.admit(Self.message(folded, 2, 2))
            folded.clock.advance(by: .seconds(1))
            try await again.committed()
            try await second.committed()
            let times = try await folded.journaled().map(\.time).sorted()
            #expect(times == (0..<4).map { IngestionTests.start + .seconds($0) }, "each once")
            let entry = try #require(
                try await folded.store.reader.audit().first { $0.action == "store.unstored" })
            #expect(entry.detail.contains("no polled reading was given up"))
        }
    }

    @Test("after EIO nothing is tried on the same handle; the file is opened anew in place")
    func reopened() async throws {
        let folded = try await IngestionTests.folded()
        defer { folded.remove() }
        let readiness = Self.ready()
        let ingestion = Self.ingestion(folded, UnstoredState(), readiness)
        try await folded.running([ingestion, folded.evaluation]) { _ in
            _ = try await ingestion.admit(Self.message(folded, 1, 1))
            try await eventually("a first commit") {
                folded.store.reader.newestSequence() == 1
            }
            let pool = folded.store.reader.shared.file.pool
            let error = StoreError(
                .inputOutput, "apply", cause: "planted", disposition: .reopen)
            _ = folded.store.reader.shared.noted(error)
            // A row that reached the disk although its commit failed: acknowledged to nobody.
            try folded.execute(
                "INSERT INTO journal SELECT 2, boot, monotonic_ms, wall_ms, trust, first_ms,"
                    + " last_ms, deliveries, scans FROM journal WHERE seq = 1")
            let failed = try await ingestion.admit(Self.message(folded, 2, 2))
            await #expect(throws: StoreError.self) { try await failed.committed() }
            _ = try await ingestion.admit(Admission(scans: [Self.scan(folded, 3)]))
            #expect(readiness.fault != nil)
            folded.clock.advance(by: .seconds(1))
            try await eventually("storing again") { await ingestion.isStoring }
            #expect(folded.store.reader.shared.file.pool !== pool)
            #expect(folded.store.reader.newestSequence() == 3, "the taken number is not reused")
            let again = try await ingestion.admit(Self.message(folded, 2, 2))
            try await again.committed()
            let times = try await folded.journaled().map(\.time).sorted()
            #expect(times == (1..<4).map { IngestionTests.start + .seconds($0) })
            // Whoever follows the journal goes on with the new connections.
            try await eventually("evaluation") {
                folded.clock.advance(by: .seconds(6))
                return try await folded.store.reader.checkpoint()?.cursor ?? 0 >= 4
            }
        }
    }

    @Test("a file that stays damaged ends the gateway, marked for the next start")
    func damaged() async throws {
        let folded = try await IngestionTests.folded()
        defer { folded.remove() }
        let readiness = Self.ready()
        let ingestion = Self.ingestion(folded, UnstoredState(), readiness)
        _ = try await ingestion.admit(Admission(scans: [Self.scan(folded, 0)]))
        try await ingestion.commitNow()
        _ = try await folded.side().writeWithoutTransaction { try $0.checkpoint(.truncate) }
        let path = folded.directory + "/plumbline.sqlite"
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.write(contentsOf: Data(repeating: 0x2A, count: 8192))
        try file.close()
        _ = folded.store.reader.shared.noted(
            StoreError(.corrupt, "planted", cause: "planted", disposition: .reopen))
        #expect(FileManager.default.fileExists(atPath: path + ".suspect"))
        let attempts = Mutex(0)
        await #expect {
            try await folded.running([ingestion]) { group in
                for _ in 0..<40 where await !ingestion.isGivingUp {
                    folded.clock.advance(by: .seconds(5))
                    attempts.withLock { $0 += 1 }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        } throws: { error in
            if case .damaged? = error as? IngestionError { true } else { false }
        }
        #expect(attempts.withLock { $0 } >= 5)
        #expect(readiness.fault != nil)
    }

    @Test("what is found meanwhile goes out unstored, and again as stored under the same key")
    func liveItems() async throws {
        let folded = try await FoldedStore(
            groups: [RollupsOfTheStoreTests.group()], start: RollupsOfTheStoreTests.start,
            selections: [OwedSelection(uplink: "city", resolution: .minute)])
        defer { folded.remove() }
        let state = UnstoredState()
        let ingestion = Self.ingestion(folded, state, Self.ready())
        var random = SeededGenerator(seed: 4)
        let scans = RollupsOfTheStoreTests.stream(
            &random, group: folded.groups[0].id, scans: 6 * 12)
        let platform = Platform()
        let plan = UplinkPlan(
            uplink: "city", site: SiteID("s"), groups: folded.groups, resolution: .minute)
        let services: [any Service] = [
            Reporting(
                plan: plan, store: folded.store, transport: platform, calendar: .utc,
                clock: folded.clock, wallClock: folded.clock, policy: DeliveryPolicy(),
                logger: FoldedStore.quiet, live: state.items),
            folded.evaluation,
            VolatileEvaluation(
                evaluation: folded.evaluation, reader: folded.store.reader,
                groups: folded.groups, plans: [plan], items: state.items, feed: state.feed,
                counters: folded.counters, logger: FoldedStore.quiet),
            ingestion,
        ]
        try await folded.running(services) { _ in
            for (index, scan) in scans.enumerated() {
                if index == 6 * 4 + 3 { try folded.breakInserts(into: "journal") }
                if index == 6 * 9 + 3 {
                    try await eventually("live items of the outage") {
                        folded.clock.advance(by: .milliseconds(10))
                        return platform.unstored.count >= 5
                    }
                    try folded.mend()
                }
                _ = try await ingestion.admit(Admission(scans: [scan]))
                for _ in 0..<5 {
                    folded.clock.advance(by: .seconds(2))
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            try await eventually("every minute is stored and reported") {
                folded.clock.advance(by: .seconds(2))
                try await Task.sleep(for: .milliseconds(2))
                return platform.stored.count >= 12
            }
        }
        let (unstored, stored) = (platform.unstored, platform.stored)
        print("live items: \(unstored.count) unstored, \(stored.count) stored")
        #expect(Set(unstored.keys).isSubset(of: Set(stored.keys)))
        for (key, text) in unstored {
            #expect(text.replacing(#""stored":false"#, with: #""stored":true"#) == stored[key])
        }
    }
}

/// Keeps the last message for each key, apart for what was stored and what was not.
private final class Platform: UplinkTransport {
    private let messages = Mutex<(stored: [String: String], unstored: [String: String])>(
        ([:], [:]))

    var stored: [String: String] { messages.withLock { $0.stored } }
    var unstored: [String: String] { messages.withLock { $0.unstored } }

    let correction = CorrectionForm.replace
    let batchLimit = 1
    let bytesSent: Int64 = 0

    func send(_ items: [UplinkItem]) async -> [Outcome] {
        let message = PlumblineJSONFormat().encode(items, calendar: .utc)
        let text = String(decoding: message.payload, as: UTF8.self)
        messages.withLock {
            if text.contains(#""stored":true"#) {
                $0.stored[message.idempotencyKey] = text
            } else {
                $0.unstored[message.idempotencyKey] = text
            }
        }
        return [.accepted]
    }
}
