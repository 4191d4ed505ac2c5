import Delivery
import FieldLinks
import Foundation
import ServiceLifecycle
import Store
import Telemetry
import TestPeers
import Testing
import UplinkFormats

@testable import Gateway

private struct MachineWall: WallClock {
    func read() -> ClockReading {
        ClockReading(
            bootID: "test", monotonic: 0,
            wall: Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)),
            isTrusted: true)
    }
}

private struct NoHistory: UplinkHistory {
    func items(
        of request: HistoryRequest, after: Timestamp?, limit: Int
    ) async throws -> [UplinkItem] { [] }
}

/// Days of quarters of one dust station, told over HJ 212 to the judging host. How fast is printed
/// beside what the host takes of a client that has everything in memory; no test is about a time.
@Suite("The pace of a backlog", .serialized)
struct BacklogPaceTests {
    /// `BACKLOG_DAYS=30` for the figure.
    private static let days =
        ProcessInfo.processInfo.environment["BACKLOG_DAYS"].flatMap { Int($0) } ?? 2
    private static let mn = "010000A8900016F000169DC0"
    private static let calendar = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
    private static let series = Series(
        id: SeriesID(device: DeviceID("dust-1"), point: PointKey("pm10")), kind: .gauge,
        unit: "ug/m3")

    private static func judged<R: Sendable>(
        _ body: @Sendable (JudgingPlatform, TCPUplinkTransport) async throws -> R
    ) async throws -> R {
        try await withJudgingPlatform(
            "hj212_host.py",
            ["--pw", "123456", "--mn", mn, "--st", "39", "--min-interval", "15", "--port", "0"]
        ) { platform in
            try await body(
                platform,
                TCPUplinkTransport(
                    try .init(host: "127.0.0.1", port: platform.port),
                    conversation: HJ212Conversation(
                        HJ212Options(password: "123456"),
                        stations: [HJ212Station(scope: mn, mn: mn)], calendar: calendar),
                    clock: LinkClock(ContinuousClock()), wallClock: MachineWall(),
                    history: NoHistory(), keep: { _ in }))
        }
    }

    /// Items a second, of a client that has nothing else to do.
    private static func ceiling(_ start: Timestamp, count: Int) async throws -> Double {
        try await judged { _, transport in
            try await withThrowingTaskGroup(of: Double?.self) { group in
                group.addTask {
                    await transport.run()
                    return nil
                }
                group.addTask {
                    try await eventually("the connection", within: 20) {
                        await transport.tryOut(SiteID("s"), at: start) == .open
                            || transport.bytesSent > 0
                    }
                    let begin = ContinuousClock.now
                    for index in 0..<count {
                        var rollup = Rollup(expected: 1)
                        let at = start + .seconds(900 * index)
                        rollup.add(.number(80), at: at)
                        let item = UplinkItem(
                            site: SiteID("s"), kind: "2051/15min", scope: mn, device: nil,
                            start: at, end: at + .seconds(900), revision: 0,
                            entries: [
                                .init(
                                    series: series, rollup: rollup,
                                    point: UplinkPoint(name: "a34002"))
                            ])
                        #expect(await transport.send(item) == .accepted)
                    }
                    let seconds = (ContinuousClock.now - begin) / .seconds(1)
                    transport.stop()
                    return Double(count) / seconds
                }
                var pace = 0.0
                for try await found in group { pace = found ?? pace }
                return pace
            }
        }
    }

    @Test("every item arrives once, and the platform sets the pace")
    func pace() async throws {
        let now = MachineWall().read().wall
        let start = now.slot(every: .seconds(86_400)) - .seconds(86_400 * (Self.days + 1))
        let group = ScanGroup(
            device: DeviceID("dust-1"), interface: "rs485", name: "fast", series: [Self.series],
            period: .seconds(900), isPolled: true)
        @Sendable func plan(_ group: ScanGroup) -> UplinkPlan {
            UplinkPlan(
                uplink: "city", site: SiteID("s"),
                subjects: [
                    .init(
                        scope: Self.mn, device: group.device,
                        members: group.series.map {
                            .init(group: group, series: $0, point: UplinkPoint(name: "a34002"))
                        })
                ], kinds: ["2051/15min"], hasStations: true)
        }
        let folded = try await FoldedStore(
            groups: [group], start: start, selections: [plan(group).selection])
        defer { folded.remove() }
        for day in 0..<Self.days {
            folded.clock.advance(to: start + .seconds(86_400 * (day + 1) + 30))
            try await folded.commit(
                (0..<96).map {
                    Scan(
                        group: folded.groups[0].id,
                        time: start + .seconds(86_400 * day + 900 * $0 + 5),
                        readings: [.number(80)])
                })
            try await folded.pass(.seconds(60))
            try await folded.evaluate()
        }
        let count = Self.days * 96
        let ceiling = try await Self.ceiling(start, count: min(count, 500))
        try await Self.judged { platform, transport in
            let loop = Reporting(
                plan: plan(folded.groups[0]), store: folded.store, transport: transport,
                calendar: Self.calendar, clock: ContinuousClock(), wallClock: MachineWall(),
                policy: .uplink, logger: FoldedStore.quiet)
            let line = Running(
                start: { await transport.run() }, stop: { transport.stop() })
            let seconds = try await folded.running([line, loop]) { _ in
                try await eventually("the first item", within: 30) {
                    try await folded.store.reader.uplinkStatus(uplink: "city").accepted > 0
                }
                let begin = ContinuousClock.now
                let before = try await folded.store.reader.uplinkStatus(uplink: "city").owed
                try await eventually("all of it", within: 300) {
                    try await Task.sleep(for: .milliseconds(10))
                    return try await folded.store.reader.uplinkStatus(uplink: "city").owed == 0
                }
                return (ContinuousClock.now - begin) / .seconds(1) / Double(max(1, before))
            }
            print(
                "torture: \(count) items, \(Int(1 / seconds)) a second, the host's own ceiling "
                    + "\(Int(ceiling)): \(Int(100 / seconds / ceiling)) %")
            let ledger = try await platform.list("ledger")
            #expect(ledger.count == count)
            #expect(Set(ledger.compactMap { $0["key"] as? String }).count == count)
            #expect(try await platform.list("refused").isEmpty)
        }
    }
}
