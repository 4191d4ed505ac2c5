import Synchronization
import TestPeers
import Testing

@testable import FieldLinks

@Suite("Messages without acknowledgement and a fence behind them, with a real broker", .serialized)
struct MQTTFenceTests {
    /// Keeps the line of the newest connection.
    private final class Lines: Sendable {
        private let lines = Mutex<[MQTTLine]>([])
        var newest: MQTTLine? { lines.withLock { $0.last } }
        var count: Int { lines.withLock { $0.count } }

        var presence: MQTTPresence {
            var presence = MQTTPresence()
            presence.greeting = { line in
                self.lines.withLock { $0.append(line) }
                return []
            }
            return presence
        }
    }

    private func makePublisher(
        _ port: Int, _ lines: Lines, version: MQTTEndpoint.Version = .v311,
        _ change: (inout MQTTPublisher.Options) -> Void = { _ in }
    ) throws -> MQTTPublisher {
        var options = MQTTPublisher.Options()
        options.reconnect = quickly
        change(&options)
        var endpoint = MQTTEndpoint(host: "127.0.0.1", port: port, clientID: "plumbline-uplink")
        endpoint.version = version
        return try MQTTPublisher(
            endpoint, options: options, presence: lines.presence,
            clock: LinkClock(ContinuousClock()))
    }

    private func makeSubscriber(_ port: Int) throws -> MQTTLink {
        var options = MQTTLink.Options()
        options.reconnect = quickly
        options.window = 500
        return try MQTTLink(
            MQTTEndpoint(host: "127.0.0.1", port: port, clientID: "listener"),
            subscriptions: [.init(filter: "up/#")], options: options,
            clock: LinkClock(ContinuousClock()))
    }

    private func line(_ lines: Lines, after count: Int = 0) async throws -> MQTTLine {
        try await eventually("a connection") { lines.count > count }
        return try #require(lines.newest)
    }

    @Test(
        "the broker has taken all that was posted before, in its order",
        arguments: MQTTEndpoint.Version.allCases)
    func proves(version: MQTTEndpoint.Version) async throws {
        try await withBroker { broker in
            let (lines, log) = (Lines(), MessageLog())
            let subscriber = try makeSubscriber(broker.port)
            let publisher = try makePublisher(broker.port, lines, version: version)
            try await whileRunning(subscriber, log.take) {
                try await whileRunning(publisher) {
                    let line = try await line(lines)
                    try await eventually("the subscription") {
                        try await publisher.publish("up/ready", [1])
                        return !log.messages.isEmpty
                    }
                    for batch in 0..<20 {
                        line.post(
                            (0..<50).map {
                                let text = "\(batch * 50 + $0)"
                                return MQTTPublication(
                                    topic: "up/n", payload: Array(text.utf8), qos: 0)
                            })
                        try await publisher.fence(line)
                        // What the broker has taken a later subscriber's message cannot overtake.
                        try await broker.publish("up/after", "\(batch)")
                        try await eventually("the message behind") {
                            log.messages.contains {
                                $0.topic == "up/after" && $0.payload == Array("\(batch)".utf8)
                            }
                        }
                        let seen = log.messages.count { $0.topic == "up/n" }
                        #expect(seen == (batch + 1) * 50)
                    }
                }
            }
            let numbers = zip(log.messages, log.payloads)
                .filter { $0.0.topic == "up/n" }.compactMap { Int($0.1) }
            #expect(numbers == Array(0..<1000))
            #expect(log.messages.allSatisfy { $0.topic != "up/n" || $0.qos == 0 })
        }
    }

    @Test("before a broker that stands still it is not passed, and the connection is given up")
    func frozenBroker() async throws {
        try await withBroker { broker in
            let lines = Lines()
            let publisher = try makePublisher(broker.port, lines) {
                $0.timeout = .milliseconds(300)
            }
            try await whileRunning(publisher) {
                let line = try await line(lines)
                try await publisher.fence(line)
                try broker.freeze()
                line.post([MQTTPublication(topic: "up/a", payload: [1], qos: 0)])
                await #expect {
                    try await publisher.fence(line)
                } throws: { ($0 as? MQTTError)?.code == .timeout }
                try broker.thaw()
                // What was posted on the old line is nobody's; the next one works.
                let next = try await self.line(lines, after: 1)
                #expect(next.number > line.number)
                await #expect {
                    try await publisher.fence(line)
                } throws: { ($0 as? MQTTError)?.code == .disconnected }
                try await publisher.fence(next)
            }
        }
    }

    @Test("messages for a connection that is over never reach the next one")
    func staleMessages() async throws {
        try await withBroker { broker in
            let (lines, log) = (Lines(), MessageLog())
            let subscriber = try makeSubscriber(broker.port)
            let publisher = try makePublisher(broker.port, lines)
            try await whileRunning(subscriber, log.take) {
                try await whileRunning(publisher) {
                    let old = try await line(lines)
                    try await eventually("the subscription") {
                        try await publisher.publish("up/ready", [1])
                        return !log.messages.isEmpty
                    }
                    try hangUp(on: broker.port)
                    let new = try await line(lines, after: 1)
                    old.post([MQTTPublication(topic: "up/old", payload: [1], qos: 0)])
                    old.leave()
                    new.post([MQTTPublication(topic: "up/new", payload: [1], qos: 0)])
                    try await publisher.fence(new)
                    try await eventually("the new one") {
                        log.messages.contains { $0.topic == "up/new" }
                    }
                }
            }
            #expect(!log.messages.contains { $0.topic == "up/old" })
        }
    }

    @Test(
        "a message without acknowledgement that cannot be sent ends the connection it is missed on")
    func unsendable() async throws {
        try await withBroker { broker in
            let lines = Lines()
            let publisher = try makePublisher(broker.port, lines)
            try await whileRunning(publisher) {
                let line = try await line(lines)
                line.post([MQTTPublication(topic: "up/#", payload: [1], qos: 0)])
                await #expect {
                    try await publisher.fence(line)
                } throws: { error in
                    // Whether the fence was handed in before or after the end.
                    [.invalid, .disconnected].contains((error as? MQTTError)?.code)
                }
                _ = try await self.line(lines, after: 1)
            }
        }
    }
}
