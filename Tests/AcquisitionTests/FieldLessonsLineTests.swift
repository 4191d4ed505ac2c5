import Acquisition
import FieldLinks
import Foundation
import Telemetry
import TestPeers
import Testing

/// Time-outs, streams out of step, ports that are renumbered.
@Suite("Field lessons: lines out of step", .serialized)
struct FieldLessonsLineTests {
    @Test(
        "after a late answer the stream is in step again, without a restart",
        arguments: LessonBus.Framer.allCases)
    func inStepAgain(framer: LessonBus.Framer) async throws {
        let bus = LessonBus(framer)
        try await bus.polling([bus.device(1)], faults: ["1=late-once:0.25"]) { _, _ in
            try await eventually("values in between", within: .seconds(15)) {
                bus.goodScans(1) >= 4
            }
        }
        #expect(bus.strangers(1).isEmpty)
        #expect(bus.count { if case .linkDown = $0 { true } else { false } } == 0)
    }

    @Test("the second answer to a question that was asked twice is not the next question's")
    func askedTwice() async throws {
        let bus = LessonBus(.rtu)
        let addresses = [10, 200, 400]
        try await bus.polling(
            [bus.device(1, addresses, period: "500ms")], faults: ["1=late:0.3"]
        ) { _, _ in
            try await eventually("values") {
                bus.sink.scans.flatMap(\.readings).count(where: \.isGood) >= 6
            }
        }
        #expect(bus.strangers(1, addresses) == [])
    }

    @Test(
        "an earlier answer before the right one is passed over",
        arguments: LessonBus.Framer.allCases)
    func passedOver(framer: LessonBus.Framer) async throws {
        let bus = LessonBus(framer)
        try await bus.polling([bus.device(1)], faults: ["1=stale"]) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 1).count >= 5 }
        }
        #expect(bus.strangers(1).isEmpty)
        #expect(bus.goodScans(1) >= 4)
    }

    @Test(
        "an answer to somebody else's question is no value",
        arguments: ["wrong-id", "short"])
    func foreign(kind: String) async throws {
        let bus = LessonBus()
        try await bus.polling(
            [bus.device(1, period: "1s"), bus.device(2, period: "1s")], faults: ["1=\(kind)"]
        ) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 2).count >= 4 }
        }
        #expect(bus.strangers(1).isEmpty)
        #expect(bus.sink.scans(of: 1).flatMap(\.readings).contains(.bad(.foreignAnswer)))
        #expect(bus.goodScans(2) >= 3)
        #expect(bus.strangers(2).isEmpty)
    }

    @Test("an answer that comes byte by byte is whole", arguments: LessonBus.Framer.allCases)
    func byteByByte(framer: LessonBus.Framer) async throws {
        let bus = LessonBus(framer)
        try await bus.polling([bus.device(1)], faults: ["1=bytes"]) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 1).count >= 5 }
        }
        #expect(bus.goodScans(1) >= 4 && bus.strangers(1).isEmpty)
    }

    @Test("a unit that needs 150 ms of rest between two requests gets them")
    func quiet() async throws {
        let bus = LessonBus(.rtu)
        let addresses = [10, 200, 400]
        try await bus.polling(
            [bus.device(1, addresses, period: "1s", quiet: "170ms")], faults: ["1=quiet:0.15"]
        ) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 1).count >= 4 }
        }
        #expect(bus.goodScans(1) >= 3, "all three blocks")
        #expect(bus.strangers(1, addresses).isEmpty)
    }

    @Test("a ttyUSB that is renumbered comes back by its by-path name")
    func renumbered() async throws {
        let bus = LessonBus()
        let binding = try TestSite.meter("u1", addresses: [40, 41], period: "200ms")
        let device = BusAcquisition.Device(
            unit: 1, binding: binding, groups: [TestSite.numbered(binding.groups[0], 1)],
            checksIdentity: false)
        try await withTemporaryFolder { folder in
            let byPath = folder + "/pci-0000:00:14.0-usb-0:2:1.0-port0"
            let line = SerialLine(path: byPath, baud: 115_200)
            try await bus.whilePolling(bus.acquisition(at: .serial(line), [device])) {
                for port in ["/ttyUSB0", "/ttyUSB1"] {
                    try await withPythonPeer("rtu_slave.py", ["--pty", folder + port]) { _ in
                        try FileManager.default.createSymbolicLink(
                            atPath: byPath, withDestinationPath: folder + port)
                        let before = bus.sink.scans.count
                        try await eventually("good scans at \(port)") {
                            bus.sink.scans.dropFirst(before).contains {
                                $0.readings == [.number(40), .number(41)]
                            }
                        }
                    }
                    // The adapter is pulled out.
                    try FileManager.default.removeItem(atPath: byPath)
                    let before = bus.sink.scans.count
                    try await eventually("bad scans without \(port)") {
                        bus.sink.scans.dropFirst(before).contains { !$0.readings[0].isGood }
                    }
                }
            }
        }
        #expect(bus.count { if case .linkUp = $0 { true } else { false } } == 2)
    }
}
