import Delivery
import ServiceLifecycle
import Store
import Synchronization
import Telemetry
import Testing
import UplinkFormats

@testable import Gateway

/// A platform that comes back after a month, and that breaks off again and again.
private final class ReturningPlatform: UplinkTransport {
    private let state = Mutex((taken: [UplinkItem](), calls: 0))

    let correction = CorrectionForm.replace
    let batchLimit = 1
    let bytesSent: Int64 = 0
    var taken: [UplinkItem] { state.withLock { $0.taken } }

    func send(_ items: [UplinkItem]) async -> [Outcome] {
        items.map { item in
            state.withLock { state in
                state.calls += 1
                // Now and then nobody answers.
                if state.calls % 331 == 0 { return .retry(after: .zero, reason: "broke off") }
                state.taken.append(item)
                return .accepted
            }
        }
    }
}

@Suite("A platform that was away for thirty days")
struct MonthTests {
    private static let start = RollupsOfTheStoreTests.start
    private static let days = 30
    private static let quarters = days * 96

    private static func group(_ device: String) -> ScanGroup {
        ScanGroup(
            device: DeviceID(device), interface: "rs485", name: "fast",
            series: [
                Series(
                    id: SeriesID(device: DeviceID(device), point: PointKey("power")), kind: .gauge,
                    unit: "W")
            ], period: .seconds(900), isPolled: true)
    }

    private static func read(_ folded: FoldedStore, _ quarters: Range<Int>) async throws {
        let scans = quarters.flatMap { quarter in
            folded.groups.map {
                Scan(
                    group: $0.id, time: start + .seconds(900 * quarter + 5),
                    readings: [.number(Double(quarter % 50))])
            }
        }
        folded.clock.advance(to: start + .seconds(900 * quarters.upperBound + 30))
        try await folded.commit(scans)
        try await folded.pass(.seconds(30))
        try await folded.evaluate()
    }

    @Test(
        "gets every item once by its key, what is new first, and the past of each device in order")
    func month() async throws {
        let devices = ["a", "b", "c"]
        let folded = try await FoldedStore(
            groups: devices.map(Self.group), start: Self.start,
            selections: [OwedSelection(uplink: "city", resolution: .quarterHour)])
        defer { folded.remove() }
        for day in 0..<Self.days {
            try await Self.read(folded, (96 * day)..<(96 * (day + 1)))
        }
        let owed = try await folded.store.reader.uplinkStatus(uplink: "city").owed
        #expect(owed == Self.quarters * devices.count)
        let platform = ReturningPlatform()
        let loop = Reporting(
            plan: UplinkPlan(
                uplink: "city", site: SiteID("s"), groups: folded.groups,
                resolution: .quarterHour),
            store: folded.store, transport: platform, calendar: .utc, clock: folded.clock,
            wallClock: folded.clock, policy: .uplink, logger: FoldedStore.quiet)
        try await folded.running([loop]) { _ in
            try await eventually("a part of the month", within: 60) {
                folded.clock.advance(by: .milliseconds(10))
                return platform.taken.count > 1000
            }
            try await Self.read(folded, Self.quarters..<(Self.quarters + 1))
            try await eventually("all of it", within: 120) {
                folded.clock.advance(by: .milliseconds(50))
                return try await folded.store.reader.uplinkStatus(uplink: "city").owed == 0
            }
        }
        let taken = platform.taken
        #expect(taken.count == (Self.quarters + 1) * devices.count)
        #expect(Set(taken.map(\.idempotencyKey)).count == taken.count)
        let newest = Self.start + .seconds(900 * (Self.quarters - 1))
        let live = taken.indices.filter { taken[$0].start > newest }
        #expect(live.count == 3 && (live.max() ?? .max) < taken.count - 1000)
        for device in devices {
            let first = taken.first { $0.device == DeviceID(device) }
            #expect(first?.start == newest && first?.isBacklog == false, "what is live goes first")
            let past = taken.filter { $0.isBacklog && $0.device == DeviceID(device) }.map(\.start)
            #expect(past.count == Self.quarters - 1 && past == past.sorted())
        }
    }
}
