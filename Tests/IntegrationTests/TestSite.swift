import Foundation
import Gateway
import Store
import Telemetry
import TestPeers

/// Writes the configuration of a small site for one test.
struct TestSite {
    let folder: String
    var apiPort: Int
    var commitInterval = "100 ms"
    var links: [String] = []
    var meters: [String] = []
    var uplinks: [String] = []
    var alarms = false
    /// Files of rules beside the configuration.
    var ruleFiles: [String] = []
    /// The file of tokens beside the configuration.
    var tokens: String?
    /// Further parts of the configuration.
    var more = ""

    init(folder: String) throws {
        self.folder = folder
        apiPort = try freePort()
    }

    var configurationPath: String { folder + "/site.yaml" }
    var dataFolder: String { folder + "/data" }

    /// A link to a broker with one tower crane.
    static func craneLink(
        port: Int, key: String = "TC0001", window: Int = 20, version: String = "3.1.1"
    ) -> String {
        """
          - id: broker
            mqtt: mqtt://127.0.0.1:\(port)
            window: \(window)
            version: \(version)
            devices:
              - { id: crane-1, profile: deye/tower-crane-mqtt, key: \(key) }
        """
    }

    /// A link to a Modbus server with one meter.
    static func meterLink(port: Int, profile: String = "eastron/sdm630", unit: Int = 1) -> String {
        """
          - id: meters
            modbus: tcp://127.0.0.1:\(port)
            devices:
              - { id: meter-1, profile: \(profile), unit: \(unit) }
        """
    }

    func write() throws -> [String] {
        var text = """
            site:
              id: test-site
              name: 测试工地
              timezone: Asia/Shanghai
              phase: construction
              floor_area: 12000 m2
            data:
              directory: \(dataFolder)
              commit_interval: \(commitInterval)
            clock: { trust: system }
            links:

            """
        text += links.joined(separator: "\n") + "\n"
        if !meters.isEmpty { text += "meters:\n" + meters.joined(separator: "\n") + "\n" }
        if alarms {
            text += "alarms: [ { include: \(packageRoot)/Config/alarms/dust.yaml } ]\n"
        }
        if !ruleFiles.isEmpty {
            text +=
                "alarms: [ \(ruleFiles.map { "{ include: \($0) }" }.joined(separator: ", ")) ]\n"
        }
        if !more.isEmpty { text += more + "\n" }
        if !uplinks.isEmpty { text += "uplinks:\n" + uplinks.joined(separator: "\n") + "\n" }
        let tokens = self.tokens.map { ", tokens: \($0)" } ?? ""
        text += "api: { listen: 127.0.0.1:\(apiPort)\(tokens) }\n"
        try text.write(toFile: configurationPath, atomically: true, encoding: .utf8)
        return ["run", "--config", configurationPath, "--share", packageRoot]
    }

    /// All samples of a series that the store holds, read beside or without the gateway.
    func samples(_ series: String) async throws -> [(time: Timestamp, reading: Reading)] {
        let store = try Store.openReadOnly(directory: dataFolder, calendar: .utc)
        defer { try? store.close() }
        guard let id = SeriesID(series) else { return [] }
        return try await store.reader.samples(
            series: id, from: Timestamp(milliseconds: 0),
            to: Timestamp(milliseconds: 4_000_000_000_000), limit: 1_000_000
        ).map { ($0.time, $0.reading) }
    }
}

/// A crane's message; `kilograms` is what tells one message from another.
func craneMessage(kilograms: Int, at time: Timestamp, key: String = "TC0001") -> String {
    let t = CivilTime(time, offset: 8 * 3600)
    let clock =
        "\(t.year)-\(t.month.padded(2))-\(t.day.padded(2)) "
        + "\(t.hour.padded(2)):\(t.minute.padded(2)):\(t.second.padded(2))"
    return """
        {"HxzId":"\(key)","RTime":"\(clock)","Weight":\(Double(kilograms) / 1000),\
        "RatedWeight":6.0,"Moment":40.5,"RRange":20.1,"Height":30.2,"Angle":120.0,\
        "Obliguity":0.1,"WindSpeed":3.2,"WorkStatus":"0","MomentAlarm":"0"}
        """
}
