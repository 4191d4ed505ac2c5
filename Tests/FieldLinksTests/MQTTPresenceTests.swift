import Synchronization
import TestPeers
import Testing

@testable import FieldLinks

@Suite("What a publisher says of itself on each connection, with a real broker", .serialized)
struct MQTTPresenceTests {
    private final class Heard: Sendable {
        private let texts = Mutex<[String]>([])
        var all: [String] { texts.withLock { $0 } }
        func note(_ text: String) { texts.withLock { $0.append(text) } }
    }

    private func message(
        _ topic: String, _ text: String, isRetained: Bool = false
    ) -> MQTTPublication {
        MQTTPublication(topic: topic, payload: Array(text.utf8), isRetained: isRetained)
    }

    /// Says of each connection its number.
    private func presence(_ heard: Heard = Heard()) -> MQTTPresence {
        var presence = MQTTPresence()
        presence.will = { message("gw/status", "lost \($0)", isRetained: true) }
        presence.greeting = { [message("gw/status", "here \($0.number)", isRetained: true)] }
        presence.farewell = { [message("gw/status", "gone \($0.number)", isRetained: true)] }
        presence.ended = { heard.note("ended \($0)") }
        presence.subscriptions = [.init(filter: "gw/command"), .init(filter: "gw/host")]
        presence.hears = { message, line in
            let text = String(decoding: message.payload, as: UTF8.self)
            heard.note("\(text) on \(line.number)\(message.isRetained ? " kept" : "")")
            if text == "leave" { line.leave() }
        }
        return presence
    }

    private func makePublisher(
        _ port: Int, _ presence: MQTTPresence, _ log: MessageLog = MessageLog()
    ) throws -> MQTTPublisher {
        var options = MQTTPublisher.Options()
        options.reconnect = quickly
        return try MQTTPublisher(
            MQTTEndpoint(host: "127.0.0.1", port: port, clientID: "plumbline-uplink"),
            options: options, presence: presence, clock: LinkClock(ContinuousClock()),
            onEvent: log.note)
    }

    private func makeSubscriber(_ port: Int) throws -> MQTTLink {
        var options = MQTTLink.Options()
        options.reconnect = quickly
        return try MQTTLink(
            MQTTEndpoint(host: "127.0.0.1", port: port, clientID: "listener"),
            subscriptions: [.init(filter: "gw/status"), .init(filter: "up/#")], options: options,
            clock: LinkClock(ContinuousClock()))
    }

    @Test("the broker says the will of a connection that was cut, and the next one has its own")
    func will() async throws {
        try await withBroker { broker in
            let (log, heard) = (MessageLog(), Heard())
            let subscriber = try makeSubscriber(broker.port)
            let publisher = try makePublisher(broker.port, presence(heard))
            try await whileRunning(subscriber, log.take) {
                try await whileRunning(publisher) {
                    for round in 1...2 {
                        try await eventually("here \(round)") {
                            log.payloads.contains("here \(round)")
                        }
                        // The subscriber's connection goes too, and the broker keeps what it misses.
                        try hangUp(on: broker.port)
                        try await eventually("lost \(round)") {
                            log.payloads.contains("lost \(round)")
                        }
                    }
                    try await eventually("here 3") { log.payloads.contains("here 3") }
                }
                try await eventually("the farewell") { log.payloads.contains("gone 3") }
            }
            // A broker that is left says no will.
            #expect(!log.payloads.contains("lost 3"))
            #expect(
                heard.all.filter { $0.hasPrefix("ended") } == ["ended 1", "ended 2", "ended 3"])
        }
    }

    @Test("who subscribes later is told by the retained status whether the gateway is there")
    func retainedStatus() async throws {
        try await withBroker { broker in
            let publisher = try makePublisher(broker.port, presence())
            try await whileRunning(publisher) {
                // Said before anything that is asked for, so the broker has it.
                try await publisher.publish("up/first", [1])
                #expect(try await kept(broker.port) == "here 1")
            }
            #expect(try await kept(broker.port) == "gone 1")
        }
    }

    /// What a new subscriber finds at the status.
    private func kept(_ port: Int) async throws -> String? {
        let log = MessageLog()
        let link = try MQTTLink(
            MQTTEndpoint(
                host: "127.0.0.1", port: port, clientID: "newcomer-\(UInt32.random(in: 0...9999))"),
            subscriptions: [.init(filter: "gw/status")], clock: LinkClock(ContinuousClock()))
        try await whileRunning(link, log.take) {
            try await eventually("what is kept") { !log.messages.isEmpty }
        }
        #expect(log.messages.first?.isRetained == true)
        return log.payloads.first
    }

    @Test("the greeting leaves before all that was asked for meanwhile")
    func greetingFirst() async throws {
        try await withBroker { broker in
            let log = MessageLog()
            let subscriber = try makeSubscriber(broker.port)
            let publisher = try makePublisher(broker.port, presence())
            try await whileRunning(subscriber, log.take) {
                try await eventually("the subscription") {
                    try await broker.publish("up/ready", "ready")
                    return !log.messages.isEmpty
                }
                // Asked for while there is no connection yet.
                let asked = Task { try await publisher.publish("up/asked", Array("asked".utf8)) }
                try await whileRunning(publisher) {
                    try await asked.value
                    try await eventually("both") { log.payloads.contains("asked") }
                }
            }
            let told = log.payloads.filter { $0 != "ready" }
            #expect(told.prefix(2) == ["here 1", "asked"])
        }
    }

    @Test(
        "messages come with their line, kept ones marked; leaving says the farewell and comes back")
    func hears() async throws {
        try await withBroker { broker in
            try await broker.publish("gw/host", "online", retain: true)
            let (log, events, heard) = (MessageLog(), MessageLog(), Heard())
            let subscriber = try makeSubscriber(broker.port)
            let publisher = try makePublisher(broker.port, presence(heard), events)
            try await whileRunning(subscriber, log.take) {
                try await whileRunning(publisher) {
                    try await eventually("what is kept") { heard.all.contains("online on 1 kept") }
                    try await eventually("the greeting") { log.payloads.contains("here 1") }
                    try await broker.publish("gw/command", "leave")
                    try await eventually("the next connection") {
                        heard.all.contains("online on 2 kept") && log.payloads.contains("here 2")
                    }
                }
            }
            #expect(log.payloads.filter { $0.hasPrefix("lost") } == [])
            #expect(log.payloads.prefix(3) == ["here 1", "gone 1", "here 2"])
            #expect(
                heard.all.prefix(4)
                    == ["online on 1 kept", "leave on 1", "ended 1", "online on 2 kept"])
            // It was never down, and nobody has to be told.
            #expect(events.events == [.connected(sessionPresent: false)])
        }
    }
}
