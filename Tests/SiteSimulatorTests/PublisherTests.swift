import DeviceProfiles
import FieldLinks
import Foundation
import Telemetry
import TestPeers
import Testing

@testable import SiteSimulator

/// What a subscriber has received so far.
private final class Inbox: @unchecked Sendable {
    private let lock = NSLock()
    private var messages: [MQTTMessage] = []
    func add(_ new: [MQTTMessage]) { lock.withLock { messages += new } }
    var all: [MQTTMessage] { lock.withLock { messages } }
    func clear() { lock.withLock { messages = [] } }
}

@Suite struct PublisherTests {
    private let crane = DeviceID("crane-1")

    /// A running simulation at a broker, and what a subscriber to everything receives from it.
    ///
    /// The wall clock runs; the world begins at the moment of the call.
    private func withCrane(
        _ body: @Sendable (SiteSimulation, SimulatedBindings, Inbox) async throws -> Void
    ) async throws -> Duration {
        let clock = MachineClock()
        let site = SimulatedSite(seed: 7, epoch: clock.read().wall, calendar: shanghai)
        let library = try Profiles.library()
        let bindings = try SimulatedBindings(library: library)
        return try await withBroker { broker in
            let inbox = Inbox()
            let link = try MQTTLink(
                MQTTEndpoint(host: "127.0.0.1", port: broker.port, clientID: "subscriber"),
                subscriptions: [.init(filter: "#")], clock: LinkClock(ContinuousClock()))
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await link.run { batch in
                        inbox.add(batch.messages)
                        return {}
                    }
                }
                defer { link.stop() }
                let simulation = try SiteSimulation(
                    site: site, library: library,
                    broker: .init(host: "127.0.0.1", port: broker.port), publishEvery: .seconds(1),
                    clock: ContinuousClock(),
                    wallClock: clock)
                return try await withSimulation(simulation) { _ in
                    try await body(simulation, bindings, inbox)
                }
            }
        }
    }

    @Test("the crane's messages arrive and decode to what the world says at their time")
    func messages() async throws {
        let took = try await withCrane { simulation, bindings, inbox in
            try await eventually("two messages") { inbox.all.count >= 2 }
            let binding = try #require(bindings.mqtt(crane))
            for message in inbox.all {
                #expect(message.qos == 1)
                let decoding = binding.decode(
                    topic: message.topic, payload: message.payload,
                    arrival: MachineClock().read().wall)
                guard case .scan(let time, _, let readings, _) = decoding else {
                    Issue.record("\(decoding)")
                    continue
                }
                let expected = SimulatedBindings.Source.mqtt(binding).readings(
                    simulation.site.values(of: crane, at: time), time)
                #expect(readings == expected)
            }
        }
        // A moment; the limit is for a machine that is busy with other tests.
        #expect(took < .seconds(10))
    }

    @Test("a silent device publishes nothing, a garbled one no message, a frozen one an old one")
    func faults() async throws {
        _ = try await withCrane { simulation, bindings, inbox in
            let binding = try #require(bindings.mqtt(crane))
            try await eventually("a first message") { !inbox.all.isEmpty }
            simulation.set(fault: .garbage, for: crane)
            try await eventually("a refused message") {
                inbox.all.contains {
                    let now = MachineClock().read().wall
                    if case .refused = binding.decode(
                        topic: $0.topic, payload: $0.payload, arrival: now)
                    {
                        return true
                    }
                    return false
                }
            }
            simulation.set(fault: .foreign, for: crane)
            try await eventually("a neighbour's message") {
                inbox.all.contains { !binding.matches(topic: $0.topic) }
            }
            let still = simulation.site.epoch - .seconds(3600)
            simulation.set(fault: .frozen(at: still), for: crane)
            let payload = binding.payload(simulation.site.values(of: crane, at: still), at: still)
            try await eventually("an old message") { inbox.all.contains { $0.payload == payload } }
            simulation.set(fault: .silent, for: crane)
            // One may be on its way; a whole period later none is.
            try await ContinuousClock().sleep(for: .milliseconds(300))
            inbox.clear()
            try await ContinuousClock().sleep(for: .milliseconds(1500))
            #expect(inbox.all.isEmpty)
        }
    }
}
