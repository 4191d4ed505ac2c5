import FieldLinks
import Synchronization
import TestPeers
import Testing

@Suite("Publishing until the PUBACK, with a real broker", .serialized)
struct MQTTPublisherTests {
    private func makePublisher(
        _ port: Int, _ log: MessageLog = MessageLog(),
        _ change: (inout MQTTPublisher.Options) -> Void = { _ in }
    ) throws -> MQTTPublisher {
        var options = MQTTPublisher.Options()
        options.reconnect = quickly
        change(&options)
        return try MQTTPublisher(
            MQTTEndpoint(host: "127.0.0.1", port: port, clientID: "plumbline-uplink"),
            options: options, clock: LinkClock(ContinuousClock()), onEvent: log.note)
    }

    private func makeSubscriber(_ port: Int) throws -> MQTTLink {
        var options = MQTTLink.Options()
        options.reconnect = quickly
        options.window = 500
        options.maximumPayload = 8 << 20
        return try MQTTLink(
            MQTTEndpoint(host: "127.0.0.1", port: port, clientID: "listener"),
            subscriptions: [.init(filter: "up/#")], options: options,
            clock: LinkClock(ContinuousClock()))
    }

    @Test("many at once: each call returns at its own PUBACK and the broker has every message once")
    func publishes() async throws {
        try await withBroker { broker in
            let log = MessageLog()
            let subscriber = try makeSubscriber(broker.port)
            let publisher = try makePublisher(broker.port) { $0.maximumInFlight = 10 }
            try await whileRunning(subscriber, log.take) {
                try await whileRunning(publisher) {
                    try await eventually("the subscription") {
                        try await publisher.publish("up/ready", Array("ready".utf8))
                        return !log.messages.isEmpty
                    }
                    try await withThrowingTaskGroup { group in
                        for number in 0..<500 {
                            group.addTask {
                                try await publisher.publish("up/n", Array("\(number)".utf8))
                            }
                        }
                        try await group.waitForAll()
                    }
                    try await eventually("all") {
                        log.messages.count { $0.topic == "up/n" } >= 500
                    }
                }
            }
            let numbers = zip(log.messages, log.payloads)
                .filter { $0.0.topic == "up/n" }.compactMap { Int($0.1) }
            #expect(numbers.sorted() == Array(0..<500))
        }
    }

    @Test("without a broker a call times out and says why; with the broker back it succeeds")
    func recovers() async throws {
        try await withTemporaryFolder { folder in
            let port = try freePort()
            let log = MessageLog()
            let publisher = try makePublisher(port, log) { $0.timeout = .milliseconds(300) }
            try await whileRunning(publisher) {
                await #expect {
                    try await publisher.publish("up/a", [1])
                } throws: { error in
                    guard let error = error as? MQTTError else { return false }
                    return error.code == .timeout && error.cause.contains("no connection")
                }
                #expect(!publisher.isConnected)
                for _ in 0..<2 {
                    try await withBroker(port: port, folder: folder) { _ in
                        try await eventually("a connection") { publisher.isConnected }
                        try await publisher.publish("up/a", [2])
                    }
                    try await eventually("the news of the outage") { !publisher.isConnected }
                }
            }
            #expect(log.connections == 2)
            #expect(log.disconnections == 3)
        }
    }

    @Test("a broker that is frozen costs a time-out, not the caller")
    func frozenBroker() async throws {
        try await withBroker { broker in
            let publisher = try makePublisher(broker.port) { $0.timeout = .milliseconds(300) }
            try await whileRunning(publisher) {
                try await publisher.publish("up/a", [1])
                try broker.freeze()
                await #expect {
                    try await publisher.publish("up/a", [2])
                } throws: { ($0 as? MQTTError)?.code == .timeout }
                try broker.thaw()
                try await eventually("recovery") {
                    do {
                        try await publisher.publish("up/a", [3])
                        return true
                    } catch { return false }
                }
            }
        }
    }

    @Test("a topic with a wildcard is refused, and the next message goes through")
    func invalidTopic() async throws {
        try await withBroker { broker in
            let publisher = try makePublisher(broker.port)
            try await whileRunning(publisher) {
                await #expect {
                    try await publisher.publish("up/#", [1])
                } throws: { ($0 as? MQTTError)?.code == .invalid }
                try await publisher.publish("up/a", [Int](0..<3).map { UInt8($0) })
            }
            await #expect {
                try await publisher.publish("up/a", [1])
            } throws: { ($0 as? MQTTError)?.code == .stopped }
        }
    }

    @Test("a cancelled call returns at once, with or without a broker")
    func cancellation() async throws {
        let publisher = try makePublisher(try freePort())
        try await whileRunning(publisher) {
            let call = Task { try await publisher.publish("up/a", [1]) }
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
        }
    }
}
