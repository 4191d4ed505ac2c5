import Delivery
import ServiceLifecycle
import Store
import Synchronization
import Telemetry
import Testing
import UplinkFormats

@testable import Gateway

/// A platform whose answers a test decides.
private final class ScriptedPlatform: UplinkTransport {
    typealias Answer = @Sendable (UplinkItem) async -> Outcome

    private let answer: Answer
    private let taken = Mutex([UplinkItem]())
    private let calls = Mutex([UplinkItem]())

    init(_ answer: @escaping Answer = { _ in .accepted }) { self.answer = answer }

    let correction = CorrectionForm.replace
    let batchLimit = 1
    let bytesSent: Int64 = 0
    var accepted: [UplinkItem] { taken.withLock { $0 } }
    var attempts: [UplinkItem] { calls.withLock { $0 } }

    func send(_ items: [UplinkItem]) async -> [Outcome] {
        var outcomes: [Outcome] = []
        for item in items {
            calls.withLock { $0.append(item) }
            let outcome = await answer(item)
            if outcome == .accepted { taken.withLock { $0.append(item) } }
            outcomes.append(outcome)
        }
        return outcomes
    }
}

/// A wall clock that nobody has set.
private struct UnsetClock: WallClock {
    let clock: VirtualClock

    func read() -> ClockReading {
        var reading = clock.read()
        reading.isTrusted = false
        return reading
    }
}

@Suite("The loop of a platform")
struct PlatformLoopTests {
    private static let start = RollupsOfTheStoreTests.start

    /// A store with some hours of one group, reported by quarters to the named platforms.
    private static func folded(
        _ names: [String] = ["city"], hours: Int = 3
    ) async throws -> FoldedStore {
        let folded = try await FoldedStore(
            groups: [RollupsOfTheStoreTests.group()], start: start,
            selections: names.map { OwedSelection(uplink: $0, resolution: .quarterHour) })
        let group = folded.groups[0].id
        for quarter in 0..<(hours * 4) {
            let scans = (0..<15).map { minute in
                let time = start + .seconds(900 * quarter + 60 * minute)
                return Scan(
                    group: group, time: time,
                    readings: [.number(7), .number(Double(15 * quarter + minute))])
            }
            folded.clock.advance(to: start + .seconds(900 * (quarter + 1)))
            try await folded.commit(scans)
        }
        try await folded.pass(.seconds(60))
        try await folded.evaluate()
        return folded
    }

    private func loop(
        _ folded: FoldedStore, _ platform: ScriptedPlatform, uplink: String = "city",
        wallClock: (any WallClock)? = nil, _ policy: DeliveryPolicy = .uplink
    ) -> Reporting {
        Reporting(
            plan: UplinkPlan(
                uplink: uplink, site: SiteID("s"), groups: folded.groups,
                resolution: .quarterHour),
            store: folded.store, transport: platform, calendar: .utc, clock: folded.clock,
            wallClock: wallClock ?? folded.clock, policy: policy, logger: FoldedStore.quiet)
    }

    /// Lets virtual time pass until something holds.
    private func passing(
        _ folded: FoldedStore, _ what: Comment, _ condition: () async throws -> Bool
    ) async throws {
        try await eventually(what) {
            folded.clock.advance(by: .seconds(1))
            try await Task.sleep(for: .milliseconds(1))
            return try await condition()
        }
    }

    @Test("an item that fails while others pass is set aside with its reason, and the rest goes on")
    func poison() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        let poison = Self.start + .seconds(900 * 3)
        let platform = ScriptedPlatform { item in
            item.start == poison ? .retry(after: .seconds(2), reason: "HTTP 500") : .accepted
        }
        var policy = DeliveryPolicy.uplink
        policy.tries = 3
        // New quarters come in: only they show that the platform is there.
        var minute = 12 * 15
        func reasons() async throws -> [String] {
            try await folded.store.reader.deliveryReasons(
                uplink: "city", from: Self.start, to: Self.start + .seconds(7 * 86_400)
            ).map { "\($0)" }
        }
        try await folded.running([folded.evaluation, loop(folded, platform, policy)]) { _ in
            try await eventually("it is set aside", within: 30) {
                try await folded.commit([
                    Scan(
                        group: folded.groups[0].id, time: folded.clock.wall,
                        readings: [.number(7), .number(Double(minute))])
                ])
                minute += 1
                for _ in 0..<12 {
                    folded.clock.advance(by: .seconds(5))
                    try await Task.sleep(for: .milliseconds(1))
                }
                return try await reasons().contains {
                    $0.contains("attempts failed while others passed")
                }
            }
            try await passing(folded, "the rest") {
                try await folded.store.reader.uplinkStatus(uplink: "city").owed == 0
            }
        }
        let starts = platform.accepted.map(\.start)
        #expect(platform.attempts.count { $0.start == poison } >= 3)
        #expect(!starts.contains(poison) && starts.contains(poison + .seconds(900)))
        #expect(Set(starts).count == starts.count)
    }

    @Test("nothing goes out before the time of day is known, and everything after it")
    func clock() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        let platform = ScriptedPlatform()
        let unset = UnsetClock(clock: folded.clock)
        try await folded.running([loop(folded, platform, wallClock: unset)]) { _ in
            for _ in 0..<50 {
                folded.clock.advance(by: .seconds(10))
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        #expect(platform.attempts.isEmpty)
        try await folded.running([loop(folded, platform)]) { _ in
            try await passing(folded, "the backlog") { platform.accepted.count == 12 }
        }
        #expect(Set(platform.accepted.map(\.idempotencyKey)).count == 12)
    }

    @Test("a platform that never answers costs the others nothing")
    func hanging() async throws {
        let folded = try await Self.folded(["city", "district"])
        defer { folded.remove() }
        let hanging = ScriptedPlatform { _ in
            // Until the loop is stopped.
            while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
            return .retry(after: .seconds(1), reason: "hung up")
        }
        let healthy = ScriptedPlatform()
        try await folded.running(
            [loop(folded, hanging), loop(folded, healthy, uplink: "district")]
        ) { _ in
            try await passing(folded, "the other platform") { healthy.accepted.count == 12 }
        }
        #expect(hanging.accepted.isEmpty)
        // The newest quarter is live and goes first; the backlog follows in its order.
        let starts = healthy.accepted.map(\.start)
        let rest = Array(starts.dropFirst())
        #expect(starts.first == starts.max() && rest == rest.sorted())
    }
}
