import Acquisition
import Delivery
import ServiceLifecycle
import Store
import Synchronization
import Telemetry
import Testing
import UplinkFormats

@testable import Gateway

/// A platform that is away for some hours and refuses one item for good.
private final class FakePlatform: UplinkTransport {
    struct Arrival: Hashable {
        var key: String
        var start: Timestamp
        var revision: Int
        var at: Timestamp
    }

    private let clock: VirtualClock
    let outage: Range<Timestamp>
    let poison: Timestamp
    private let state = Mutex((arrivals: [Arrival](), refusals: 0, knocks: 0))

    init(clock: VirtualClock, outage: Range<Timestamp>, poison: Timestamp) {
        self.clock = clock
        self.outage = outage
        self.poison = poison
    }

    var arrivals: [Arrival] { state.withLock { $0.arrivals } }
    var refusals: Int { state.withLock { $0.refusals } }
    /// Attempts during the outage.
    var knocks: Int { state.withLock { $0.knocks } }

    let correction = CorrectionForm.replace
    let batchLimit = 1
    let bytesSent: Int64 = 0

    func send(_ items: [UplinkItem]) async -> [Outcome] { items.map(outcome) }

    private func outcome(of item: UplinkItem) -> Outcome {
        let now = clock.wall
        return state.withLock { state in
            if outage.contains(now) {
                state.knocks += 1
                return .retry(after: .seconds(30), reason: "away")
            }
            if item.start == poison {
                state.refusals += 1
                return .rejected(reason: "poison")
            }
            state.arrivals.append(
                Arrival(
                    key: item.idempotencyKey, start: item.start, revision: item.revision, at: now))
            return .accepted
        }
    }
}

@Suite("A week of one group, in seconds")
struct WeekTests {
    private static let start = RollupsOfTheStoreTests.start
    private static let days = 7
    private static let poll = 900

    @Test(
        "everything owed arrives once by key and revision, live before backlog, late ones corrected"
    )
    func week() async throws {
        var group = RollupsOfTheStoreTests.group()
        group.period = .seconds(Self.poll)
        let folded = try await FoldedStore(
            groups: [group], start: Self.start,
            selections: [OwedSelection(uplink: "city", resolution: .quarterHour)])
        defer { folded.remove() }
        func at(_ hours: Int) -> Timestamp { Self.start + .seconds(hours * 3600) }
        let platform = FakePlatform(
            clock: folded.clock, outage: at(50)..<(at(57) + .seconds(10)), poison: at(100))
        let late = at(80) + .seconds(Self.poll)
        try await folded.running(services(folded, platform)) { _ in
            var held: Scan?
            for step in 0...(Self.days * 86_400 / Self.poll) {
                let time = Self.start + .seconds(step * Self.poll)
                folded.clock.advance(to: time)
                let scan = Scan(
                    group: folded.groups[0].id, time: time,
                    readings: [.number(Double(step % 97)), .number(Double(step))])
                var scans = [scan]
                if time == late { (held, scans) = (scan, []) }
                // Two hours later, after the platform has accepted the quarter without it.
                if time == late + .seconds(7200), let held { scans.append(held) }
                _ = try await folded.ingestion.admit(Admission(scans: scans))
                try await tick(folded, by: .seconds(1))
                // Evaluation writes every five seconds.
                try await tick(folded, by: .seconds(6))
                if time == at(57) { try await owesTheNewest(folded, at: time) }
                try await tick(folded, by: .seconds(45))
            }
            try await eventually("nothing is owed any more") {
                try await tick(folded, by: .seconds(60))
                let status = try await folded.store.reader.uplinkStatus(uplink: "city")
                return status.owed == 0 && platform.arrivals.contains { $0.revision > 0 }
            }
        }
        try await check(folded, platform, late: late, end: at(24 * Self.days))
    }

    /// Moves time on and lets every loop do what that brings.
    private func tick(_ folded: FoldedStore, by duration: Duration) async throws {
        folded.clock.advance(by: duration)
        // Ingestion, evaluation, reporting and housekeeping each wait for the clock.
        try await eventually("the loops rest") { folded.clock.sleepers == 4 }
    }

    /// The platform is about to come back: a live item shall wait beside the backlog by then.
    private func owesTheNewest(_ folded: FoldedStore, at time: Timestamp) async throws {
        try await eventually("the newest quarter is owed") {
            try await folded.store.reader.owedItems(
                uplink: "city", now: time + .seconds(60), correctionSpacing: .zero,
                liveSince: time - .seconds(900), live: true, limit: 1
            ).count == 1
        }
    }

    private func services(_ folded: FoldedStore, _ platform: FakePlatform) -> [any Service] {
        let day = Duration.seconds(86_400)
        return [
            Reporting(
                plan: UplinkPlan(
                    uplink: "city", site: SiteID("s"), groups: folded.groups,
                    resolution: .quarterHour),
                store: folded.store, transport: platform, calendar: .utc, clock: folded.clock,
                wallClock: folded.clock, policy: DeliveryPolicy(), logger: FoldedStore.quiet),
            Housekeeping(
                store: folded.store,
                policy: HousekeepingPolicy(
                    rawRetention: day * 2, rollupRetention: [.minute: day],
                    maximumRowsPerStep: 50),
                clock: folded.clock, wallClock: folded.clock, logger: FoldedStore.quiet),
            folded.evaluation,
            folded.ingestion,
        ]
    }

    private func check(
        _ folded: FoldedStore, _ platform: FakePlatform, late: Timestamp, end: Timestamp
    ) async throws {
        let arrivals = platform.arrivals
        var starts: Set<Timestamp> = []
        var time = Self.start
        while time < end {
            if time != platform.poison { starts.insert(time) }
            time = time + .seconds(900)
        }
        // A correction that comes before its first version has been sent stands for both.
        let arrived = Set(arrivals.map(\.start).filter { $0 < end })
        #expect(arrived == starts, "every quarter but the poisoned one")
        let names = arrivals.map { "\($0.key) \($0.revision)" }
        #expect(Set(names).count == names.count, "no revision twice")
        #expect(platform.refusals == 1, "what is refused is set aside")

        // The correction came after the first version, for the quarter of the late reading.
        let quarter = late.slot(every: .seconds(900))
        let versions = arrivals.filter { $0.start == quarter }
        #expect(versions.count == 2)
        #expect(versions.map(\.revision) == versions.map(\.revision).sorted())
        #expect(try #require(versions.last).at >= late + .seconds(7200))

        // After the outage the live quarter is first, then the backlog in its order.
        let after = arrivals.filter { $0.at >= platform.outage.upperBound }
        let backlog = after.prefix { $0.at < platform.outage.upperBound + .seconds(900) }
        let live = platform.outage.upperBound - .seconds(910)
        #expect(try #require(backlog.first).start >= live)
        let old = backlog.map(\.start).filter { $0 < live }
        #expect(old.count >= 24)
        #expect(old == old.sorted())
        #expect(platform.knocks <= 7 * 60, "one knock a minute, not the whole backlog")

        // Old raw data and old minutes have gone, what was reported has not.
        let oldest = try await folded.journaled().map(\.time).min()
        #expect(try #require(oldest) > end - .seconds(3 * 86_400))
        let minutes = try await folded.store.reader.rollups(
            series: folded.groups[0].series[0].number, resolution: .minute, from: Self.start,
            to: end)
        #expect(minutes.count <= 2 * 1440)
        let days = try await folded.store.reader.rollups(
            series: folded.groups[0].series[1].number, resolution: .day, from: Self.start, to: end)
        #expect(days.map(\.rollup.increase?.double) == Array(repeating: 96, count: Self.days))
    }
}
