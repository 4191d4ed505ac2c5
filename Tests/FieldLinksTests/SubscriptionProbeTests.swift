import FieldLinks
import Foundation
import TestPeers
import Testing

@testable import FieldLinks

@Suite("A link that watches its own subscriptions")
struct SubscriptionProbeTests {
    @Test("an echo that stays away is a new subscription, then a new connection, then the end")
    func steps() {
        var probe = SubscriptionProbe(limit: .seconds(60))
        probe.connected(at: .zero)
        #expect(probe.step(at: .zero) == .send)
        probe.echoed(at: .seconds(1))
        #expect(probe.step(at: .seconds(20)) == .rest)
        #expect(probe.step(at: .seconds(21)) == .send)
        // Noticed within the limit after the last echo.
        #expect(probe.step(at: .seconds(40)) == .rest)
        #expect(probe.step(at: .seconds(41)) == .subscribeAgain(silentFor: .seconds(40)))
        #expect(probe.step(at: .seconds(60)) == .rest)
        #expect(probe.step(at: .seconds(61)) == .reconnect)
        probe.connected(at: .seconds(62))
        #expect(probe.step(at: .seconds(62)) == .send)
        #expect(probe.step(at: .seconds(82)) == .giveUp)
        #expect(probe.isOff && probe.step(at: .seconds(200)) == .rest)
    }

    @Test("messages in between hold the judgement back; the echo may stand in line behind them")
    func underLoad() {
        var probe = SubscriptionProbe(limit: .seconds(3))
        probe.connected(at: .zero)
        #expect(probe.step(at: .zero) == .send)
        probe.echoed(at: .zero)
        #expect(probe.step(at: .seconds(1)) == .send)
        for second in 2..<100 {
            probe.heard(at: .seconds(second))
            #expect(probe.step(at: .milliseconds(second * 1000 + 900)) == .rest)
        }
        #expect(probe.step(at: .seconds(100)) == .subscribeAgain(silentFor: .seconds(100)))
    }

    @Test("a broker that never answers, refuses or hangs up twice is not asked again")
    func forbidden() {
        var mute = SubscriptionProbe(limit: .seconds(3))
        mute.connected(at: .zero)
        #expect(mute.step(at: .zero) == .send)
        #expect(mute.step(at: .seconds(1)) == .send)
        #expect(mute.step(at: .seconds(2)) == .giveUp)
        var refusing = SubscriptionProbe(limit: .seconds(3))
        #expect(refusing.refused() == .giveUp && refusing.refused() == .rest)
        var harsh = SubscriptionProbe(limit: .seconds(3))
        for expected in [SubscriptionProbe.Step.rest, .giveUp] {
            harsh.connected(at: .zero)
            #expect(harsh.step(at: .zero) == .send)
            #expect(harsh.lost() == expected)
        }
        var off = SubscriptionProbe(limit: nil)
        off.connected(at: .zero)
        #expect(off.step(at: .seconds(999)) == .rest)
    }
}

@Suite("Brokers that misbehave", .serialized)
struct MisbehavingBrokerTests {
    private func makeLink(
        _ port: Int, _ log: MessageLog, clientID: String = "plumbline-test",
        version: MQTTEndpoint.Version = .v311, timeout: Duration = .seconds(1),
        _ change: (inout MQTTLink.Options) -> Void = { _ in }
    ) throws -> MQTTLink {
        var options = MQTTLink.Options()
        options.reconnect = quickly
        options.probe = .milliseconds(600)
        change(&options)
        var endpoint = MQTTEndpoint(
            host: "127.0.0.1", port: port, clientID: clientID, connectTimeout: timeout)
        endpoint.version = version
        return try MQTTLink(
            endpoint, subscriptions: [.init(filter: "t/#")], options: options,
            clock: LinkClock(ContinuousClock()), onEvent: log.note)
    }

    @Test("subscriptions that vanish behind a standing connection are noticed and made again")
    func amnesia() async throws {
        let port = try freePort()
        try await withPythonPeer("mqtt_proxy.py", ["\(port)", "amnesia"]) { proxy in
            let log = MessageLog()
            let link = try makeLink(proxy, log)
            try await whileRunning(link, log.take) {
                try await withBroker(port: port, end: .abruptly) { broker in
                    try await broker.publish("t/ready", "ready", retain: true)
                    try await eventually("the subscription") { log.payloads.contains("ready") }
                    // The first echo, which proves that the probe works here.
                    try await Task.sleep(for: .milliseconds(500))
                }
                try await withBroker(port: port) { broker in
                    try await eventually("the notice") {
                        log.events.contains {
                            if case .subscriptionLost = $0 { true } else { false }
                        }
                    }
                    // The subscription may still be on its way.
                    try await eventually("a message") {
                        try await broker.publish("t/again", "again")
                        return log.payloads.contains("again")
                    }
                    // It holds: nothing is lost or doubled from here on.
                    try await broker.publish("t/data", lines: (0..<50).map { "\($0)" })
                    try await eventually("the rest") { log.payloads.contains("49") }
                }
            }
            let data = log.messages.filter { $0.topic == "t/data" }
            #expect(
                data.map { String(decoding: $0.payload, as: UTF8.self) } == (0..<50).map { "\($0)" }
            )
            // The connection stood all the time: this is what keep-alive cannot see.
            #expect(log.connections == 1 && log.disconnections == 0)
            #expect(!log.messages.contains { $0.topic.hasSuffix("/probe") })
        }
    }

    @Test("what is subscribed again gets the time of a subscription, not what the first has left")
    func lateAnswer() async throws {
        try await withBroker { broker in
            try await withPythonPeer("mqtt_proxy.py", ["\(broker.port)", "late"]) { proxy in
                let log = MessageLog()
                let link = try makeLink(proxy, log, timeout: .seconds(2)) {
                    $0.probe = .milliseconds(4500)
                }
                try await whileRunning(link, log.take) {
                    try await eventually("the notice") {
                        log.events.contains {
                            if case .subscriptionLost = $0 { true } else { false }
                        }
                    }
                    try await broker.publish("t/data", "1")
                    try await eventually("a message") { log.payloads.contains("1") }
                }
                #expect(log.connections == 1 && log.disconnections == 0)
            }
        }
    }

    @Test("a broker restarted without its sessions is noticed at the greeting")
    func sessionLost() async throws {
        let port = try freePort()
        let log = MessageLog()
        let link = try makeLink(port, log)
        try await whileRunning(link, log.take) {
            try await withBroker(port: port, end: .abruptly) { _ in
                try await eventually("the link") { log.connections == 1 }
            }
            try await eventually("the outage") {
                if case .disconnected? = log.events.last { true } else { false }
            }
            try await withBroker(port: port) { broker in
                try await eventually("a message") {
                    try await broker.publish("t/x", "x")
                    return log.payloads.contains("x")
                }
            }
        }
        #expect(log.events.contains(.sessionLost))
    }

    @Test("a broker that forbids the probe's topic switches it off and stays in use")
    func accessList() async throws {
        try await withTemporaryFolder { folder in
            try "topic readwrite t/#\n"
                .write(toFile: folder + "/acl", atomically: true, encoding: .utf8)
            try await withBroker(folder: folder, lines: ["acl_file \(folder)/acl"]) { broker in
                let log = MessageLog()
                let link = try makeLink(broker.port, log)
                try await whileRunning(link, log.take) {
                    try await eventually("the end of the probe") {
                        log.events.contains { if case .probeOff = $0 { true } else { false } }
                    }
                    try await broker.publish("t/x", "x")
                    try await eventually("a message") { log.payloads.contains("x") }
                }
                // mosquitto 2.0.11 hangs up on a forbidden message: twice, and never again.
                #expect(log.connections <= 3, "\(log.events)")
            }
        }
    }

    @Test("a broker that hangs up on the probe is not asked twice")
    func hangsUp() async throws {
        try await withBroker { broker in
            try await withPythonPeer("mqtt_proxy.py", ["\(broker.port)", "hangup"]) { proxy in
                let log = MessageLog()
                let link = try makeLink(proxy, log)
                try await whileRunning(link, log.take) {
                    try await eventually("the end of the probe") {
                        log.events.contains { if case .probeOff = $0 { true } else { false } }
                    }
                    try await eventually("a message") {
                        try await broker.publish("t/x", "x")
                        return log.payloads.contains("x")
                    }
                }
            }
        }
    }

    @Test(
        "a broker that accepts and never answers is left after the time-out, and stopping is quick")
    func silent() async throws {
        try await withPythonPeer("mqtt_proxy.py", ["1", "silent"]) { proxy in
            let log = MessageLog()
            let link = try makeLink(proxy, log)
            try await whileRunning(link, log.take) {
                try await eventually("a word") { !log.events.isEmpty }
            }
            guard case .disconnected(let error)? = log.events.first else {
                Issue.record("\(log.events)")
                return
            }
            #expect(error.cause.contains("no greeting within"))
        }
    }

    @Test(
        "two links with one client id: said plainly and once, and backed off",
        arguments: MQTTEndpoint.Version.allCases)
    func takenOver(version: MQTTEndpoint.Version) async throws {
        try await withBroker { broker in
            let (first, second) = (MessageLog(), MessageLog())
            let one = try makeLink(broker.port, first, version: version) {
                $0.reconnect = .init(first: .milliseconds(20), ceiling: .seconds(5))
            }
            let two = try makeLink(broker.port, second, version: version) {
                $0.reconnect = .init(first: .milliseconds(20), ceiling: .seconds(5))
            }
            @Sendable func saidSo(_ log: MessageLog) -> Bool {
                log.events.contains {
                    if case .disconnected(let error) = $0 {
                        error.code == .takenOver && error.cause.contains("plumbline-test")
                    } else {
                        false
                    }
                }
            }
            try await whileRunning(one, first.take) {
                try await whileRunning(two, second.take) {
                    try await eventually("the word") { saidSo(first) || saidSo(second) }
                    let words = first.events.count + second.events.count
                    try await Task.sleep(for: .seconds(2))
                    // Without the judgement: a hundred times up and down.
                    #expect(first.events.count + second.events.count <= words + 4)
                }
            }
        }
    }

    @Test("members of a shared subscription get each message once between them")
    func shared() async throws {
        try await withBroker { broker in
            let (first, second) = (MessageLog(), MessageLog())
            // Long enough that a machine with much else to do is not taken for a broker that forbids.
            let one = try makeLink(broker.port, first, clientID: "one") {
                ($0.share, $0.probe) = ("gateways", .seconds(3))
            }
            let two = try makeLink(broker.port, second, clientID: "two") {
                ($0.share, $0.probe) = ("gateways", .seconds(3))
            }
            try await whileRunning(one, first.take) {
                try await whileRunning(two, second.take) {
                    try await eventually("both") {
                        try await broker.publish("t/warm", "warm")
                        return !first.messages.isEmpty && !second.messages.isEmpty
                    }
                    try await broker.publish("t/data", lines: (0..<100).map { "\($0)" })
                    try await eventually("all") {
                        (first.messages + second.messages).count { $0.topic == "t/data" } >= 100
                    }
                    // The probes work through the share too.
                    try await Task.sleep(for: .seconds(1))
                }
            }
            let data = (first.messages + second.messages).filter { $0.topic == "t/data" }
            #expect(
                Set(data.map { String(decoding: $0.payload, as: UTF8.self) }).count == 100
                    && data.count == 100)
            #expect(
                !(first.events + second.events).contains {
                    if case .probeOff = $0 { true } else { false }
                })
        }
    }
}
