import Acquisition
import DeviceProfiles
import FieldLinks
import Foundation
import Telemetry
import TestPeers
import Testing

/// Writes between reads, and what becomes of a device that was switched.
@Suite("Field lessons: switching", .serialized)
struct FieldLessonsCommandTests {
    /// A relay whose coil 0 may be switched.
    private func relay(
        unit: Int = 9, revertAfter: String = "1h", period: String = "100ms", coil: Int = 0
    ) throws -> (device: BusAcquisition.Device, command: DeviceCommand) {
        let binding = try TestSite.relay("u\(unit)", coil: coil, revertAfter, period)
        let command = try #require(binding.command(PointKey("switch.ch1"), unit: UInt8(unit)))
        return (
            BusAcquisition.Device(
                unit: UInt8(unit), binding: binding,
                groups: [TestSite.numbered(binding.groups[0], unit)], checksIdentity: false),
            command
        )
    }

    private func order(_ word: String, _ point: String = "switch.ch1") -> DeviceOrder {
        DeviceOrder(
            device: DeviceID("u9"), point: PointKey(point), word: word, actor: "the test")
    }

    private func writes(_ requests: [LessonBus.Request]) -> [Int] {
        requests.filter { $0.function == 5 }.map(\.count)
    }

    @Test("an order goes before the next read of a busy bus")
    func before() async throws {
        let bus = LessonBus()
        let (relay, command) = try relay()
        let others = try (1...8).map { try bus.device($0, period: "100ms") }
        let requests = try await bus.polling(
            others + [relay], pace: 0.04, commands: [command]
        ) { acquisition, seen in
            try await eventually("a busy bus") { bus.sink.scans(of: 8).count >= 3 }
            let before = seen().count
            #expect(await acquisition.execute(order("on")) == .done)
            let first = try #require(
                seen()[before...].firstIndex { $0.function == 5 && $0.count == 0xFF00 })
            // One read may be under way, and another may have begun before the peer was looked at.
            #expect(first - before <= 2, "\(first - before) requests went first")
        }
        #expect(writes(requests).last == 0, "off at the end")
    }

    @Test("a device left on is taken back after revert_after")
    func reverts() async throws {
        let bus = LessonBus()
        let (relay, command) = try relay(revertAfter: "1s")
        let requests = try await bus.polling([relay], commands: [command]) { acquisition, seen in
            #expect(await acquisition.execute(order("on")) == .done)
            let on = try #require(seen().last { $0.function == 5 })
            try await eventually("off") {
                seen().contains { $0.function == 5 && $0.count == 0 && $0.time > on.time }
            }
            let off = try #require(seen().last { $0.function == 5 })
            #expect((0.9..<3).contains(off.time - on.time))
            try await eventually("the scan says so") {
                bus.sink.scans(of: 9).last?.readings == [.good(.text("off"))]
            }
        }
        #expect(bus.sink.scans(of: 9).contains { $0.readings == [.good(.text("on"))] })
        #expect(writes(requests).count(where: { $0 == 0xFF00 }) == 1)
        let actors = bus.log.events.compactMap {
            if case .commanded(_, let order, .done) = $0 {
                order.actor + " " + order.word
            } else {
                nil
            }
        }
        #expect(actors.contains("the test on") && actors.last == "plumbline off")
    }

    @Test("a device left on is taken back when the gateway stops")
    func stops() async throws {
        let bus = LessonBus()
        let (relay, command) = try relay()
        let requests = try await bus.polling([relay], commands: [command]) { acquisition, _ in
            #expect(await acquisition.execute(order("on")) == .done)
        }
        #expect(writes(requests).suffix(2) == [0xFF00, 0])
    }

    @Test("a device left on is taken back after a lost link, before anything is read")
    func lostLink() async throws {
        let bus = LessonBus()
        let port = try freePort()
        let (relay, command) = try relay(coil: 1)
        try await withTemporaryFolder { folder in
            let acquisition = bus.acquisition(
                at: bus.place(port), [relay], commands: [command])
            let arguments = ["--port", "\(port)"]
            try await bus.whilePolling(acquisition) {
                try await withPythonPeer(
                    "fault_bus.py", arguments + bus.peerArguments([], log: folder + "/1")
                ) { _ in
                    try await eventually("a link") {
                        bus.sink.scans(of: 9).last?.readings == [.good(.text("off"))]
                    }
                    #expect(await acquisition.execute(order("on")) == .done)
                }
                try await eventually("no link") {
                    bus.sink.scans(of: 9).last?.readings == [.bad(.disconnected)]
                }
                let refused = await acquisition.execute(order("on"))
                #expect(refused == .refused("the link is down"))
                // The relay is back, and still on: coil 1 of a new peer is.
                try await withPythonPeer(
                    "fault_bus.py", arguments + bus.peerArguments([], log: folder + "/2")
                ) { _ in
                    try await eventually("off") {
                        bus.sink.scans(of: 9).last?.readings == [.good(.text("off"))]
                    }
                }
            }
            let second = LessonBus.requests(folder + "/2")
            #expect(second.contains { $0.function == 5 && $0.count == 0 })
            #expect(writes(second).allSatisfy { $0 == 0 })
        }
    }

    @Test("an order whose answer is nobody's may have been carried out, so it is taken back")
    func foreignAnswer() async throws {
        let bus = LessonBus()
        let (relay, command) = try relay()
        let requests = try await bus.polling(
            [relay], faults: ["9=wrong-id"], commands: [command]
        ) { acquisition, _ in
            guard case .unconfirmed = await acquisition.execute(order("on")) else {
                Issue.record("nobody knows what the relay did")
                return
            }
        }
        let last = try #require(writes(requests).lastIndex(of: 0xFF00))
        #expect(writes(requests)[last...].contains(0))
    }

    @Test("writes without a grant never leave the gateway")
    func ungranted() async throws {
        let bus = LessonBus()
        let (relay, _) = try relay()
        let requests = try await bus.polling([relay]) { acquisition, _ in
            try await eventually("scans") { bus.sink.scans(of: 9).count >= 2 }
            for (word, point) in [
                ("on", "switch.ch1"), ("off", "switch.ch1"), ("on", "switch.ch2"),
            ] {
                guard case .refused(let why) = await acquisition.execute(order(word, point)) else {
                    Issue.record("\(point) \(word) was not refused")
                    continue
                }
                #expect(why.contains("grants no command"))
            }
        }
        #expect(!requests.isEmpty && requests.allSatisfy { (1...4).contains($0.function) })
    }
}
