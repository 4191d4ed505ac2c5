import Synchronization
import TestPeers
import Testing

@testable import FieldLinks

@Suite("Reading on while a commit waits, with a real broker", .serialized)
struct MQTTWindowTests {
    private struct Refused: Error {}

    /// What a link hands on, and the commits that a test holds back.
    private final class Desk: Sendable {
        private struct State {
            var batches: [MQTTBatch] = []
            var committed = 0
            var isHeld = false
            var refused: String?
            var delay = Duration.zero
        }
        private let state = Mutex(State())

        var batches: [MQTTBatch] { state.withLock { $0.batches } }
        var messages: [MQTTMessage] { batches.flatMap(\.messages) }
        var payloads: [String] { messages.map { String(decoding: $0.payload, as: UTF8.self) } }
        /// How many batches are committed.
        var committed: Int { state.withLock { $0.committed } }
        func hold() { state.withLock { $0.isHeld = true } }
        func release() { state.withLock { $0.isHeld = false } }
        /// Each commit takes so long, one after the other.
        func slow(by delay: Duration) { state.withLock { $0.delay = delay } }
        /// The commit of this payload fails once.
        func refuse(_ payload: String) { state.withLock { $0.refused = payload } }

        @Sendable func take(_ batch: MQTTBatch) async throws -> MQTTBatch.Committing {
            state.withLock { $0.batches.append(batch) }
            // Meanwhile more of a flood is read, so that something always waits.
            if batch.messages.contains(where: { $0.topic == "t/flood" }) {
                try await Task.sleep(for: .milliseconds(100))
            }
            let payloads = batch.messages.map { String(decoding: $0.payload, as: UTF8.self) }
            return { [self] in
                try await Task.sleep(for: state.withLock { $0.delay })
                while state.withLock({ $0.isHeld }) {
                    try await Task.sleep(for: .milliseconds(5))
                }
                let isRefused = state.withLock { state in
                    guard let refused = state.refused, payloads.contains(refused) else {
                        return false
                    }
                    state.refused = nil
                    return true
                }
                if isRefused { throw Refused() }
                state.withLock { $0.committed += 1 }
            }
        }
    }

    private func whileRunning(
        window: Int, _ desk: Desk, _ broker: Broker,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        var options = MQTTLink.Options()
        options.reconnect = quickly
        options.window = window
        let link = try MQTTLink(
            MQTTEndpoint(host: "127.0.0.1", port: broker.port, clientID: "window"),
            subscriptions: [.init(filter: "t/#")], options: options,
            clock: LinkClock(ContinuousClock()))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await link.run(desk.take) }
            defer {
                desk.release()
                link.stop()
            }
            // Of QoS 0: an acknowledgement on its way would take a place of the window.
            try await broker.publish("t/ready", "ready", qos: 0, retain: true)
            try await eventually("the subscription") { desk.committed == 1 }
            desk.hold()
            try await body()
        }
    }

    @Test("messages are handed on while those before them are not committed, up to the window")
    func readsOn() async throws {
        try await withBroker { broker in
            let desk = Desk()
            try await whileRunning(window: 3, desk, broker) {
                let known = desk.batches.count
                for payload in ["a", "b", "c"] {
                    try await broker.publish("t/x", payload)
                    try await eventually(payload) { desk.payloads.contains(payload) }
                }
                // The last of them says that nothing more is read until then.
                let fills = desk.batches.dropFirst(known).map { $0.fillsWindow }
                #expect(fills == [false, false, true])
                try await broker.publish("t/x", "d")
                try await Task.sleep(for: .milliseconds(300))
                #expect(!desk.payloads.contains("d"))
                desk.release()
                try await eventually("d") { desk.payloads.contains("d") }
            }
            #expect(desk.payloads.suffix(4) == ["a", "b", "c", "d"])
        }
    }

    @Test("no acknowledgement leaves before all that was read is committed")
    func together() async throws {
        try await withBroker { broker in
            let desk = Desk()
            try await whileRunning(window: 10, desk, broker) {
                for payload in ["a", "b"] {
                    try await broker.publish("t/x", payload)
                    try await eventually(payload) { desk.payloads.contains(payload) }
                }
                desk.refuse("b")
                desk.release()
                try await eventually("both again") {
                    desk.payloads.count { $0 == "a" } == 2 && desk.payloads.count { $0 == "b" } == 2
                }
                try await broker.publish("t/x", "c")
                try await eventually("the next") { desk.payloads.contains("c") }
            }
            let live = desk.messages.filter { $0.topic == "t/x" }
            #expect(
                live.map { String(decoding: $0.payload, as: UTF8.self) }
                    == ["a", "b", "a", "b", "c"])
            let again = live.dropFirst(2).prefix(2)
            #expect(again.allSatisfy { $0.mayBeRedelivery })
        }
    }

    @Test("messages that nobody acknowledges keep no acknowledgement back, however many there are")
    func flood() async throws {
        // The broker sends a third only when the first two are acknowledged.
        try await withBroker(lines: ["max_inflight_messages 2"]) { broker in
            let desk = Desk()
            try await whileRunning(window: 20, desk, broker) {
                desk.release()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        let client = try MosquittoClient(
                            MQTTEndpoint(host: "127.0.0.1", port: broker.port, clientID: "flood"),
                            .init(cleanSession: true))
                        _ = try client.connect(
                            LinkClock(ContinuousClock()), try WakeUp(for: .mqtt))
                        while !Task.isCancelled {
                            try client.publish("t/flood", [1], qos: 0)
                            try client.write()
                            try? await Task.sleep(for: .milliseconds(5))
                        }
                    }
                    defer { group.cancelAll() }
                    try await eventually("the flood") { desk.batches.count > 5 }
                    try await broker.publish("t/x", lines: ["a", "b", "c", "d", "e"])
                    try await eventually("the fifth") { desk.payloads.contains("e") }
                }
            }
        }
    }

    @Test("no acknowledgement is kept back for long because new messages keep coming")
    func trickle() async throws {
        try await withBroker { broker in
            let desk = Desk()
            try await whileRunning(window: 1000, desk, broker) {
                desk.release()
                // Each is committed later than the next one comes.
                desk.slow(by: .milliseconds(150))
                for number in 0..<100 {
                    try await broker.publish("t/x", "\(number)")
                    try await Task.sleep(for: .milliseconds(70))
                }
                desk.slow(by: .zero)
                desk.refuse("last")
                try await broker.publish("t/x", "last")
                try await eventually("the last again", within: .seconds(60)) {
                    desk.payloads.count { $0 == "last" } == 2
                }
            }
            #expect(desk.payloads.count { $0 == "0" } == 1, "its acknowledgement had left")
        }
    }
}
