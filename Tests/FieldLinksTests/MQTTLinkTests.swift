import Synchronization
import TestPeers
import Testing

@testable import FieldLinks

@Suite("Acknowledging after the commit, with a real broker", .serialized)
struct MQTTLinkTests {
    private struct Refused: Error {}

    private func makeLink(
        _ port: Int, _ log: MessageLog, _ version: MQTTEndpoint.Version = .v311,
        _ change: (inout MQTTLink.Options) -> Void = { _ in }
    ) throws -> MQTTLink {
        var options = MQTTLink.Options()
        options.reconnect = quickly
        change(&options)
        var endpoint = MQTTEndpoint(host: "127.0.0.1", port: port, clientID: "plumbline-test")
        endpoint.version = version
        return try MQTTLink(
            endpoint,
            subscriptions: [.init(filter: "t/#")], options: options,
            clock: LinkClock(ContinuousClock()), onEvent: log.note)
    }

    /// Waits until the broker has granted the subscription, which a retained message proves.
    private func awaitSubscription(_ broker: Broker, _ log: MessageLog) async throws {
        try await broker.publish("t/ready", "ready", retain: true)
        try await eventually("the subscription") { log.payloads.contains { $0.contains("ready") } }
    }

    @Test(
        "messages arrive in order, with topic, payload, QoS and identifier",
        arguments: MQTTEndpoint.Version.allCases)
    func delivers(version: MQTTEndpoint.Version) async throws {
        try await withBroker { broker in
            let log = MessageLog()
            let link = try makeLink(broker.port, log, version)
            try await whileRunning(link, log.take) {
                try await awaitSubscription(broker, log)
                try await broker.publish("t/a", lines: (0..<100).map { "\($0)" })
                try await eventually("100 messages") { log.messages.count == 101 }
            }
            #expect(log.payloads.dropFirst() == (0..<100).map { "\($0)" }[...])
            let live = log.messages.dropFirst()
            #expect(live.allSatisfy { $0.topic == "t/a" && $0.qos == 1 && !$0.isRetained })
            #expect(Set(live.map(\.messageID)).count == 100 && live.allSatisfy { $0.messageID > 0 })
            #expect(log.batches.allSatisfy { $0.count <= 20 })
            #expect(log.events == [.connected(sessionPresent: false)])
        }
    }

    @Test(
        "what was not committed comes again, complete and in order, marked as possible redelivery",
        arguments: MQTTEndpoint.Version.allCases)
    func redeliversAfterFailure(version: MQTTEndpoint.Version) async throws {
        try await withBroker { broker in
            let log = MessageLog()
            let attempts = Mutex(0)
            let refusedFirst = Mutex<[MQTTMessage]>([])
            let link = try makeLink(broker.port, log, version)
            try await whileRunning(
                link,
                { batch in
                    let isData = batch.contains { $0.topic == "t/data" }
                    let attempt = attempts.withLock { count in
                        if isData { count += 1 }
                        return count
                    }
                    // The first commits of data fail; nothing of them may be acknowledged.
                    if isData, attempt <= 3 {
                        if attempt == 1 { refusedFirst.withLock { $0 = batch } }
                        throw Refused()
                    }
                    log.take(batch)
                }
            ) {
                try await awaitSubscription(broker, log)
                try await broker.publish("t/data", lines: (0..<50).map { "\($0)" })
                try await eventually("all messages") {
                    log.messages.count { $0.topic == "t/data" } >= 50
                }
            }
            let data = log.messages.filter { $0.topic == "t/data" }
            #expect(
                data.map { String(decoding: $0.payload, as: UTF8.self) }
                    == (0..<50).map { "\($0)" })
            let refused = refusedFirst.withLock { $0 }
            #expect(!refused.isEmpty)
            #expect(refused.allSatisfy { !$0.mayBeRedelivery })
            // The same packets, by identifier and digest: that is what a delivery mark relies on.
            #expect(data.prefix(refused.count).map(\.messageID) == refused.map(\.messageID))
            #expect(data.prefix(refused.count).map(\.digest) == refused.map(\.digest))
            #expect(data[0].mayBeRedelivery)
            // One report for the state, not one for each attempt.
            #expect(log.disconnections == 1)
            #expect(log.connections == 2)
        }
    }

    @Test(
        "a message is acknowledged only when its commit has returned",
        arguments: MQTTEndpoint.Version.allCases)
    func withholdsAcknowledgement(version: MQTTEndpoint.Version) async throws {
        try await withTemporaryFolder { folder in
            let port = try freePort()
            let log = MessageLog()
            let isHeld = Mutex(true)
            let received = Mutex(0)
            let link = try makeLink(port, log, version)
            try await withBroker(port: port, folder: folder) { broker in
                try await whileRunning(
                    link,
                    { batch in
                        received.withLock { $0 += batch.count { $0.topic == "t/data" } }
                        if batch.contains(where: { $0.topic == "t/data" }) {
                            while isHeld.withLock({ $0 }) {
                                try await Task.sleep(for: .milliseconds(5))
                            }
                            throw Refused()
                        }
                        log.take(batch)
                    }
                ) {
                    try await awaitSubscription(broker, log)
                    try await broker.publish("t/data", "kept")
                    try await eventually("the message") { received.withLock { $0 } > 0 }
                    // Read, but not committed when the link goes: the broker must still have it,
                    // and takes it along into its next life.
                    isHeld.withLock { $0 = false }
                    link.stop()
                }
            }
            let second = MessageLog()
            let successor = try makeLink(port, second, version)
            try await withBroker(port: port, folder: folder) { _ in
                try await whileRunning(successor, second.take) {
                    try await eventually("the redelivery") { second.payloads.contains("kept") }
                }
            }
            #expect(second.messages.first { $0.topic == "t/data" }?.mayBeRedelivery == true)
        }
    }

    @Test(
        "a commit that takes too long closes the connection, and the batch comes again",
        arguments: MQTTEndpoint.Version.allCases)
    func commitTimeout(version: MQTTEndpoint.Version) async throws {
        try await withBroker { broker in
            let log = MessageLog()
            let isFirst = Mutex(true)
            let link = try makeLink(broker.port, log, version) {
                $0.commitTimeout = .milliseconds(100)
            }
            try await whileRunning(
                link,
                { batch in
                    let isData = batch.contains { $0.topic == "t/data" }
                    let stalls = isFirst.withLock { isFirst in
                        defer { if isData { isFirst = false } }
                        return isFirst && isData
                    }
                    // Ends by the link's cancellation only.
                    if stalls { try await Task.sleep(for: .seconds(3600)) }
                    log.take(batch)
                }
            ) {
                try await awaitSubscription(broker, log)
                try await broker.publish("t/data", "slow")
                try await eventually("the redelivery") { log.payloads.contains("slow") }
            }
            let causes = log.events.compactMap { event -> MQTTError.Code? in
                if case .disconnected(let error) = event { error.code } else { nil }
            }
            #expect(causes == [.commitFailed])
        }
    }

    @Test(
        "a batch is never larger than the window, however much waits",
        arguments: MQTTEndpoint.Version.allCases)
    func window(version: MQTTEndpoint.Version) async throws {
        try await withBroker { broker in
            let log = MessageLog()
            let link = try makeLink(broker.port, log, version) { $0.window = 7 }
            try await whileRunning(
                link,
                { batch in
                    log.take(batch)
                    try await Task.sleep(for: .milliseconds(2))
                }
            ) {
                try await awaitSubscription(broker, log)
                try await broker.publish("t/a", lines: (0..<300).map { "\($0)" })
                try await eventually("all messages") { log.messages.count == 301 }
            }
            #expect(log.payloads.dropFirst() == (0..<300).map { "\($0)" }[...])
            // How far a window is filled when it is taken over is a matter of time.
            let largest = log.batches.map(\.count).max() ?? 0
            #expect((2...7).contains(largest))
        }
    }

    @Test("a payload of a megabyte arrives whole; above the limit only its size is told")
    func largePayloads() async throws {
        try await withBroker { broker in
            let log = MessageLog()
            let link = try makeLink(broker.port, log) { $0.maximumPayload = 1_048_576 }
            let megabyte = String(repeating: "0123456789abcdef", count: 65_536)
            try await whileRunning(link, log.take) {
                try await awaitSubscription(broker, log)
                try await broker.publish("t/big", megabyte)
                try await broker.publish("t/bigger", megabyte + "x")
                try await broker.publish("t/after", "after")
                try await eventually("all three") { log.payloads.contains("after") }
            }
            let messages = log.messages
            let big = try #require(messages.first { $0.topic == "t/big" })
            #expect(big.oversize == nil)
            let isWhole = big.payload == Array(megabyte.utf8)
            #expect(isWhole)
            let bigger = try #require(messages.first { $0.topic == "t/bigger" })
            #expect(bigger.oversize == 1_048_577)
            #expect(bigger.payload.isEmpty)
        }
    }

    @Test(
        "a broker that is restarted loses nothing of what was published before and after",
        arguments: MQTTEndpoint.Version.allCases)
    func brokerRestart(version: MQTTEndpoint.Version) async throws {
        try await withTemporaryFolder { folder in
            let port = try freePort()
            let log = MessageLog()
            let link = try makeLink(port, log, version)
            try await whileRunning(link, log.take) {
                try await withBroker(port: port, folder: folder) { broker in
                    try await awaitSubscription(broker, log)
                    try await broker.publish("t/a", lines: (0..<30).map { "\($0)" })
                }
                try await eventually("the news of the outage") { log.disconnections >= 1 }
                try await withBroker(port: port, folder: folder) { broker in
                    try await broker.publish("t/a", lines: (30..<60).map { "\($0)" })
                    try await eventually("the rest") { log.payloads.contains("59") }
                }
            }
            // A message acknowledged just before the restart may come twice; none may be missing.
            var seen: [String] = []
            for message in log.messages where message.topic == "t/a" {
                let text = String(decoding: message.payload, as: UTF8.self)
                if !seen.contains(text) { seen.append(text) }
            }
            #expect(seen == (0..<60).map { "\($0)" })
            #expect(log.events.contains(.connected(sessionPresent: true)))
        }
    }

    @Test("a client whose acknowledgements nobody takes keeps none", arguments: [false, true])
    func acknowledgements(isHeard: Bool) async throws {
        try await withBroker { broker in
            let client = try MosquittoClient(
                MQTTEndpoint(host: "127.0.0.1", port: broker.port, clientID: "one"),
                .init(cleanSession: true, hearsAcknowledgements: isHeard))
            let clock = LinkClock(ContinuousClock())
            let wakeUp = try WakeUp(for: .mqtt)
            _ = try client.connect(clock, wakeUp)
            for number in 0..<50 {
                try client.publish("t/x", [UInt8(number)])
                // The library reports these too, when they leave; nobody has acknowledged them.
                try client.publish("t/y", [UInt8(number)], qos: 0)
            }
            _ = try client.raiseFence()
            while client.wantsToWrite { try client.write() }
            while client.passedFences.isEmpty {
                _ = wakeUp.wait(socket: client.socket, forWriting: false, limit: .seconds(1))
                try client.read()
            }
            #expect(client.acknowledged.count == (isHeard ? 50 : 0))
        }
    }

    @Test("messages with QoS 0 fill no window: more of them than that come in one batch")
    func unawaitedBatch() async throws {
        try await withBroker { broker in
            let log = MessageLog()
            var options = MQTTLink.Options()
            options.window = 5
            let link = try MQTTLink(
                MQTTEndpoint(host: "127.0.0.1", port: broker.port, clientID: "zero"),
                subscriptions: [.init(filter: "t/#", qos: 0)], options: options,
                clock: LinkClock(ContinuousClock()), onEvent: log.note)
            let sizes = Mutex<[Int]>([])
            try await whileRunning(
                link,
                { batch in
                    sizes.withLock { $0.append(batch.count) }
                    log.take(batch)
                    // While this goes on, what is published meanwhile gathers in the socket.
                    try? await Task.sleep(for: .milliseconds(300))
                }
            ) {
                try await broker.publish("t/ready", "ready", retain: true)
                try await eventually("the subscription") { log.payloads.contains("ready") }
                try await broker.publish("t/data", lines: (0..<60).map { "\($0)" })
                try await eventually("the last") { log.payloads.contains("59") }
            }
            #expect(sizes.withLock { $0.max() ?? 0 } > 20)
        }
    }

    @Test("a broker that is away is reported once and tried again quietly; stopping takes no time")
    func brokerAway() async throws {
        let port = try freePort()
        let log = MessageLog()
        let link = try makeLink(port, log)
        let clock = ContinuousClock()
        let ended = try await whileRunning(link, log.take) {
            try await eventually("the report") { log.disconnections == 1 }
            // Time for many more attempts.
            try await Task.sleep(for: .milliseconds(500))
            #expect(log.events.count == 1)
            link.stop()
            return clock.now
        }
        #expect(clock.now - ended < .seconds(5))
        guard case .disconnected(let error)? = log.events.first else { return }
        #expect(error.code == .connectFailed && error.cause.contains("\(port)"))
    }

    @Test("a refused password is reported with the broker's words")
    func refusedPassword() async throws {
        try await withBroker(lines: ["allow_anonymous false"]) { broker in
            let log = MessageLog()
            let link = try makeLink(broker.port, log)
            try await whileRunning(link, log.take) {
                try await eventually("the refusal") { !log.events.isEmpty }
            }
            guard case .disconnected(let error)? = log.events.first else {
                Issue.record("no refusal: \(log.events)")
                return
            }
            #expect(error.code == .refused)
        }
    }
}
