import Foundation
import Subprocess
import Telemetry
import TestPeers
import Testing

/// One item of one platform, as either side knows it.
private struct Delivered: Hashable, CustomStringConvertible {
    var kind: String
    var start: String
    /// Whose; empty where a platform has one station.
    var scope = ""
    var description: String { "\(kind) \(scope) \(start)" }
}

/// A dust station and a meter, reported over HJ 212, the building energy upload, MQTT and remote
/// write at once to receivers written from the standards alone, and to real servers.
@Suite("The platforms", .serialized)
struct PlatformTests {
    @Test(
        "take what they are owed although each of them was away, and both ledgers agree",
        .timeLimit(.minutes(90)))
    func ledgersAgree() async throws {
        try await withTemporaryFolder { folder in
            let receivers = try Platforms(folder: folder)
            try await withPythonPeer("modbus_server.py", Platforms.modbus) { modbus in
                let site = try receivers.site(modbus: modbus)
                let arguments = try site.write()
                let (theirs, status, log) = try await withDaemon(arguments, port: site.apiPort) {
                    daemon in try await Self.outages(receivers, daemon)
                }
                #expect(status.isSuccess, "\(log)")
                let ours = try await Self.accepted(site)
                for (uplink, items) in theirs {
                    #expect(ours[uplink] == items, "\(uplink)")
                }
            }
        }
    }

    /// All are there, then each is away in turn, then all are there again.
    private static func outages(
        _ receivers: Platforms, _ daemon: Daemon
    ) async throws -> [String: Set<Delivered>] {
        try await receivers.running { present in
            for receiver in Platform.allCases {
                try await present.has(receiver, 1)
            }
            // Its acknowledgement is lost on the way: the packet comes again, the record once.
            _ = try await present.judge(.dust).say("misbehave", ["mode": "lost_ack", "count": 1])
            try await present.has(.dust, 2)
        }
        for absent in Platform.allCases {
            try await receivers.running(without: absent) { _ in
                try await Task.sleep(for: .seconds(UplinkOutageTests.outage))
            }
        }
        return try await receivers.running { present in
            for receiver in Platform.allCases { try await present.has(receiver, 3) }
            try await eventually("nothing owed", within: .seconds(150)) {
                try await daemon.metric("plumbline_uplink_owed_items") == 0
            }
            try await present.judge()
            return try await present.ledgers()
        }
    }

    /// What our own ledger says each platform took.
    private static func accepted(_ site: TestSite) async throws -> [String: Set<Delivered>] {
        let result = try await run(
            .path("/usr/bin/sqlite3"),
            arguments: [
                "-readonly", "-json", site.dataFolder + "/plumbline.sqlite",
                """
                SELECT uplink, kind, scope, start FROM outbox
                WHERE revision_sent >= 0 AND revision_settled >= revision_owed
                """,
            ], input: .none, output: .string(limit: 8 << 20), error: .discarded)
        let rows =
            try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8))
            as? [[String: Any]] ?? []
        var found: [String: Set<Delivered>] = [:]
        for row in rows {
            guard let uplink = row["uplink"] as? String, let kind = row["kind"] as? String,
                let scope = row["scope"] as? String, let start = row["start"] as? Int
            else { continue }
            let word = String(kind.prefix { $0 != "/" })
            // The upload tells when a period ended; a restart is told to the second; of the engine
            // one series is asked, which says the last instant of each period.
            let shift = word == "report" ? 60_000 : word == "2081" ? -(start % 1000) : 0
            let time = Timestamp(milliseconds: Int64(start + shift)).rfc3339()
            switch uplink {
            case "everything":
                found[uplink, default: []].insert(
                    Delivered(kind: kind, start: time, scope: scope))
            case "fleet":
                if scope.hasPrefix("dust-1/") {
                    found[uplink, default: []].insert(Delivered(kind: kind, start: time))
                }
            default: found[uplink, default: []].insert(Delivered(kind: word, start: time))
            }
        }
        return found
    }
}

/// One platform with everything that belongs to it.
private enum Platform: String, CaseIterable, Sendable {
    case dust = "city-dust"
    case energy = "district"
    case messages = "everything"
    case engine = "fleet"
}

/// Where the receivers are and what they keep when they are not there.
private struct Platforms: Sendable {
    static let mn = "010000A8900016F000169DC0"
    static let building = "330302D110"
    /// The registers of the meter (unit 1) and of the station (unit 21), from the vendors' tables.
    static let modbus =
        MeterRegisters.arguments + [
            "--unit", "21", "--holding",
            "0x1F4=0x0017,2,0,0x0113,0x0262,0xFFDD,0x0271,0x002D,0x00B4,0x03F5,1,0x86A0,0,0x007D",
        ]

    let folder: String
    let dust: Int
    let energy: Int
    let broker: Int
    let engine: Int

    init(folder: String) throws {
        self.folder = folder
        (dust, energy, broker, engine) = (
            try freePort(), try freePort(), try freePort(), try freePort()
        )
        for name in ["broker", "engine"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        for (name, text) in [
            ("pw", "123456"), ("secret", "IJKLMNOPQRSTUVWX"),
            ("key", "0102030405060708090A0B0C0D0E0F10"),
        ] { try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8) }
    }

    func site(modbus: Int) throws -> TestSite {
        var site = try TestSite(folder: folder)
        site.links = [
            """
              - id: line
                modbus: tcp://127.0.0.1:\(modbus)
                lateness: 2 s
                devices:
                  - { id: meter-1, profile: eastron/sdm630, unit: 1 }
                  - { id: dust-1, profile: renke/louvre-500, unit: 21 }
            """
        ]
        site.uplinks = [
            """
              - id: city-dust
                hj212: tcp://127.0.0.1:\(dust)
                password: { file: \(folder)/pw }
                factors: \(packageRoot)/Config/uplinks/hj212-factors.yaml
                particulates: mg/m3
                realtime: 30 s
                keep_realtime: true
                minutes: 1 min
                gather: 5 s
                boot: true
                stations: [ { mn: "\(Self.mn)", devices: [dust-1] } ]
              - id: district
                building_energy: tcp://127.0.0.1:\(energy)
                building: \(Self.building)
                gateway: "01"
                secret: { file: \(folder)/secret }
                key: { file: \(folder)/key }
                initial_vector: { file: \(folder)/key }
                codes: \(packageRoot)/Config/uplinks/building-energy-codes.yaml
                period: 1 min
                gather: 5 s
                meters:
                  - { meter: "01", series: meter-1.active_energy.import.total, carrier: electricity }
              - id: everything
                mqtt: mqtt://127.0.0.1:\(broker)
                topic: site/test
                resolution: 1min
              - id: fleet
                http: http://127.0.0.1:\(engine)/api/v1/write
                format: remote-write/1
                resolution: 1min
            """
        ]
        return site
    }

    /// Starts the receivers, all but one, with what they kept, and ends them after `body`.
    func running<R: Sendable>(
        without absent: Platform? = nil, _ body: @Sendable (Present) async throws -> R
    ) async throws -> R {
        try await run(Platform.allCases.filter { $0 != absent }[...], Present(), body)
    }

    private func run<R: Sendable>(
        _ missing: ArraySlice<Platform>, _ present: Present,
        _ body: @Sendable (Present) async throws -> R
    ) async throws -> R {
        guard let receiver = missing.first else { return try await body(present) }
        let rest = missing.dropFirst()
        @Sendable func judging(
            _ script: String, _ arguments: [String]
        ) async throws -> R {
            try await withJudgingPlatform(
                script, arguments + ["--ledger", "\(folder)/\(receiver.rawValue).jsonl"]
            ) { platform in
                var present = present
                present.judges[receiver] = platform
                return try await run(rest, present, body)
            }
        }
        switch receiver {
        case .dust:
            return try await judging(
                "hj212_host.py",
                [
                    "--pw", "123456", "--mn", Self.mn, "--st", "39", "--min-interval", "1",
                    "--port", "\(dust)",
                ])
        case .energy:
            return try await judging(
                "energy_station.py",
                [
                    "--secret", "IJKLMNOPQRSTUVWX", "--building", Self.building, "--gateway",
                    "01", "--port", "\(energy)",
                ])
        case .messages:
            return try await withBroker(port: broker, folder: folder + "/broker") { broker in
                try await judging(
                    "mqtt_platform.py",
                    ["--broker", "\(broker.port)", "--style", "plain", "--topic", "site/test/#"])
            }
        case .engine:
            return try await withVictoriaMetrics(port: engine, folder: folder + "/engine") {
                engine in
                var present = present
                present.engine = engine
                return try await run(rest, present, body)
            }
        }
    }
}

/// The receivers that are there.
private struct Present: Sendable {
    var judges: [Platform: JudgingPlatform] = [:]
    var engine: Engine?

    func judge(_ receiver: Platform) throws -> JudgingPlatform {
        try #require(judges[receiver])
    }

    /// Waits until a receiver has so many items of a minute.
    func has(_ receiver: Platform, _ count: Int) async throws {
        let kinds: Set<String>
        switch receiver {
        case .dust: kinds = ["2051"]
        case .energy: kinds = ["report", "continuous"]
        case .messages: kinds = ["rollup/1min"]
        case .engine:
            return try await eventually("\(count) minutes in the engine", within: .seconds(200)) {
                try await minutesInTheEngine().count >= count
            }
        }
        let platform = try judge(receiver)
        try await eventually("\(count) items at \(receiver.rawValue)", within: .seconds(200)) {
            try await platform.list("ledger").count {
                kinds.contains($0["kind"] as? String ?? "")
            } >= count
        }
    }

    /// Nothing was refused, values are the registers', and a command is obeyed.
    func judge() async throws {
        for platform in judges.values { #expect(try await platform.list("refused").isEmpty) }
        let host = try judge(.dust)
        let minutes = try await host.list("ledger").filter { $0["kind"] as? String == "2051" }
        let last = try #require(minutes.last?["values"] as? [String: String])
        #expect(last["a34002-Avg"] == "0.180" && last["a34002-Flag"] == "N")
        #expect(last["a34004-Avg"] == "0.045" && last["a01001-Avg"] == "-3.5")
        #expect(last["Leq-Data"] == "62.5" && last["LMx-Data"] == "62.5")
        let reports = try await judge(.energy).list("ledger")
        let values = try #require(reports.last?["values"] as? [String: String])
        #expect(values["01.\(Platforms.building)01000"] == "12345.75", "\(values)")
        let answer = try await host.say(
            "command", ["cn": "2051", "cp": "BeginTime=20200101000000;EndTime=20200101001000"])
        #expect("\(answer["qn_rtn"] ?? "")" == "1" && "\(answer["exe_rtn"] ?? "")" == "100")
        let unknown = try await host.say("command", ["cn": "3019", "cp": ""])
        #expect("\(unknown["qn_rtn"] ?? "")" == "8", "\(unknown)")
    }

    /// What each receiver took, item by item.
    func ledgers() async throws -> [String: Set<Delivered>] {
        var found: [String: Set<Delivered>] = [:]
        for (receiver, platform) in judges {
            found[receiver.rawValue] = Set(
                try await platform.list("ledger").compactMap { Self.item($0, of: receiver) })
        }
        found[Platform.engine.rawValue] = try await minutesInTheEngine()
        return found
    }

    private static func item(_ record: [String: Any], of receiver: Platform) -> Delivered? {
        guard let kind = record["kind"] as? String, let text = record["start"] as? String,
            let start = Timestamp(rfc3339: text)?.rfc3339()
        else { return nil }
        if receiver == .messages {
            let parts = (record["key"] as? String ?? "").split(separator: "|")
            return parts.count == 4
                ? Delivered(kind: kind, start: start, scope: String(parts[2])) : nil
        }
        // A report that came late is the same report.
        return Delivered(
            kind: ["continuous", "reply"].contains(kind) ? "report" : kind, start: start)
    }

    /// The minutes of PM10 that the engine has, each with the value of the register.
    private func minutesInTheEngine() async throws -> Set<Delivered> {
        let engine = try #require(engine)
        _ = try await engine.request("GET", "/internal/force_flush")
        let answer = try await engine.request(
            "GET", "/api/v1/export",
            query: [("match[]", #"{device="dust-1",point="pm10",stat="mean"}"#)])
        var found: Set<Delivered> = []
        for line in answer.text.split(separator: "\n") {
            let series = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let times = series?["timestamps"] as? [Int] ?? []
            #expect((series?["values"] as? [Double] ?? []).allSatisfy { $0 == 180 })
            for time in times {
                found.insert(
                    Delivered(
                        kind: "rollup/1min",
                        start: Timestamp(milliseconds: Int64(time + 1 - 60_000)).rfc3339()))
            }
        }
        return found
    }
}
