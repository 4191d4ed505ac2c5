import Delivery
import Foundation
import Store
import Synchronization
import Telemetry
import Testing
import UplinkFormats

@testable import Gateway

/// A platform that takes everything after its own time.
private final class TimedPlatform: UplinkTransport {
    private let answersAfter: Duration
    private let taken = Mutex([String]())

    init(answersAfter: Duration) { self.answersAfter = answersAfter }

    let correction = CorrectionForm.replace
    let batchLimit = 1
    let bytesSent: Int64 = 0
    var accepted: [String] { taken.withLock { $0 } }

    func send(_ items: [UplinkItem]) async -> [Outcome] {
        do { try await Task.sleep(for: answersAfter) } catch {
            return items.map { _ in .retry(after: .zero, reason: "stopped") }
        }
        taken.withLock { $0 += items.map(\.idempotencyKey) }
        return items.map { _ in .accepted }
    }
}

/// What one platform costs another. How much is printed; no test is about a time.
@Suite("Beside a slow platform", .serialized)
struct SlowNeighbourTests {
    /// `NEIGHBOUR_ROUNDS=15` for the figure.
    private static let rounds =
        ProcessInfo.processInfo.environment["NEIGHBOUR_ROUNDS"].flatMap { Int($0) } ?? 1
    private static let start = RollupsOfTheStoreTests.start
    private static let quarters = 2 * 96

    @Test("another gets every item, in the time that it takes alone")
    func cost() async throws {
        let names = (0..<Self.rounds).flatMap { ["alone-\($0)", "beside-\($0)", "slow-\($0)"] }
        let folded = try await FoldedStore(
            groups: [RollupsOfTheStoreTests.group()], start: Self.start,
            selections: names.map { OwedSelection(uplink: $0, resolution: .quarterHour) })
        defer { folded.remove() }
        folded.clock.advance(to: Self.start + .seconds(900 * Self.quarters))
        try await folded.commit(
            (0..<Self.quarters).map {
                Scan(
                    group: folded.groups[0].id, time: Self.start + .seconds(900 * $0 + 60),
                    readings: [.number(7), .number(Double($0))])
            })
        try await folded.pass(.seconds(60))
        try await folded.evaluate()

        var (alone, beside) = ([Duration](), [Duration]())
        for round in 0..<Self.rounds {
            // Each goes first as often as the other.
            for isAlone in round % 2 == 0 ? [true, false] : [false, true] {
                let platform = TimedPlatform(answersAfter: .milliseconds(5))
                let slow = TimedPlatform(answersAfter: .milliseconds(400))
                let loop = loop(folded, platform, isAlone ? "alone-\(round)" : "beside-\(round)")
                let neighbour = self.loop(folded, slow, "slow-\(round)")
                let time = try await folded.running(isAlone ? [loop] : [loop, neighbour]) { _ in
                    let begin = ContinuousClock.now
                    try await eventually("all of it", within: 120) {
                        try await Task.sleep(for: .milliseconds(1))
                        return platform.accepted.count == Self.quarters
                    }
                    return ContinuousClock.now - begin
                }
                #expect(Set(platform.accepted).count == Self.quarters)
                if isAlone {
                    alone.append(time)
                } else {
                    #expect(slow.accepted.count < Self.quarters)
                    beside.append(time)
                }
            }
        }
        let (a, b) = (alone.sorted()[alone.count / 2], beside.sorted()[beside.count / 2])
        let more = (b / a - 1) * 1000
        print(
            "torture: \(Self.quarters) items in \(a) alone, in \(b) beside a platform that answers "
                + "after 400 ms: \(Double(Int(more.rounded())) / 10) % more, "
                + "medians of \(Self.rounds)")
    }

    private func loop(
        _ folded: FoldedStore, _ platform: TimedPlatform, _ uplink: String
    ) -> Reporting {
        Reporting(
            plan: UplinkPlan(
                uplink: uplink, site: SiteID("s"), groups: folded.groups,
                resolution: .quarterHour),
            store: folded.store, transport: platform, calendar: .utc, clock: ContinuousClock(),
            wallClock: folded.clock, policy: .uplink, logger: FoldedStore.quiet)
    }
}
