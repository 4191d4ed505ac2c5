import Delivery
import FieldLinks
import Synchronization
import Telemetry
import TestPeers
import Testing
import UplinkFormats

/// What a strict host holds of an edge node, behind a real broker.
@Suite("Sparkplug, judged by a host behind a real broker", .serialized)
struct SparkplugTests {
    private struct NotAccepted: Error { var outcomes: [Outcome] }

    /// The gateway's side: a station and its publisher.
    private struct Gateway: Sendable {
        let publisher: MQTTPublisher
        let transport: SparkplugUplinkTransport
        let kept = Kept()

        final class Kept: Sendable {
            private let numbers = Mutex<[String]>([])
            var all: [String] { numbers.withLock { $0 } }
            func keep(_ setting: PlatformSetting) {
                numbers.withLock { $0.append("\(setting.name)=\(setting.value)") }
            }
        }

        init(
            _ port: Int, host: String?, version: MQTTEndpoint.Version = .v311,
            settings: [PlatformSetting] = []
        ) throws {
            let station = SparkplugStation(
                SparkplugIdentity(group: "site", node: "gw", primaryHost: host),
                clock: LinkClock(ContinuousClock()), wallClock: MachineClock(), settings: settings)
            var options = MQTTPublisher.Options()
            options.reconnect = .init(first: .milliseconds(20), ceiling: .milliseconds(100))
            var endpoint = MQTTEndpoint(host: "127.0.0.1", port: port, clientID: "plumbline-spb")
            endpoint.version = version
            publisher = try MQTTPublisher(
                endpoint, options: options, presence: station.presence,
                clock: LinkClock(ContinuousClock()))
            transport = SparkplugUplinkTransport(
                publisher: publisher, station: station, clock: LinkClock(ContinuousClock()),
                retryAfter: .milliseconds(20)
            ) { [kept] in kept.keep($0) }
        }

        /// Runs the publisher beside `body` and stops it afterwards.
        func running(_ body: @escaping @Sendable () async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await publisher.run() }
                defer { publisher.stop() }
                try await body()
            }
        }

        /// Sends until all is accepted, as the delivery loop does.
        func deliver(_ items: [UplinkItem]) async throws {
            try await eventually("the items are accepted") {
                await transport.send(items).allSatisfy { $0 == .accepted }
            }
        }

        /// The reason for which an item has to wait.
        func reason(_ item: UplinkItem) async throws -> String {
            let outcomes = await transport.send([item])
            guard case .retry(_, let reason)? = outcomes.first else {
                throw NotAccepted(outcomes: outcomes)
            }
            return reason
        }
    }

    /// 2026-11-21T00:00:00Z.
    private static let start = Timestamp(milliseconds: 1_795_219_200_000)

    /// A minute of six readings, the third of them bad.
    private static func minute(
        _ number: Int, _ device: String = "dust", isBacklog: Bool = false
    ) -> UplinkItem {
        let begin = start + .seconds(60 * number)
        let series = Series(
            id: SeriesID(device: DeviceID(device), point: PointKey("pm10")), kind: .gauge,
            unit: "ug/m3")
        let samples = (0..<6).map { index in
            Sample(
                time: begin + .seconds(10 * index),
                reading: index == 2 ? .bad(.timeout) : .number(Double(number * 10 + index)))
        }
        return UplinkItem(
            site: SiteID("hz"), kind: "raw/1min", scope: "\(device)/rs485/normal",
            device: DeviceID(device), start: begin, end: begin + .seconds(60), revision: 0,
            isBacklog: isBacklog,
            entries: [.init(series: series, rollup: Rollup(), samples: samples)])
    }

    private static func keys(_ items: [UplinkItem]) -> Set<String> {
        var keys: Set<String> = []
        for entry in items.flatMap(\.entries) {
            for sample in entry.samples {
                keys.insert(
                    "site/gw/\(entry.series.id.device)|pm10|\(sample.time.milliseconds)="
                        + "\(sample.reading.number.map { "\($0)" } ?? "null")")
            }
        }
        return keys
    }

    /// What the host has taken as data, births left out.
    private static func taken(_ host: JudgingPlatform) async throws -> Set<String> {
        var keys: Set<String> = []
        for record in try await host.list("ledger") {
            guard let key = record["key"] as? String, !key.hasPrefix("birth|") else { continue }
            let values = record["values"] as? [String: Any]
            keys.insert("\(key)=\((values?["pm10"] as? Double).map { "\($0)" } ?? "null")")
        }
        return keys
    }

    private static func events(_ host: JudgingPlatform, _ name: String) async throws -> [Int] {
        try await host.list("events").filter { $0["event"] as? String == name }
            .compactMap { $0["bd_seq"] as? Int }
    }

    private static func arguments(_ broker: Broker, host: String?) -> [String] {
        ["--broker", "\(broker.port)", "--style", "sparkplug"]
            + (host.map { ["--host-id", $0] } ?? [])
    }

    @Test(
        "what is accepted the host has, whatever was cut; births come first and without a gap",
        .timeLimit(.minutes(2)), arguments: MQTTEndpoint.Version.allCases)
    func connectionsAreCut(version: MQTTEndpoint.Version) async throws {
        try await withBroker { broker in
            try await withJudgingPlatform("mqtt_platform.py", Self.arguments(broker, host: nil)) {
                host in
                let gateway = try Gateway(
                    broker.port, host: nil, version: version,
                    settings: [PlatformSetting(name: "sparkplug_bdseq", value: "254")])
                try await gateway.running {
                    try await gateway.deliver([Self.minute(0), Self.minute(0, "crane")])
                    try await gateway.deliver((1...30).map { Self.minute($0) })
                    for round in 0..<2 {
                        try await cut(gateway.publisher, broker.port)
                        try await gateway.deliver([Self.minute(40 + round)])
                    }
                    let command = try await host.say("command", ["rebirth": "site/gw"])
                    #expect(command["complete"] as? Bool == true)
                    try await gateway.deliver([Self.minute(50, "crane")])
                }
                let told =
                    [Self.minute(0, "crane"), Self.minute(50, "crane"), Self.minute(40)]
                    + [Self.minute(41)] + (0...30).map { Self.minute($0) }
                try await eventually("the last death") {
                    try await Self.events(host, "died").count >= 3
                }
                #expect(try await Self.taken(host) == Self.keys(told))
                let refused = try await host.list("refused")
                #expect(refused.isEmpty, "\(refused)")
                // 254 was the last one before; the rebirth keeps the third.
                #expect(try await Self.events(host, "born") == [255, 0, 1, 1])
                #expect(try await Self.events(host, "died") == [255, 0, 1])
                #expect(
                    gateway.kept.all
                        == ["sparkplug_bdseq=255", "sparkplug_bdseq=0", "sparkplug_bdseq=1"])
            }
        }
    }

    /// Cuts the gateway's connection and waits until the next one stands.
    private func cut(_ publisher: MQTTPublisher, _ port: Int) async throws {
        let before = publisher.connection
        try hangUp(on: port)
        try await eventually("a new connection") { publisher.connection > before }
    }

    @Test(
        "while the primary host is away items wait; then it gets all of them and none twice",
        .timeLimit(.minutes(2)))
    func hostIsAway() async throws {
        try await withBroker { broker in
            let gateway = try Gateway(broker.port, host: "scada")
            try await gateway.running {
                let first = Self.minute(0)
                try await eventually("a connection") { gateway.publisher.isConnected }
                #expect(try await gateway.reason(first).contains("has not said"))
                try await withJudgingPlatform(
                    "mqtt_platform.py", Self.arguments(broker, host: "scada")
                ) { host in
                    try await gateway.deliver([first])
                    // It dies perhaps before it has read that; its will says that it is gone.
                    _ = try await host.say("misbehave", ["mode": "close"])
                    let second = Self.minute(1, isBacklog: true)
                    try await eventually("a connection of its own") {
                        gateway.publisher.connection == 2
                    }
                    try await eventually("the broker's word of it") {
                        try await gateway.reason(second).contains("offline")
                    }
                    _ = try await host.say("misbehave", ["mode": "off"])
                    try await gateway.deliver([second])
                    try await eventually("all of it") {
                        try await Self.taken(host) == Self.keys([first, second])
                    }
                    let records = try await host.list("ledger")
                    // What was owed came while the host was there, and as what it is.
                    let late = records.filter {
                        $0["historical"] as? Bool == true && $0["host"] as? String == "online"
                    }.compactMap { $0["key"] as? String }
                    let owed = Self.keys([second]).map { String($0.prefix { $0 != "=" }) }
                    #expect(Set(owed).isSubset(of: late))
                    // A state that is older than the one that counts changes nothing.
                    _ = try await host.say(
                        "command",
                        [
                            "publish": "spBv1.0/STATE/scada", "retain": true,
                            "text": #"{"online":false,"timestamp":1000000000000}"#,
                        ])
                    try await gateway.deliver([Self.minute(2)])
                    #expect(gateway.publisher.connection == 2)
                    let refused = try await host.list("refused")
                    #expect(refused.isEmpty, "\(refused)")
                }
            }
        }
    }

    @Test("a plain platform finds the gateway's status, and who has died leaves its will")
    func status() async throws {
        try await withBroker { broker in
            try await withJudgingPlatform("mqtt_platform.py", ["--broker", "\(broker.port)"]) {
                platform in
                let calendar = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
                var options = MQTTPublisher.Options()
                options.reconnect = .init(first: .milliseconds(20), ceiling: .milliseconds(100))
                let publisher = try MQTTPublisher(
                    MQTTEndpoint(host: "127.0.0.1", port: broker.port, clientID: "plumbline-up"),
                    options: options,
                    presence: MQTTUplinkTransport.presence(
                        topicPrefix: "hz/up/", calendar: calendar, wallClock: MachineClock()),
                    clock: LinkClock(ContinuousClock()))
                let transport = MQTTUplinkTransport(
                    publisher: publisher, topicPrefix: "hz/up/", format: PlumblineJSONFormat(),
                    calendar: calendar, clock: LinkClock(ContinuousClock()))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await publisher.run() }
                    defer { publisher.stop() }
                    #expect(await transport.send(Self.minute(0)) == .accepted)
                    try hangUp(on: broker.port)
                    try await eventually("a new connection") { publisher.connection == 2 }
                    #expect(await transport.send(Self.minute(1)) == .accepted)
                }
                try await eventually("the farewell") { try await statuses(platform).count == 4 }
                let said = try await statuses(platform)
                let words = said.map { $0.split(separator: "\"").map(String.init) }
                #expect(words.map { $0[3] } == ["online", "offline", "online", "offline"])
                #expect(said[1].contains(#""reason":"lost","online_since":"20"#))
                #expect(said[3].contains(#""reason":"stopped","since":"20"#))
                #expect(said[0].hasPrefix(#"{"status":"online","since":"20"#))
                #expect(try await platform.list("refused").isEmpty)
                #expect(try await platform.list("ledger").count == 2)
            }
        }
    }

    private func statuses(_ platform: JudgingPlatform) async throws -> [String] {
        try await platform.list("events").compactMap { event in
            guard event["event"] as? String == "status",
                event["topic"] as? String == "hz/up/status",
                event["retain"] as? Bool == true
            else { return nil }
            return event["text"] as? String
        }
    }
}
