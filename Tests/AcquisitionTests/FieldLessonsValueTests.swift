import Acquisition
import DeviceProfiles
import FieldLinks
import Foundation
import Telemetry
import TestPeers
import Testing

/// Stale and wrong values that look fresh elsewhere, and reads that are slow for want of blocks.
@Suite("Field lessons: values and blocks", .serialized)
struct FieldLessonsValueTests {
    @Test(
        "a late answer never becomes another sensor's value, whatever else the line does",
        arguments: LessonBus.Framer.allCases)
    func neverSwapped(framer: LessonBus.Framer) async throws {
        let bus = LessonBus(framer)
        // Blocks of one size, so that any answer would fit any question of its unit.
        let addresses = [10, 200, 400]
        try await bus.polling(
            (1...4).map { try bus.device($0, addresses, period: "100ms") }, faults: ["0=chaos:77"]
        ) { _, seen in
            try await eventually(
                "a hundred and fifty requests, and values of each unit", within: .seconds(60)
            ) {
                seen().count >= 150
                    && (1...4).allSatisfy { unit in
                        bus.sink.scans(of: unit).flatMap(\.readings).count(where: \.isGood) > 10
                    }
            }
        }
        for unit in 1...4 { #expect(bus.strangers(unit, addresses) == [], "unit \(unit)") }
    }

    @Test("a slow unit's answer is never read as its neighbour's")
    func slowNeighbour() async throws {
        let bus = LessonBus(.rtu)
        try await bus.polling(
            [bus.device(1, period: "300ms"), bus.device(2, period: "300ms")],
            faults: ["1=late:0.25"]
        ) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 2).count >= 10 }
        }
        #expect(bus.strangers(1).isEmpty && bus.strangers(2).isEmpty)
        #expect(bus.goodScans(2) >= 4)
    }

    @Test("a busy device is asked again and never reads 0", arguments: LessonBus.Framer.allCases)
    func busy(framer: LessonBus.Framer) async throws {
        let bus = LessonBus(framer)
        let requests = try await bus.polling(
            [bus.device(1, period: "500ms"), bus.device(2, period: "500ms")],
            faults: ["1=busy-once", "2=exception:6"]
        ) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 2).count >= 6 }
        }
        #expect(bus.goodScans(1) >= 5)
        #expect(bus.strangers(1).isEmpty)
        let always = bus.sink.scans(of: 2).flatMap(\.readings)
        #expect(always.allSatisfy { $0 == .bad(.exception) }, "\(always)")
        #expect(Set(requests.map(\.connection)) == [1])
    }

    @Test("an exception 2 on a single register is told once, quarantined, and costs no neighbour")
    func quarantine() async throws {
        let bus = LessonBus()
        let requests = try await bus.polling([bus.device(1)], faults: ["1=hole:41"]) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 1).count >= 12 }
        }
        #expect(requests.count { $0.address == 40 && $0.count == 3 } == 1)
        #expect(requests.count { $0.address == 41 && $0.count == 1 } == 1)
        #expect(bus.count { if case .requestRefused = $0 { true } else { false } } == 1)
        let expected: [Reading] = [.number(1040), .bad(.exception), .number(1042)]
        #expect(bus.sink.scans(of: 1).count { $0.readings == expected } >= 10)
    }

    @Test("a value read before the mains failed is not repeated with a fresh time")
    func notRepeated() async throws {
        let bus = LessonBus()
        try await bus.polling([bus.device(1)], faults: ["1=silent-after:4"]) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 1).count >= 16 }
        }
        let scans = bus.sink.scans(of: 1)
        let last = try #require(scans.lastIndex { $0.readings[0].isGood })
        #expect(last <= 6)
        #expect(scans[(last + 1)...].allSatisfy { $0.readings.allSatisfy { !$0.isGood } })
        let device = try #require(bus.status.devices[DeviceID("u1")])
        #expect(device.lastScan == scans[last].time)
        #expect(device.answers == false)
    }

    @Test("a look-alike's values are bad until it is the profile's device")
    func lookAlike() async throws {
        var bus = LessonBus()
        // The second look after a minute comes after a second here.
        bus.clock = LinkClock(FastClock(factor: 60))
        let binding = try TestSite.meter(
            "u1", addresses: [0, 1], period: "200ms", identify: "equals: 6203")
        let device = BusAcquisition.Device(
            unit: 1, binding: binding, groups: [TestSite.numbered(binding.groups[0], 1)])
        let arguments = ["--holding", "0=6213,230"]
        try await withPythonPeer("modbus_server.py", arguments) { [bus] port in
            let grant = WriteGrant(
                unit: 1, function: .singleRegister, address: 0, values: [[6203]])
            let other = BusLink(.modbusTCP(host: "127.0.0.1", port: port), grants: [grant])
            try await bus.whilePolling(bus.acquisition(at: bus.place(port), [device])) {
                try await eventually("scans") { bus.sink.scans(of: 1).count >= 3 }
                #expect(bus.sink.scans.allSatisfy { $0.readings[1] == .bad(.notIdentified) })
                // The installer sets the meter to the map that the profile describes.
                try await other.perform { link in
                    try link.connect()
                    try link.write(
                        WriteRequest(
                            unit: 1, function: .singleRegister, address: 0, values: [6203]))
                }
                try await eventually("its values") {
                    bus.sink.scans.last?.readings == [.number(6203), .number(230)]
                }
            }
        }
        let told = bus.count { if case .notIdentified = $0 { true } else { false } }
        #expect(told == 1)
    }

    @Test("registers in a row are one request, and those across a small gap too")
    func blocks() async throws {
        let bus = LessonBus()
        let requests = try await bus.polling([
            bus.device(1, [40, 41, 42]), bus.device(2, [40, 45, 50]),
        ]) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 2).count >= 6 }
        }
        #expect(requests.count { $0.unit == 1 } <= bus.sink.scans(of: 1).count + 1)
        #expect(requests.filter { $0.unit == 1 }.allSatisfy { $0.count == 3 })
        #expect(requests.count { $0.unit == 2 } <= bus.sink.scans(of: 2).count + 1)
        #expect(requests.filter { $0.unit == 2 }.allSatisfy { $0.count == 11 })
        #expect(bus.strangers(1).isEmpty && bus.strangers(2, [40, 45, 50]).isEmpty)
    }

    @Test("every meter of the library is read in a fraction of the requests that its points are")
    func libraryBlocks() throws {
        let folder = URL(filePath: packageRoot).appending(path: "Devices")
        var profiles: [(path: String, text: String)] = []
        for vendor in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        where !vendor.hasSuffix(".yaml") {
            let inner = folder.appending(path: vendor)
            for name in try FileManager.default.contentsOfDirectory(atPath: inner.path) {
                let text = try String(contentsOf: inner.appending(path: name), encoding: .utf8)
                profiles.append(("\(vendor)/\(name)", text))
            }
        }
        let library = try ProfileLibrary(
            vocabularyText: String(
                contentsOf: folder.appending(path: "vocabulary.yaml"), encoding: .utf8),
            profiles: profiles)
        var points = 0
        var requests = 0
        for id in ["schneider/pm5300", "eastron/sdm630", "acrel/adl400", "janitza/umg96rm-e"] {
            let profile = try #require(library[id])
            let name = try #require(profile.interfaces.keys.sorted().first)
            let binding = try ModbusBinding(
                profile: profile, interface: name, device: DeviceID("m"))
            for group in binding.groups.indices {
                points += binding.groups[group].series.count
                requests += binding.requests(group: group).count
            }
        }
        #expect(points > 40 && requests * 3 <= points, "\(requests) requests, \(points) points")
    }
}
