import Foundation
import Store
import Subprocess
import Telemetry
import TestPeers
import Testing

/// What mosquitto's own subscriber collected: one line for each message.
private struct Collected {
    var messages: [[String: Any]] = []

    init(_ text: String) {
        messages = text.split(separator: "\n").compactMap {
            (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
        }
    }

    var keys: Set<String> { Set(messages.compactMap { $0["key"] as? String }) }
}

@Suite("The MQTT uplink", .serialized)
struct UplinkOutageTests {
    /// Seconds for which the platform's broker is away; `OUTAGE_SECONDS=120` for a longer look.
    static let outage =
        ProcessInfo.processInfo.environment["OUTAGE_SECONDS"].flatMap { Int($0) } ?? 15

    @Test("sends every closed bucket although the broker was away", .timeLimit(.minutes(10)))
    func everythingArrives() async throws {
        try await withTemporaryFolder { folder in
            let platform = try freePort()
            try await withPythonPeer("modbus_server.py", MeterRegisters.arguments) { modbus in
                var site = try TestSite(folder: folder)
                site.links = [TestSite.meterLink(port: modbus)]
                site.uplinks = [
                    """
                      - { id: city, mqtt: "mqtt://127.0.0.1:\(platform)", topic: site/test,
                          resolution: 1min, correction_spacing: 1 s }
                    """
                ]
                try FileManager.default.createDirectory(
                    atPath: folder + "/broker", withIntermediateDirectories: true)
                try await outage(site, platform: platform, brokerFolder: folder + "/broker")
            }
        }
    }

    @Test(
        "sends a correction with a higher revision when a late reading came",
        .timeLimit(.minutes(5)))
    func lateReadingIsCorrected() async throws {
        try await withTemporaryFolder { folder in
            try await withBroker { broker in
                var site = try TestSite(folder: folder)
                site.links = [
                    TestSite.craneLink(port: broker.port).replacing(
                        "    window: 20", with: "    lateness: 2 s\n    window: 20")
                ]
                site.uplinks = [
                    """
                      - { id: city, mqtt: "mqtt://127.0.0.1:\(broker.port)", topic: site/test,
                          resolution: 1min, correction_spacing: 1 s }
                    """
                ]
                _ = try await Self.collect(port: broker.port, seconds: 1)
                let collected = try await withDaemon(try site.write(), port: site.apiPort) {
                    try await Self.sendLate(broker, $0)
                }.result
                let revisions = Collected(collected).messages.compactMap { message -> String? in
                    guard let revision = message["revision"] as? Int,
                        let series = message["series"] as? [[String: Any]],
                        let load = series.first(where: {
                            ($0["id"] as? String)?.hasSuffix("load_mass") == true
                        }), let count = load["count"] as? Int, count > 0
                    else { return nil }
                    return "\(message["key"] ?? "") revision \(revision): \(count)"
                }
                #expect(revisions.count == 2, "\(revisions)")
                #expect(revisions.first?.hasSuffix("revision 0: 1") == true, "\(revisions)")
                #expect(revisions.last?.hasSuffix("revision 1: 2") == true, "\(revisions)")
            }
        }
    }

    /// Publishes a reading, waits until its minute is reported, publishes an older one.
    private static func sendLate(_ broker: Broker, _ daemon: Daemon) async throws -> String {
        let topic = "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane"
        try await eventually("the link") {
            try await daemon.metric("plumbline_link_connected") == 1
        }
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        // Both readings in one minute: the middle of the present one, or of the next.
        let minute = (now + .seconds(15)).slot(every: .seconds(60))
        let middle = minute + .seconds(30)
        try await broker.publish(topic, craneMessage(kilograms: 2000, at: middle))
        try await eventually("the report of the minute", within: .seconds(150)) {
            try await daemon.metric("plumbline_uplink_attempts_total", "accepted") > 0
        }
        try await broker.publish(
            topic, craneMessage(kilograms: 1000, at: middle - .seconds(10)))
        try await Task.sleep(for: .seconds(20))
        return try await collect(port: broker.port, seconds: 2)
    }

    private func outage(_ site: TestSite, platform: Int, brokerFolder: String) async throws {
        let arguments = try site.write()
        let (collected, owed) = try await withDaemon(arguments, port: site.apiPort) { daemon in
            // The first minute closes while the platform is there, the second while it is away.
            try await withBroker(port: platform, folder: brokerFolder) { _ in
                _ = try await Self.collect(port: platform, seconds: 1)
                try await eventually("a first bucket", within: .seconds(100)) {
                    try await daemon.metric("plumbline_uplink_attempts_total", "accepted") > 0
                }
            }
            try await Task.sleep(for: .seconds(Self.outage))
            try await eventually("a bucket that is owed", within: .seconds(100)) {
                try await daemon.metric("plumbline_uplink_owed_items") > 0
            }
            // Taken before the platform is back: a minute may close while its messages are collected.
            let owed = try await site.closedMinutes()
            let collected = try await withBroker(port: platform, folder: brokerFolder) { _ in
                try await eventually("nothing owed", within: .seconds(60)) {
                    try await daemon.metric("plumbline_uplink_owed_items") == 0
                }
                return try await Self.collect(port: platform, seconds: 3)
            }
            return (collected, owed)
        }.result
        let messages = Collected(collected)
        let minutes = try await site.closedMinutes()
        print(
            "uplink test: \(owed.count) buckets closed, \(minutes.count) in the end, "
                + "\(messages.messages.count) messages, \(messages.keys.count) different keys")
        #expect(owed.count >= 2)
        #expect(messages.keys.isSuperset(of: owed), "missing: \(owed.subtracting(messages.keys))")
        #expect(
            messages.keys.isSubset(of: minutes), "unknown: \(messages.keys.subtracting(minutes))")
    }

    /// A persistent subscriber: what was published since its last visit, one message a line.
    static func collect(port: Int, seconds: Int) async throws -> String {
        let result = try await run(
            .path("/usr/bin/mosquitto_sub"),
            arguments: [
                "-h", "127.0.0.1", "-p", "\(port)", "-t", "site/test/#", "-q", "1", "-c", "-i",
                "collector", "-W", "\(seconds)",
            ], input: .none, output: .string(limit: 8 << 20), error: .discarded)
        return result.standardOutput
    }
}

extension TestSite {
    /// The idempotency keys that the stored minutes of the meter call for.
    func closedMinutes() async throws -> Set<String> {
        let store = try Store.openReadOnly(directory: dataFolder, calendar: .utc)
        defer { try? store.close() }
        let registry = try await store.reader.registry()
        var keys: Set<String> = []
        for group in registry.groups where group.device == DeviceID("meter-1") {
            guard let series = group.series.first else { continue }
            let rows = try await store.reader.rollups(
                series: series.number, resolution: .minute, from: Timestamp(milliseconds: 0),
                to: Timestamp(milliseconds: 4_000_000_000_000))
            for row in rows {
                keys.insert(
                    "test-site|rollup/1min|\(group.scope)|\(row.bucket.start.rfc3339())")
            }
        }
        return keys
    }
}
