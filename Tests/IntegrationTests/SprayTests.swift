import Foundation
import Gateway
import Store
import Telemetry
import TestPeers
import Testing

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

    @Test("runs while the alarm stands, stops for maintenance, and is audited with the alarm")
    func spray() async throws {
        try await withTemporaryFolder { folder in
            var files = try TestSite(folder: folder)
            let rulePath = folder + "/rules.yaml"
            try Self.rules.write(toFile: rulePath, atomically: true, encoding: .utf8)
            files.ruleFiles = [rulePath]
            files.more = Self.more
            try await RelayBoard.run(files) { board in
                try await play(board)
            } after: { board in
                let isOn = try await board.isOn()
                #expect(!isOn)
            }
            let store = try Store.openReadOnly(directory: files.dataFolder, calendar: .utc)
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
    private func play(_ board: RelayBoard) async throws {
        // The gateway listens to people once it knows the time.
        try await eventually("the demand is said", within: .seconds(20)) {
            (try? await board.gateway.instructions.say("demand", "on", by: "the test")) != nil
        }
        // As long as nobody has said how maintenance stands, people may be there.
        try await Task.sleep(for: .seconds(15))
        #expect(try await !board.isOn())
        _ = try await board.gateway.instructions.say("maintenance", "off", by: "the test")
        try await eventually("the spray runs", within: .seconds(90)) { try await board.isOn() }
        _ = try await board.gateway.instructions.say("maintenance", "on", by: "the test")
        try await eventually("the spray stops", within: .seconds(20)) { try await !board.isOn() }
        // The alarm stands on, and still nothing runs.
        try await Task.sleep(for: .seconds(12))
        #expect(try await !board.isOn())
        _ = try await board.gateway.instructions.say("maintenance", "off", by: "the test")
        try await eventually("the spray runs again", within: .seconds(90)) {
            try await board.isOn()
        }
        _ = try await board.gateway.instructions.say("demand", "off", by: "the test")
        try await eventually("the spray stops with the alarm", within: .seconds(40)) {
            try await !board.isOn()
        }
    }
}

extension RelayBoard {
    fileprivate func isOn() async throws -> Bool { try await coils()[0] }
}
