import Foundation
import Subprocess
import Telemetry
import TestPeers
import Testing

/// One item of one platform, as either side knows it.
private struct Delivered: Hashable, CustomStringConvertible {
    var kind: String
    var start: String
    var description: String { "\(kind) \(start)" }
}

/// A dust station and a meter, reported over HJ 212, the building energy upload and remote write at
/// once to receivers written from the standards alone.
@Suite("The platforms", .serialized)
struct PlatformTests {
    private static let mn = "010000A8900016F000169DC0"
    private static let building = "330302D110"

    /// The registers of the meter (unit 1) and of the station (unit 21), from the vendors' tables.
    private static let modbus =
        MeterRegisters.arguments + [
            "--unit", "21", "--holding",
            "0x1F4=0x0017,2,0,0x0113,0x0262,0xFFDD,0x0271,0x002D,0x00B4,0x03F5,1,0x86A0,0,0x007D",
        ]

    @Test(
        "take what they are owed although each of them was away, and both ledgers agree",
        .timeLimit(.minutes(12)))
    func ledgersAgree() async throws {
        try await withTemporaryFolder { folder in
            let (dust, energy) = (try freePort(), try freePort())
            try await withPythonPeer("modbus_server.py", Self.modbus) { modbus in
                try await withVictoriaMetrics { engine in
                    let site = try Self.site(
                        folder, modbus: modbus, dust: dust, energy: energy, engine: engine.port)
                    let arguments = try site.write()
                    let (ledgers, status, log) = try await withDaemon(
                        arguments, port: site.apiPort
                    ) { daemon in
                        try await Self.outages(folder, daemon, dust: dust, energy: energy)
                    }
                    #expect(status.isSuccess, "\(log)")
                    let ours = try await Self.accepted(site)
                    #expect(ours["city-dust"] == ledgers.dust)
                    #expect(ours["district"] == ledgers.energy)
                    try await Self.check(engine)
                }
            }
        }
    }

    private static func site(
        _ folder: String, modbus: Int, dust: Int, energy: Int, engine: Int
    ) throws -> TestSite {
        for (name, text) in [
            ("pw", "123456"), ("secret", "IJKLMNOPQRSTUVWX"),
            ("key", "0102030405060708090A0B0C0D0E0F10"),
        ] { try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8) }
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
                stations: [ { mn: "\(mn)", devices: [dust-1] } ]
              - id: district
                building_energy: tcp://127.0.0.1:\(energy)
                building: \(building)
                gateway: "01"
                secret: { file: \(folder)/secret }
                key: { file: \(folder)/key }
                initial_vector: { file: \(folder)/key }
                codes: \(packageRoot)/Config/uplinks/building-energy-codes.yaml
                period: 1 min
                gather: 5 s
                meters:
                  - { meter: "01", series: meter-1.active_energy.import.total, carrier: electricity }
              - id: fleet
                http: http://127.0.0.1:\(engine)/api/v1/write
                format: remote-write/1
                resolution: 1min
            """
        ]
        return site
    }

    /// What the receivers hold when everything has arrived.
    private struct Ledgers: Sendable {
        var dust: Set<Delivered>
        var energy: Set<Delivered>
    }

    /// Both platforms are there, then each is away in turn, then both are there again.
    private static func outages(
        _ folder: String, _ daemon: Daemon, dust: Int, energy: Int
    ) async throws -> Ledgers {
        let dustArguments = [
            "--pw", "123456", "--mn", mn, "--st", "39", "--min-interval", "1", "--port", "\(dust)",
            "--ledger", folder + "/dust.jsonl",
        ]
        let energyArguments = [
            "--secret", "IJKLMNOPQRSTUVWX", "--building", building, "--gateway", "01", "--port",
            "\(energy)", "--ledger", folder + "/energy.jsonl",
        ]
        @Sendable func has(_ platform: JudgingPlatform, _ kind: String, _ count: Int) async throws {
            try await eventually("\(count) of \(kind)", within: .seconds(200)) {
                try await platform.list("ledger").count { $0["kind"] as? String == kind } >= count
            }
        }
        let pause = Duration.seconds(UplinkOutageTests.outage)
        try await withJudgingPlatform("energy_station.py", energyArguments) { station in
            try await withJudgingPlatform("hj212_host.py", dustArguments) { host in
                try await has(host, "2051", 1)
                try await has(station, "report", 1)
                // Its acknowledgement is lost on the way: the packet comes again, the record once.
                _ = try await host.say("misbehave", ["mode": "lost_ack", "count": 1])
                try await has(host, "2011", 4)
            }
            try await Task.sleep(for: pause)
        }
        try await withJudgingPlatform("hj212_host.py", dustArguments) { host in
            try await Task.sleep(for: pause)
            try await has(host, "2051", 2)
        }
        return try await withJudgingPlatform("energy_station.py", energyArguments) { station in
            try await withJudgingPlatform("hj212_host.py", dustArguments) { host in
                try await has(host, "2051", 4)
                try await eventually("nothing owed", within: .seconds(90)) {
                    try await daemon.metric("plumbline_uplink_owed_items") == 0
                }
                try await judge(host, station)
                return Ledgers(
                    dust: try await ledger(host), energy: try await ledger(station))
            }
        }
    }

    /// Nothing was refused, values are the registers', and a command is obeyed.
    private static func judge(_ host: JudgingPlatform, _ station: JudgingPlatform) async throws {
        #expect(try await host.list("refused").isEmpty)
        #expect(try await station.list("refused").isEmpty)
        let minutes = try await host.list("ledger").filter { $0["kind"] as? String == "2051" }
        let last = try #require(minutes.last?["values"] as? [String: String])
        #expect(last["a34002-Avg"] == "0.180" && last["a34002-Flag"] == "N")
        #expect(last["a34004-Avg"] == "0.045" && last["a01001-Avg"] == "-3.5")
        #expect(last["Leq-Data"] == "62.5" && last["LMx-Data"] == "62.5")
        let reports = try await station.list("ledger")
        let values = try #require(reports.last?["values"] as? [String: String])
        #expect(values["01.\(building)01000"] == "12345.75", "\(values)")
        let answer = try await host.say(
            "command", ["cn": "2051", "cp": "BeginTime=20200101000000;EndTime=20200101001000"])
        #expect("\(answer["qn_rtn"] ?? "")" == "1" && "\(answer["exe_rtn"] ?? "")" == "100")
        let unknown = try await host.say("command", ["cn": "3019", "cp": ""])
        #expect("\(unknown["qn_rtn"] ?? "")" == "8", "\(unknown)")
    }

    /// What a receiver took, item by item.
    private static func ledger(_ platform: JudgingPlatform) async throws -> Set<Delivered> {
        Set(
            try await platform.list("ledger").compactMap { record in
                guard let kind = record["kind"] as? String, let text = record["start"] as? String,
                    let start = Timestamp(rfc3339: text)
                else { return nil }
                // A report that came late is the same report.
                return Delivered(
                    kind: ["continuous", "reply"].contains(kind) ? "report" : kind,
                    start: start.rfc3339())
            })
    }

    /// What our own ledger says each platform took.
    private static func accepted(_ site: TestSite) async throws -> [String: Set<Delivered>] {
        let result = try await run(
            .path("/usr/bin/sqlite3"),
            arguments: [
                "-readonly", "-json", site.dataFolder + "/plumbline.sqlite",
                """
                SELECT uplink, kind, start FROM outbox
                WHERE revision_sent >= 0 AND revision_settled >= revision_owed
                """,
            ], input: .none, output: .string(limit: 1 << 20), error: .discarded)
        let rows =
            try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8))
            as? [[String: Any]] ?? []
        var found: [String: Set<Delivered>] = [:]
        for row in rows {
            guard let uplink = row["uplink"] as? String, let kind = row["kind"] as? String,
                let start = row["start"] as? Int
            else { continue }
            let word = String(kind.prefix { $0 != "/" })
            // The upload tells when a period ended; a restart is told to the second.
            let shift = word == "report" ? 60_000 : word == "2081" ? -(start % 1000) : 0
            found[uplink, default: []].insert(
                Delivered(
                    kind: word,
                    start: Timestamp(milliseconds: Int64(start + shift)).rfc3339()))
        }
        return found
    }

    /// The engine of a fleet has the same numbers.
    private static func check(_ engine: Engine) async throws {
        try await eventually("the meter's power", within: .seconds(40)) {
            let answer = try await engine.request(
                "GET", "/api/v1/query",
                query: [
                    ("query", #"last_over_time({device="dust-1",point="pm10",stat="mean"}[1h])"#)
                ])
            let data = try answer.object()["data"] as? [String: Any]
            let result = data?["result"] as? [[String: Any]] ?? []
            return (result.first?["value"] as? [Any])?.last as? String == "180"
        }
    }
}
