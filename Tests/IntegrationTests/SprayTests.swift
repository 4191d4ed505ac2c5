import Acquisition
import FieldLinks
import Foundation
import Gateway
import Logging
import ServiceLifecycle
import Store
import Telemetry
import TestPeers
import Testing
import WebAPI

/// An alarm, a relay board of the library behind a whole gateway, and a server that is not ours.
@Suite("A spray of a site", .serialized)
struct SprayTests {
    private static let rules = """
        format: alarm-rules/1
        rules:
          - { alarm: dusty, title: { en: Dust, zh: 扬尘 }, severity: warning, source: the test,
              status: project, devices: [site], when: { point: demand, is: ["on"] } }
        """

    private static let more = """
        circumstances:
          - { id: maintenance, states: ["off", "on"] }
          - { id: demand, states: ["off", "on"] }
        sprays:
          - id: north
            enabled: true
            switch: pumps.switch.ch1
            on: "on"
            off: "off"
            alarms: [dusty]
            run: { least: 1s, most: 10min, rest: 1s }
            never: [ { circumstance: maintenance, is: ["on"] } ]
        """

    /// Whether the board's first coil is on, as another master reads it.
    private func isOn(_ port: Int) async throws -> Bool {
        let link = BusLink(host: "127.0.0.1", port: port)
        return try await link.perform { link in
            try link.connect()
            return try link.readBits(unit: 1, function: .coil, address: 0, count: 1)
        } == [true]
    }

    @Test("runs while the alarm stands, stops for maintenance, and is audited with the alarm")
    func spray() async throws {
        let board = [
            "--coil", "0=0,0,0,0,0,0,0,0", "--holding", "0x4000=1", "--holding", "0x8000=200",
        ]
        try await withTemporaryFolder { folder in
            var files = try TestSite(folder: folder)
            let rulePath = folder + "/rules.yaml"
            try Self.rules.write(toFile: rulePath, atomically: true, encoding: .utf8)
            files.ruleFiles = [rulePath]
            files.more = Self.more
            let written = files
            try await withPythonPeer("modbus_server.py", board) { port in
                var files = written
                files.links = [
                    """
                      - id: relays
                        bus: tcp://127.0.0.1:\(port)
                        devices:
                          - { id: pumps, profile: waveshare/relay-8ch, unit: 1, commands: [switch.ch1] }
                    """
                ]
                _ = try files.write()
                let (site, library) = try SiteFiles.site(
                    at: files.configurationPath, devices: packageRoot + "/Devices")
                let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                let gateway = try await SiteGateway(
                    site, library: library,
                    surroundings: Surroundings(
                        clock: ContinuousClock(), wallClock: MachineClock(), logger: logger,
                        dashboards: DashboardFiles(directory: nil, vendor: [:])))
                let services = ServiceGroup(
                    services: try await gateway.services(), logger: logger)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await services.run() }
                    try await play(gateway, port)
                    await services.triggerGracefulShutdown()
                    try await group.waitForAll()
                }
                #expect(try await !isOn(port))
            }
            let store = try Store.openReadOnly(directory: written.dataFolder, calendar: .utc)
            defer { try? store.close() }
            let audit = try await store.reader.audit().filter { $0.action == "device.commanded" }
            #expect(
                audit.contains {
                    $0.actor.hasPrefix("spray north: dusty|site.demand|")
                        && $0.detail == "pumps.switch.ch1 = on: done"
                })
            #expect(
                audit.contains {
                    $0.actor == "spray north: forbidden"
                        && $0.detail == "pumps.switch.ch1 = off: done"
                })
        }
    }

    /// The board may not change again within ten seconds.
    private func play(_ gateway: SiteGateway, _ port: Int) async throws {
        // The gateway listens to people once it knows the time.
        try await eventually("the demand is said", within: .seconds(20)) {
            (try? await gateway.instructions.say("demand", "on", by: "the test")) != nil
        }
        // As long as nobody has said how maintenance stands, people may be there.
        try await Task.sleep(for: .seconds(15))
        #expect(try await !isOn(port))
        _ = try await gateway.instructions.say("maintenance", "off", by: "the test")
        try await eventually("the spray runs", within: .seconds(90)) { try await isOn(port) }
        _ = try await gateway.instructions.say("maintenance", "on", by: "the test")
        try await eventually("the spray stops", within: .seconds(20)) { try await !isOn(port) }
        // The alarm stands on, and still nothing runs.
        try await Task.sleep(for: .seconds(12))
        #expect(try await !isOn(port))
        _ = try await gateway.instructions.say("maintenance", "off", by: "the test")
        try await eventually("the spray runs again", within: .seconds(90)) {
            try await isOn(port)
        }
        _ = try await gateway.instructions.say("demand", "off", by: "the test")
        try await eventually("the spray stops with the alarm", within: .seconds(40)) {
            try await !isOn(port)
        }
    }
}
