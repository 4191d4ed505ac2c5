import Delivery
import FieldLinks
import Telemetry
import TestPeers
import Testing
import UplinkFormats

private struct NoHistory: UplinkHistory {
    func items(
        of request: HistoryRequest, after: Timestamp?, limit: Int
    ) async throws -> [UplinkItem] { [] }
}

/// A platform of one protocol, and items for it.
private struct Line {
    static let mn = "010000A8900016F000169DC0"
    static let building = "330302D110"
    private static let calendar = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)

    let transport: TCPUplinkTransport
    let item: @Sendable (Timestamp) -> UplinkItem

    private static func transport(
        _ port: Int, _ conversation: any UplinkConversation
    ) throws -> TCPUplinkTransport {
        TCPUplinkTransport(
            try .init(host: "127.0.0.1", port: port), conversation: conversation,
            clock: LinkClock(ContinuousClock()), wallClock: MachineClock(), history: NoHistory(),
            reconnect: .init(first: .milliseconds(50), ceiling: .milliseconds(200)),
            keep: { _ in })
    }

    /// PM10 of ten minutes.
    static func hj212(_ port: Int) throws -> Line {
        var options = HJ212Options(password: "123456")
        (options.timeout, options.resends) = (.milliseconds(700), 1)
        let series = Series(
            id: SeriesID(device: DeviceID("dust-1"), point: PointKey("pm10")), kind: .gauge,
            unit: "ug/m3")
        return Line(
            transport: try transport(
                port,
                HJ212Conversation(
                    options, stations: [HJ212Station(scope: mn, mn: mn)], calendar: calendar))
        ) { start in
            var rollup = Rollup(expected: 10)
            for minute in 0..<10 { rollup.add(.number(80), at: start + .seconds(60 * minute)) }
            return UplinkItem(
                site: SiteID("s"), kind: "2051/10min", scope: mn, device: nil, start: start,
                end: start + .seconds(600), revision: 0,
                entries: [
                    .init(series: series, rollup: rollup, point: UplinkPoint(name: "a34002"))
                ])
        }
    }

    /// One meter, every quarter of an hour.
    static func energy(_ port: Int) throws -> Line {
        let series = Series(
            id: SeriesID(device: DeviceID("meter-1"), point: PointKey("active_energy.total")),
            kind: .counter, unit: "kWh", counter: CounterPolicy(modulus: nil, resets: .never))
        guard let key = EnergyKey("0102030405060708090A0B0C0D0E0F10") else {
            throw PeerError("no key")
        }
        var options = BuildingEnergyOptions(
            building: building, gateway: "01", secret: "IJKLMNOPQRSTUVWX",
            cipher: EnergyCipher(key: key, initialVector: key),
            meters: [
                series.id: EnergyMeterPoint(meter: "01", coding: building + "01000")
            ], kind: "report/15min", scope: building + "01", period: 15)
        options.patience.acknowledgement = .milliseconds(1400)
        options.patience.retry = .milliseconds(50)
        options.patience.login = .milliseconds(1400)
        let scope = options.scope
        return Line(
            transport: try transport(port, BuildingEnergyConversation(options, calendar: calendar))
        ) { start in
            var rollup = Rollup(expected: 1)
            rollup.add(.number(100), at: start)
            return UplinkItem(
                site: SiteID("s"), kind: "report/15min", scope: scope, device: nil, start: start,
                end: start + .seconds(900), revision: 0,
                entries: [.init(series: series, rollup: rollup)])
        }
    }

    /// Sends items as the loop of a platform does: what has to be tried again is.
    func send(_ count: Int) async throws {
        let begin = Timestamp(milliseconds: 1_794_960_000_000)
        for index in 0..<count {
            let item = item(begin + .seconds(3600 * index))
            try await eventually("item \(index) is taken", within: .seconds(40)) {
                var item = item
                item.isBacklog = index % 2 == 1
                return await transport.send(item) == .accepted
            }
        }
    }
}

/// What a platform does to the next item; each ends by itself.
enum Misbehaviour: String, CaseIterable {
    case none = "no_ack"
    case lost = "lost_ack"
    case late = "late_ack"
    case foreign = "wrong_id"
    case half, reset, garbage, close, hang, slow

    var fault: [String: Any] {
        switch self {
        case .hang: ["mode": rawValue, "seconds": 3]
        case .slow: ["mode": rawValue, "seconds": 2, "rate": 200]
        default: ["mode": rawValue, "count": 1, "delay": 2]
        }
    }
}

@Suite("A platform that misbehaves", .serialized)
struct MisbehavingPlatformTests {
    private func judge(
        _ script: String, _ arguments: [String], _ misbehaviour: Misbehaviour,
        _ line: @Sendable (Int) throws -> Line
    ) async throws {
        try await withJudgingPlatform(script, arguments) { platform in
            let line = try line(platform.port)
            let transport = line.transport
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await transport.run() }
                group.addTask {
                    // Once in good manners, so that what follows meets a connection that stands.
                    try await line.send(1)
                    _ = try await platform.say("misbehave", misbehaviour.fault)
                    try await line.send(3)
                    transport.stop()
                }
                try await group.waitForAll()
            }
            let ledger = try await platform.list("ledger").filter {
                ["2051", "report", "continuous"].contains($0["kind"] as? String ?? "")
            }
            #expect(ledger.count == 3, "\(misbehaviour): \(ledger)")
            #expect(Set(ledger.compactMap { $0["key"] as? String }).count == 3)
            // What was written before a hang is read after what came on the next connection, and its
            // numbers are older then.
            let refused = try await platform.list("refused").filter {
                misbehaviour != .hang || ($0["why"] as? String)?.contains("is not above") != true
            }
            #expect(refused.isEmpty, "\(misbehaviour): \(refused)")
        }
    }

    @Test(
        "gets every item of HJ 212 all the same, and nothing that breaks the standard",
        arguments: Misbehaviour.allCases)
    func hj212(misbehaviour: Misbehaviour) async throws {
        try await judge(
            "hj212_host.py",
            ["--pw", "123456", "--mn", Line.mn, "--st", "39", "--port", "0"], misbehaviour,
            { try Line.hj212($0) })
    }

    @Test("gets every report of the energy upload all the same", arguments: Misbehaviour.allCases)
    func energy(misbehaviour: Misbehaviour) async throws {
        try await judge(
            "energy_station.py",
            [
                "--secret", "IJKLMNOPQRSTUVWX", "--building", Line.building, "--gateway", "01",
                "--port", "0",
            ], misbehaviour, { try Line.energy($0) })
    }
}
