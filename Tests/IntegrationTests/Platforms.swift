import Foundation
import Store
import Telemetry
import TestPeers
import Testing

/// One platform with everything that belongs to it.
enum Platform: String, CaseIterable, Sendable {
    case dust = "city-dust"
    case energy = "district"
    case messages = "everything"
    case engine = "fleet"
}

/// Where the receivers are and what they keep when they are not there.
struct Platforms: Sendable {
    static let mn = "010000A8900016F000169DC0"
    static let building = "330302D110"
    /// What is compared value by value: the simulated station's dust and the main meter's counter.
    static let pm10 = SeriesID(device: DeviceID("dust-north"), point: PointKey("pm10"))
    static let counter = SeriesID(
        device: DeviceID("meter-main"), point: PointKey("active_energy.import.total"))

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

    /// The list that the demo is given: `plumbline demo --uplinks FILE`.
    func write() throws -> String {
        let path = folder + "/platforms.yaml"
        try """
        - id: \(Platform.dust.rawValue)
          hj212: tcp://127.0.0.1:\(dust)
          password: { file: \(folder)/pw }
          factors: \(packageRoot)/Config/uplinks/hj212-factors.yaml
          particulates: mg/m3
          realtime: 30 s
          keep_realtime: true
          minutes: 1 min
          gather: 5 s
          boot: true
          stations: [ { mn: "\(Self.mn)", devices: [\(Self.pm10.device)] } ]
        - id: \(Platform.energy.rawValue)
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
            - { meter: "01", series: \(Self.counter), carrier: electricity }
        - id: \(Platform.messages.rawValue)
          mqtt: mqtt://127.0.0.1:\(broker)
          topic: site/test
          resolution: 1min
        - id: \(Platform.engine.rawValue)
          http: http://127.0.0.1:\(engine)/api/v1/write
          format: remote-write/1
          resolution: 1min
        """.write(toFile: path, atomically: true, encoding: .utf8)
        return path
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
struct Present: Sendable {
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

    /// Nothing was refused, each minute says what the store says, and a command is obeyed.
    func judge(_ dataFolder: String) async throws {
        for platform in judges.values { #expect(try await platform.list("refused").isEmpty) }
        let host = try judge(.dust)
        let dust = try await Self.stored(Platforms.pm10, in: dataFolder) { $0.mean }
        let minutes = try await host.list("ledger").filter { $0["kind"] as? String == "2051" }
        #expect(minutes.count >= 3)
        for minute in minutes {
            let values = try #require(minute["values"] as? [String: String])
            let ours = try #require(Self.start(of: minute).flatMap { dust[$0] })
            let theirs = try #require(values["a34002-Avg"].flatMap(Double.init))
            // µg/m³ in the store, mg/m³ with three digits on the wire.
            #expect(abs(ours / 1000 - theirs) <= 0.000_501, "\(minute): \(ours)")
        }
        // The first minute was not a whole one.
        let last = try #require(minutes.last?["values"] as? [String: String])
        #expect(last["a34002-Flag"] == "N" && last["Leq-Data"] != nil, "\(last)")
        let counter = try await Self.stored(Platforms.counter, in: dataFolder) { $0.last?.value }
        let reports = try await judge(.energy).list("ledger")
        #expect(reports.count >= 3)
        for report in reports {
            let values = try #require(report["values"] as? [String: String])
            let ours = Self.start(of: report).flatMap { counter[$0 - .seconds(60)] }
            let theirs = values["01.\(Platforms.building)01000"].flatMap(Double.init)
            #expect(ours == theirs, "\(report)")
        }
        let answer = try await host.say(
            "command", ["cn": "2051", "cp": "BeginTime=20200101000000;EndTime=20200101001000"])
        #expect("\(answer["qn_rtn"] ?? "")" == "1" && "\(answer["exe_rtn"] ?? "")" == "100")
        let unknown = try await host.say("command", ["cn": "3019", "cp": ""])
        #expect("\(unknown["qn_rtn"] ?? "")" == "8", "\(unknown)")
    }

    private static func start(of record: [String: Any]) -> Timestamp? {
        (record["start"] as? String).flatMap(Timestamp.init(rfc3339:))
    }

    /// One figure of each stored minute of a series.
    private static func stored(
        _ series: SeriesID, in dataFolder: String, _ figure: (Rollup) -> Double?
    ) async throws -> [Timestamp: Double] {
        let store = try Store.openReadOnly(directory: dataFolder, calendar: .utc)
        defer { try? store.close() }
        let number = try await store.reader.registry().groups.flatMap(\.series)
            .first { $0.id == series }?.number
        let rows = try await store.reader.rollups(
            series: try #require(number), resolution: .minute, from: Timestamp(milliseconds: 0),
            to: Timestamp(milliseconds: 4_000_000_000_000))
        return Dictionary(
            rows.compactMap { row in figure(row.rollup).map { (row.bucket.start, $0) } },
            uniquingKeysWith: { $1 })
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
            query: [("match[]", #"{device="\#(Platforms.pm10.device)",point="pm10",stat="mean"}"#)])
        var found: Set<Delivered> = []
        for line in answer.text.split(separator: "\n") {
            let series = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let times = series?["timestamps"] as? [Int] ?? []
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
