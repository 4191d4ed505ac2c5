import Acquisition
import Foundation
import Logging
import Store
import Synchronization
import Telemetry
import Testing

@testable import Gateway

/// A machine that boots with whatever wall clock a test wants.
final class StepClock: WallClock, Sendable {
    struct State {
        var bootID: String
        var monotonic: Int64
        var wall: Timestamp
        var isSynchronised = false
    }

    // A mutex, because the gateway reads it from tasks of its own.
    let state: Mutex<State>

    init(boot: String, monotonic: Int64 = 4_321, wall: Timestamp = Timestamp(milliseconds: 7_000)) {
        state = Mutex(State(bootID: boot, monotonic: monotonic, wall: wall))
    }

    func read() -> ClockReading {
        state.withLock {
            ClockReading(
                bootID: $0.bootID, monotonic: $0.monotonic, wall: $0.wall,
                isTrusted: $0.isSynchronised)
        }
    }

    func pass(_ milliseconds: Int64) {
        state.withLock {
            $0.monotonic += milliseconds
            $0.wall.milliseconds += milliseconds
        }
    }

    func synchronise(_ wall: Timestamp) {
        state.withLock {
            $0.wall = wall
            $0.isSynchronised = true
        }
    }
}

/// One run of the gateway's first two loops over a store that outlives it.
struct TimedRun {
    static let built = Timestamp(rfc3339: "2026-11-01T00:00:00Z")!
    static let period = Duration.seconds(10)

    static let group: ScanGroup = {
        let id = SeriesID(device: DeviceID("meter"), point: PointKey("power.active"))
        return ScanGroup(
            device: DeviceID("meter"), interface: "rs485", name: "fast",
            series: [Series(id: id, kind: .gauge, unit: "kW")], period: period, isPolled: true)
    }()

    let machine: StepClock
    let store: Store
    let groups: [ScanGroup]
    let clock: TrustedWallClock
    let ingestion: Ingestion
    let counters = GatewayCounters()
    var schedule: PollSchedule

    init(_ directory: String, _ machine: StepClock) async throws {
        self.machine = machine
        store = try Store.open(
            StoreOptions(directory: directory, durability: .process), calendar: .utc)
        groups = try await store.writer.register([Self.group])
        var rules = TrustedClock.Rules(trust: .kernel)
        rules.notBefore = Self.built
        clock = try await TrustedWallClock.starting(
            machine, rules: rules, store: store, groups: groups, logger: FoldedStore.quiet)
        ingestion = Ingestion(
            store: store, groups: groups, wallClock: clock,
            clock: VirtualClock(start: Self.built), options: .init(), counters: counters,
            logger: FoldedStore.quiet)
        schedule = PollSchedule([.init(unit: 1, period: Self.period)], start: clock.read())
    }

    /// Polls so many slots, and commits every third.
    mutating func poll(_ slots: Int, value: Double) async throws {
        var polled = 0
        while polled < slots {
            let now = clock.read()
            schedule.follow(now)
            guard case .poll(_, let slot) = schedule.next(now: now.wall) else {
                machine.pass(500)
                continue
            }
            polled += 1
            _ = try await ingestion.admit(
                Admission(scans: [
                    Scan(
                        group: groups[0].id, time: slot, flags: now.scanFlags,
                        readings: [.number(value + Double(polled))])
                ]))
            if polled % 3 == 0 { try await ingestion.commitNow() }
        }
    }

    func scans() async throws -> [Scan] {
        try await store.reader.scans(
            group: groups[0].id, from: Timestamp(milliseconds: .min),
            to: Timestamp(milliseconds: .max))
    }

    func evaluate() async throws {
        let machine = EvaluationMachine(
            groups: groups, rules: [], calendar: .utc, selections: [])
        try await Evaluation(
            store: store, machine: machine, calendar: .utc,
            clock: VirtualClock(start: Self.built), logger: FoldedStore.quiet
        ).catchUp()
    }
}

@Suite("Time of day")
struct TimeTests {
    static let now = Timestamp(rfc3339: "2026-11-21T07:03:33.217Z")!

    private func folder() -> String {
        FileManager.default.temporaryDirectory
            .appending(path: "plumbline-\(UUID().uuidString)").path(percentEncoded: false)
    }

    @Test("what is read from 1970 on appears at its true slots, once, when the clock is right")
    func epoch() async throws {
        let directory = folder()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var run = try await TimedRun(directory, StepClock(boot: "a"))
        try await run.poll(50, value: 0)
        #expect(try await run.scans().isEmpty, "nobody sees readings of 1970")
        #expect(run.store.reader.newestSequence() > 15, "they are on the disk")
        run.machine.synchronise(Self.now)
        try await run.poll(110, value: 1000)
        run.machine.pass(60_000)
        try await run.ingestion.commitNow()
        let scans = try await run.scans()
        #expect(scans.count == 160)
        for (before, after) in zip(scans, scans.dropFirst()) {
            #expect(after.time - before.time == TimedRun.period)
        }
        #expect(scans.allSatisfy { $0.flags.isEmpty && $0.sequence == 0 })
        #expect(scans.map(\.readings).prefix(3) == [1, 2, 3].map { [.number($0)] }.prefix(3))
        let first = try #require(scans.first)
        #expect(
            (Self.now - first.time) >= .seconds(490) && (Self.now - first.time) < .seconds(510))
        try await run.evaluate()
        let rollups = try await run.store.reader.rollups(
            series: run.groups[0].series[0].number, resolution: .quarterHour,
            from: Timestamp(milliseconds: 0), to: Self.now + .seconds(86_400))
        #expect(rollups.map(\.rollup.count).reduce(0, +) <= 160)
        #expect(rollups.contains { $0.rollup.count == 90 }, "a whole quarter, a part of it of 1970")
        #expect(rollups.allSatisfy { $0.bucket.start > Self.now - .seconds(3600) })
        #expect(run.counters.values.dropped.values.allSatisfy { $0 == 0 })
        try run.store.close()
    }

    @Test("a process that ends before the time is known leaves its readings to the next")
    func restartInTheBoot() async throws {
        let directory = folder()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let machine = StepClock(boot: "a")
        var first = try await TimedRun(directory, machine)
        try await first.poll(30, value: 0)
        try first.store.close()
        machine.pass(5_000)
        var second = try await TimedRun(directory, machine)
        try await second.poll(30, value: 100)
        #expect(try await second.scans().isEmpty)
        machine.synchronise(Self.now)
        try await second.poll(3, value: 200)
        let scans = try await second.scans()
        #expect(scans.count == 63)
        #expect(Set(scans.map(\.time)).count == 63)
        #expect(scans.allSatisfy { $0.flags.isEmpty })
        // The third process of the boot knows the time at once, whatever the clock shows.
        try second.store.close()
        machine.synchronise(Timestamp(milliseconds: 0))
        let third = try await TimedRun(directory, machine)
        #expect(third.clock.read().isTrusted)
        #expect(third.clock.read().wall >= Self.now)
        #expect(third.clock.status.isStepDisbelieved)
        try third.store.close()
    }

    @Test("a boot that ended before the time was known gets estimated times, after what was stored")
    func lostBoot() async throws {
        let directory = folder()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let good = StepClock(boot: "a", wall: Self.now)
        good.synchronise(Self.now)
        var first = try await TimedRun(directory, good)
        try await first.poll(30, value: 0)
        let stored = first.clock.read().wall
        try first.store.close()
        for boot in ["b", "c"] {
            var run = try await TimedRun(directory, StepClock(boot: boot))
            try await run.poll(30, value: 100)
            try run.store.close()
        }
        let last = StepClock(boot: "d", wall: Self.now + .seconds(86_400))
        last.synchronise(Self.now + .seconds(86_400))
        var run = try await TimedRun(directory, last)
        var scans = try await run.scans()
        #expect(scans.count == 90)
        #expect(Set(scans.map(\.time)).count == 90)
        let estimated = scans.filter { $0.flags.contains(.timeEstimated) }
        #expect(estimated.count == 60)
        #expect(estimated.allSatisfy { $0.time >= stored.slot(every: TimedRun.period) })
        try await run.poll(30, value: 500)
        try await run.evaluate()
        scans = try await run.scans()
        #expect(scans.count == 120)
        #expect(scans.last?.readings == [.number(530)])
        #expect(
            try await run.store.reader.checkpoint()?.cursor == run.store.reader.newestSequence(),
            "no boot holds the evaluation up")
        try run.store.close()
    }

    @Test("a message with a time of its own gets its arrival while there is no time of day")
    func deviceTime() async throws {
        let directory = folder()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let run = try await TimedRun(directory, StepClock(boot: "a"))
        let scan = Scan(
            group: run.groups[0].id, time: Self.now, readings: [.number(1)])
        _ = try await run.ingestion.admit(Admission(scans: [scan, scan]))
        try await run.ingestion.commitNow()
        #expect(run.counters.values.dropped[.duplicate] == 1)
        run.machine.synchronise(Self.now)
        try await run.ingestion.commitNow()
        let scans = try await run.scans()
        #expect(scans.map(\.flags) == [.arrivalTime])
        #expect(scans.map(\.time) == [Self.now.slot(every: TimedRun.period)])
        try run.store.close()
    }

    @Test("after ten minutes without a word the readings are stamped as estimated, and go on so")
    func nobodyConfirms() async throws {
        let directory = folder()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var run = try await TimedRun(directory, StepClock(boot: "a"))
        try await run.poll(90, value: 0)
        let scans = try await run.scans()
        #expect(scans.count == 90)
        #expect(Set(scans.map(\.time)).count == 90)
        #expect(scans.allSatisfy { $0.flags == .timeEstimated && $0.time >= TimedRun.built })
        #expect(run.clock.status.state == .estimated)
        run.machine.synchronise(Self.now)
        try await run.poll(3, value: 500)
        let later = try await run.scans().filter { $0.flags.isEmpty }
        #expect(later.count == 3 && later.allSatisfy { $0.time >= Self.now - .seconds(10) })
        try run.store.close()
    }
}
