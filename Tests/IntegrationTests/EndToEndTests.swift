import Foundation
import Subprocess
import Telemetry
import TestPeers
import Testing

@Suite("The gateway from the wire to the API", .serialized)
struct EndToEndTests {
    @Test("reads a Modbus server that is not ours", .timeLimit(.minutes(3)))
    func foreignModbusServer() async throws {
        try await withTemporaryFolder { folder in
            try await withPythonPeer("modbus_server.py", MeterRegisters.arguments) { modbus in
                var site = try TestSite(folder: folder)
                site.links = [TestSite.meterLink(port: modbus)]
                let (_, status, log) = try await withDaemon(
                    try site.write(), port: site.apiPort
                ) { daemon in
                    for (series, value) in MeterRegisters.expected {
                        try await eventually("\(series)", within: .seconds(90)) {
                            try await Self.latest(series, daemon) == value
                        }
                    }
                }
                #expect(status.isSuccess, "\(log)")
            }
        }
    }

    @Test("keeps what mosquitto_pub sends, and counts what it cannot read", .timeLimit(.minutes(3)))
    func messagesGoodAndBad() async throws {
        try await withTemporaryFolder { folder in
            try await withBroker { broker in
                var site = try TestSite(folder: folder)
                site.links = [TestSite.craneLink(port: broker.port)]
                try await Self.leaveOldSubscription(broker)
                _ = try await withDaemon(try site.write(), port: site.apiPort) { daemon in
                    try await eventually("the link") {
                        try await daemon.metric("plumbline_link_connected") == 1
                    }
                    try await Self.badMessages(broker, daemon)
                    // After all that, a good message still gets through.
                    try await broker.publish(
                        "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane",
                        craneMessage(kilograms: 4321, at: KillTests.now + .seconds(60)))
                    try await eventually("the good message") {
                        try await Self.latest("crane-1.load_mass", daemon) == 4321
                    }
                }
                let samples = try await site.samples("crane-1.load_mass")
                #expect(samples.contains { $0.reading == .bad(.malformed) })
                #expect(samples.contains { $0.reading == .bad(.invalid) })
            }
        }
    }

    /// A device that was configured once: the broker still has its subscription in our session.
    private static let unknownTopic = "BIM/Sets/zhgd/DEYE/TC9999/RealtimeDataCrane"

    private static func leaveOldSubscription(_ broker: Broker) async throws {
        _ = try await run(
            .path("/usr/bin/mosquitto_sub"),
            arguments: [
                "-h", "127.0.0.1", "-p", "\(broker.port)", "-i", "plumbline-test-site-broker", "-c",
                "-q", "1", "-t", unknownTopic, "-E",
            ], input: .none, output: .discarded, error: .discarded)
    }

    private static func badMessages(_ broker: Broker, _ daemon: Daemon) async throws {
        let topic = "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane"
        @Sendable func refused(_ reason: String) async throws -> Double {
            try await daemon.metric("plumbline_messages_refused_total", "reason=\"\(reason)\"")
        }
        try await broker.publish(topic, #"{"HxzId":"TC0001","RTime":"#)
        try await eventually("malformed") { try await refused("malformed") == 1 }
        try await broker.publish(unknownTopic, #"{"HxzId":"TC9999"}"#)
        try await eventually("unknown topic") { try await refused("unknown_topic") == 1 }
        try await broker.publish(topic, String(repeating: "x", count: 1 << 20))
        try await eventually("oversized") { try await refused("oversized") == 1 }
        // A wrong type and a NaN cost their points, not the message.
        // A message has whole seconds and the malformed one bears its arrival, so look ahead: what
        // is older than the newest reading does not become the newest.
        let good = craneMessage(kilograms: 1111, at: KillTests.now + .seconds(30))
        try await broker.publish(
            topic, good.replacing(#""Weight":1.111"#, with: #""Weight":true"#))
        try await eventually("the wrong type") {
            try await latest("crane-1.wind_speed", daemon) == 3.2
        }
        #expect(try await latest("crane-1.load_mass", daemon) == nil)
        // The same message twice is one reading.
        let before = try await daemon.metric(
            "plumbline_readings_dropped_total", "reason=\"duplicate\"")
        try await broker.publish(topic, good)
        try await broker.publish(topic, good)
        try await eventually("the duplicate") {
            try await daemon.metric("plumbline_readings_dropped_total", "reason=\"duplicate\"")
                > before
        }
    }

    /// The newest value that the API tells of a series; nil while it is bad or missing.
    static func latest(_ series: String, _ daemon: Daemon) async throws -> Double? {
        guard let object = try? await daemon.json("/api/v1/devices"),
            let devices = object["devices"] as? [[String: Any]]
        else { return nil }
        for device in devices {
            for reading in device["readings"] as? [[String: Any]] ?? [] {
                let id = "\(device["id"] ?? "").\(reading["point"] ?? "")"
                guard id == series || reading["series"] as? String == series else { continue }
                guard reading["quality"] as? String == "good" else { return nil }
                return reading["value"] as? Double
            }
        }
        return nil
    }

    @Test(
        "goes on with one server dead: its device says so, the others are read",
        .timeLimit(.minutes(3)))
    func oneDeadServer() async throws {
        try await withTemporaryFolder { folder in
            let dead = try freePort()
            try await withPythonPeer("modbus_server.py", MeterRegisters.arguments) { modbus in
                var site = try TestSite(folder: folder)
                site.links = [
                    TestSite.meterLink(port: modbus),
                    """
                      - id: dead
                        modbus: tcp://127.0.0.1:\(dead)
                        devices:
                          - { id: meter-dead, profile: eastron/sdm630, unit: 1 }
                    """,
                ]
                _ = try await withDaemon(try site.write(), port: site.apiPort) { daemon in
                    try await eventually("the living meter", within: .seconds(60)) {
                        try await Self.latest("meter-1.frequency", daemon) == 50
                    }
                }
                try await Task.sleep(for: .milliseconds(1))
                let samples = try await site.samples("meter-dead.frequency")
                #expect(samples.allSatisfy { !$0.reading.isGood })
                #expect(samples.contains { $0.reading == .bad(.disconnected) })
            }
        }
    }
}
