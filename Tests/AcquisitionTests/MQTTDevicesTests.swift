import DeviceProfiles
import FieldLinks
import Foundation
import SparkplugWire
import Synchronization
import Telemetry
import TestPeers
import Testing

@testable import Acquisition

@Suite("Devices behind a broker", .serialized)
struct MQTTDevicesTests {
    private let log = EventLog()
    private let status = AcquisitionStatus()
    private let sink = RecordingSink()

    private func acquisition(
        _ port: Int, _ bindings: [MQTTBinding], rebirth: Bool = false,
        _ change: (inout MQTTLink.Options) -> Void = { _ in }
    ) throws -> MQTTAcquisition {
        var options = MQTTLink.Options()
        options.reconnect = .init(first: .milliseconds(20), ceiling: .milliseconds(100))
        change(&options)
        return try MQTTAcquisition(
            name: "broker",
            endpoint: MQTTEndpoint(host: "127.0.0.1", port: port, clientID: "gateway"),
            devices: bindings.enumerated().map {
                .init(
                    binding: $0.element,
                    group: TestSite.numbered($0.element.group, $0.offset + 1))
            },
            options: options, sink: sink, clock: LinkClock(ContinuousClock()),
            wallClock: SystemClock(), status: status, mayAskForBirths: rebirth, onEvent: log.note)
    }

    private func whileRunning(
        _ acquisition: MQTTAcquisition, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await acquisition.run() }
            defer { acquisition.stop() }
            try await body()
        }
    }

    private func thermometer(_ device: String, _ key: String, silentAfter: String) throws
        -> MQTTBinding
    {
        try TestSite.mqtt(
            device, key: key,
            """
            protocol: mqtt
            subscribe: "site/{device}/data"
            payload: text
            device_key: "{device}"
            time: {format: arrival}
            silent_after: \(silentAfter)
            points: {air_temperature: {at: payload, unit: Cel}}
            tests: [{name: one, given: {topic: site/k/data, payload: "1"}, expect: {air_temperature: 1}}]
            """)
    }

    @Test(
        "a device that falls silent is told once, reads as no value once, and is told when it is back"
    )
    func silence() async throws {
        let quiet = try thermometer("quiet", "Q", silentAfter: "600ms")
        let busy = try thermometer("busy", "B", silentAfter: "600ms")
        try await withBroker { broker in
            try await whileRunning(try acquisition(broker.port, [quiet, busy])) {
                try await eventually("both") {
                    try await broker.publish("site/Q/data", "1")
                    try await broker.publish("site/B/data", "1")
                    return Set(sink.scans.map(\.group.number)) == [1, 2]
                }
                for _ in 0..<15 {
                    try await broker.publish("site/B/data", "2")
                    try await Task.sleep(for: .milliseconds(100))
                }
                try await broker.publish("site/Q/data", "3")
                try await eventually("the return") {
                    log.events.contains(.deviceAnswers(link: "broker", device: DeviceID("quiet")))
                }
            }
        }
        let silent = log.events.compactMap { event -> DeviceID? in
            if case .deviceSilent(_, let device, _) = event { device } else { nil }
        }
        #expect(silent == [DeviceID("quiet")])
        let readings = sink.scans(of: 1).flatMap(\.readings)
        #expect(readings.count { $0 == .bad(.timeout) } == 1 && readings.last == .number(3))
        #expect(!sink.scans(of: 2).flatMap(\.readings).contains(.bad(.timeout)))
    }

    @Test("one message for many devices: a scan for each, in order, under one mark")
    func batches() async throws {
        let bindings = try ["A", "B", "C"].map { key in
            try TestSite.mqtt(
                key.lowercased(), key: key,
                """
                protocol: mqtt
                subscribe: gw/telemetry
                payload: json
                each: $
                samples: "@"
                device_key: "{name}"
                time: {at: "@.ts", format: epoch-ms}
                points: {air_temperature: {at: "@.t", unit: Cel}}
                tests: [{name: one, given: {topic: gw/telemetry, device: A, payload: {A: [{ts: 1000, t: 2}]}}, expect: {air_temperature: 2}}]
                """)
        }
        let message =
            #"{"B":[{"ts":1000,"t":1},{"ts":2000,"t":2}],"X":[{"ts":1000,"t":9}],"A":[{"ts":1000,"t":3}]}"#
        try await withBroker { broker in
            try await whileRunning(try acquisition(broker.port, bindings)) {
                try await eventually("the batch") {
                    try await broker.publish("gw/telemetry", message)
                    return !sink.admissions.isEmpty
                }
            }
        }
        let first = try #require(sink.admissions.first)
        #expect(first.scans.prefix(3).map(\.group.number) == [2, 2, 1])
        #expect(
            first.scans.prefix(3).map(\.readings) == [[.number(1)], [.number(2)], [.number(3)]])
        #expect(first.scans.prefix(3).map(\.time.milliseconds) == [1000, 2000, 1000])
        #expect(first.deliveries.count == first.scans.count / 3)
        #expect((status.links["broker"]?.refused[.unknownDevice] ?? 0) > 0)
    }

    private func sparkplug() throws -> MQTTBinding {
        try TestSite.mqtt(
            "edge", key: "G/N/D",
            """
            protocol: mqtt
            payload: sparkplug-b
            points: {air_temperature: {at: metric/T, unit: Cel}, voltage.l1: {at: metric/U, unit: V}}
            tests: [{name: one, given: {topic: spBv1.0/G/DDATA/N/D, payload: "1801"}, expect: {air_temperature: null}}]
            """)
    }

    private func reading(_ number: UInt16, _ now: Int64) -> ClockReading {
        ClockReading(
            bootID: "b", monotonic: now, wall: Timestamp(milliseconds: 1_795_219_500_000 + now),
            isTrusted: true)
    }

    @Test(
        "a Sparkplug device: rows carry on, go stale at a gap, go bad at the death, and history is history"
    )
    func rows() throws {
        let binding = try sparkplug()
        var router = MessageRouter(
            link: "l",
            targets: [.init(binding: binding, group: TestSite.numbered(binding.group, 1))],
            memory: 10, recent: [])
        let start: UInt64 = 1_795_219_500_000
        func send(
            _ kind: String, _ sequence: UInt64?, _ metrics: [(String, Double, UInt64, Bool)]
        ) -> [Scan] {
            let payload = SparkplugPayload(
                timestamp: start,
                metrics: metrics.map { name, value, time, isHistorical in
                    var metric = SparkplugPayload.Metric(
                        name: name, timestamp: start + time, datatype: 10, value: .double(value))
                    metric.isHistorical = isHistorical
                    return metric
                }, sequence: sequence)
            let outcome = router.route(
                [.init(topic: "spBv1.0/G/\(kind)", payload: payload.bytes, qos: 0)],
                now: reading(0, 5000))
            return outcome.scans
        }
        #expect(send("NBIRTH/N", 0, []).isEmpty)
        let birth = send("DBIRTH/N/D", 1, [("T", 20, 0, false), ("U", 230, 0, false)])
        #expect(birth.map(\.readings) == [[.number(20), .number(230)]])
        let news = send("DDATA/N/D", 2, [("T", 22, 2000, false), ("T", 21, 1000, false)])
        #expect(
            news.map(\.readings) == [[.number(21), .number(230)], [.number(22), .number(230)]])
        #expect(news.map(\.time.milliseconds) == [1000, 2000].map { Int64(start) + $0 })
        // Another device of the node takes part in the sequence.
        #expect(send("DDATA/N/E", 3, [("T", 1, 0, false)]).isEmpty)
        let history = send("DDATA/N/D", 4, [("T", 5, 0, true)])
        #expect(history.map(\.readings) == [[.number(5), .bad(.absent)]])
        #expect(history.map(\.flags) == [.backfill])
        let gap = send("DDATA/N/D", 6, [("T", 25, 3000, false)])
        #expect(
            gap.map(\.readings)
                == [[.bad(.stale), .bad(.stale)], [.number(25), .bad(.stale)]])
        #expect(
            send("NDEATH/N", nil, []).map(\.readings) == [
                [.bad(.disconnected), .bad(.disconnected)]
            ])
        #expect(send("NDEATH/N", nil, []).isEmpty)
    }

    @Test("a node is asked for a birth only where the site allows it", arguments: [true, false])
    func rebirth(isAllowed: Bool) async throws {
        let binding = try sparkplug()
        try await withBroker { broker in
            let commands = RecordingLink()
            let listener = try MQTTLink(
                MQTTEndpoint(host: "127.0.0.1", port: broker.port, clientID: "edge-node"),
                subscriptions: [.init(filter: "spBv1.0/G/NCMD/N")],
                clock: LinkClock(ContinuousClock()))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await listener.run { batch in
                        commands.take(batch.messages)
                        return {}
                    }
                }
                defer { listener.stop() }
                try await broker.publish("spBv1.0/G/NCMD/N", "here", retain: true)
                try await eventually("the listener") { !commands.payloads.isEmpty }
                try await whileRunning(
                    try acquisition(broker.port, [binding], rebirth: isAllowed)
                ) {
                    try await eventually("the notice") {
                        // Data of an alias that no birth has explained.
                        try await publishAlias(broker)
                        return log.events.contains {
                            if case .birthMissing = $0 { true } else { false }
                        }
                    }
                    if isAllowed {
                        try await eventually("the command") { commands.payloads.count > 1 }
                    } else {
                        try await Task.sleep(for: .milliseconds(300))
                    }
                }
            }
            #expect(commands.payloads.count == (isAllowed ? 2 : 1))
            if isAllowed, let last = commands.payloads.last {
                let metric = try SparkplugPayload(last).metrics.first
                #expect(metric?.name == "Node Control/Rebirth" && metric?.value == .boolean(true))
            }
        }
    }

    private func publishAlias(_ broker: Broker) async throws {
        // seq 1, one metric with alias 7 and the int value 1; all bytes are ASCII control characters.
        let payload = SparkplugPayload(
            timestamp: nil, metrics: [.init(name: nil, alias: 7, value: .int(1))], sequence: 1)
        try await broker.publish(
            "spBv1.0/G/DDATA/N/D", String(decoding: payload.bytes, as: UTF8.self))
    }

    /// Bytes that the process holds in memory.
    private var residentBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4096
    }

    @Test("a flood of garbage is counted, told twice at most, and costs the good messages nothing")
    func flood() async throws {
        let bindings = try ["K1", "K2"].map { try TestSite.thermometer($0.lowercased(), key: $0) }
        let count = 40_000
        try await withBroker(lines: ["autosave_on_changes false"]) { broker in
            let acquisition = try acquisition(broker.port, bindings) {
                $0.window = 200
                $0.maximumPayload = 4096
            }
            try await whileRunning(acquisition) {
                try await eventually("the subscription") {
                    try await broker.publish("site/K2/data", #"{"t": 0}"#)
                    return !sink.scans(of: 2).isEmpty
                }
                let before = residentBytes
                let start = ContinuousClock.now
                async let flood: Void = broker.publish(
                    "site/K1/data", lines: (0..<count).map { "garbage \($0)" })
                var slowest = Duration.zero
                for number in 1...20 {
                    let sent = ContinuousClock.now
                    try await broker.publish("site/K2/data", "{\"t\": \(number)}")
                    try await eventually("a good message") {
                        sink.scans(of: 2).last?.readings == [.number(Double(number))]
                    }
                    slowest = max(slowest, ContinuousClock.now - sent)
                }
                try await flood
                try await broker.publish("site/K1/data", String(repeating: "x", count: 100_000))
                try await eventually("all of it") {
                    (status.links["broker"]?.refused[.malformed] ?? 0) >= UInt64(count)
                        && (status.links["broker"]?.refused[.oversized] ?? 0) == 1
                }
                let took = ContinuousClock.now - start
                let rate = Double(count) * 1000 / Double(took.milliseconds)
                let grown = (residentBytes - before) / 1024
                print(
                    "flood: \(Int(rate)) messages of garbage a second, good ones within \(slowest), "
                        + "memory grew by \(grown) KiB")
                #expect(slowest < .seconds(5))
                #expect(grown < 64 * 1024)
                // Evidence is bounded by time, not by the number of messages.
                #expect(sink.scans(of: 1).count <= Int(took.milliseconds / 1000) + 2)
            }
        }
        let told = log.events.filter { if case .messageRefused = $0 { true } else { false } }
        #expect(told.count <= 2 + Int(count / 1_000_000), "\(told.count)")
    }
}

/// Keeps the payloads of a link.
private final class RecordingLink: Sendable {
    private let state = Mutex<[[UInt8]]>([])
    var payloads: [[UInt8]] { state.withLock { $0 } }
    func take(_ batch: [MQTTMessage]) { state.withLock { $0 += batch.map(\.payload) } }
}
