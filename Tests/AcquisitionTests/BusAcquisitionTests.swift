import Acquisition
import DeviceProfiles
import FieldLinks
import Telemetry
import TestPeers
import Testing

@Suite("Polling real Modbus servers", .serialized)
struct BusAcquisitionTests {
    private let sink = RecordingSink()
    private let log = EventLog()
    private let status = AcquisitionStatus()

    private func acquisition(
        port: Int, _ devices: [BusAcquisition.Device], timeout: Duration = .milliseconds(200)
    ) -> BusAcquisition {
        BusAcquisition(
            name: "bus",
            link: BusLink(
                host: "127.0.0.1", port: port, responseTimeout: timeout, connectTimeout: timeout),
            devices: devices, sink: sink, clock: LinkClock(ContinuousClock()),
            wallClock: SystemClock(), status: status, onEvent: log.note)
    }

    private func device(
        _ name: String, unit: UInt8 = 1, group: Int = 1, addresses: [Int] = [40, 41, 42],
        period: String = "200ms"
    ) throws -> BusAcquisition.Device {
        let binding = try TestSite.meter(name, addresses: addresses, period: period)
        return BusAcquisition.Device(
            unit: unit, binding: binding, groups: [TestSite.numbered(binding.groups[0], group)])
    }

    private func whileRunning(
        _ acquisition: BusAcquisition, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await acquisition.run() }
            defer { acquisition.stop() }
            try await body()
        }
    }

    @Test("each slot gets one scan with the slot's time and the values of the device")
    func healthy() async throws {
        try await withPythonPeer("modbus_faulty.py") { port in
            try await whileRunning(acquisition(port: port, [try device("m")])) {
                try await eventually("five scans") { sink.scans.count >= 5 }
            }
        }
        let scans = sink.scans
        let good = scans.filter { $0.readings == [.number(40), .number(41), .number(42)] }
        #expect(good.count >= 4)
        #expect(scans.allSatisfy { $0.time.milliseconds % 200 == 0 && $0.flags == [] })
        for (earlier, later) in zip(scans, scans.dropFirst()) {
            #expect(later.time - earlier.time == .milliseconds(200))
        }
        #expect(status.devices[DeviceID("m")]?.lastScan == good.last?.time)
        #expect(log.events.first == .linkUp(link: "bus", detail: log.place))
    }

    @Test("a dead unit has bad scans for its slots; the unit beside it is read as ever")
    func deadUnit() async throws {
        let dead = try device("dead", unit: 99, group: 1)
        let alive = try device("alive", unit: 2, group: 2)
        try await withPythonPeer("modbus_faulty.py") { port in
            try await whileRunning(acquisition(port: port, [dead, alive])) {
                try await eventually("scans of both") {
                    sink.scans(of: 1).count >= 10 && sink.scans(of: 2).count >= 10
                }
            }
        }
        let silent = sink.scans(of: 1).flatMap(\.readings)
        #expect(silent.allSatisfy { !$0.isGood })
        #expect(silent.contains(.bad(.timeout)))
        #expect(sink.scans(of: 2).count { $0.readings.first == .number(40) } >= 7)
        let events = log.events.filter {
            if case .deviceSilent(_, DeviceID("dead"), _) = $0 { true } else { false }
        }
        #expect(events.count == 1)
    }

    @Test("a block with a hole is refused, split once, and then read in parts")
    func hole() async throws {
        let meter = try device("m", addresses: [2003, 2004, 2007])
        #expect(meter.binding.modbus?.requests(group: 0).count == 1)
        try await withPythonPeer("modbus_faulty.py") { port in
            try await whileRunning(acquisition(port: port, [meter])) {
                try await eventually("scans") { sink.scans.count >= 4 }
            }
        }
        #expect(
            sink.scans.dropFirst().filter { $0.readings[0].isGood }
                .allSatisfy { $0.readings == [.number(2003), .number(2004), .number(2007)] })
        #expect(sink.scans.contains { $0.readings[2] == .number(2007) })
        #expect(log.events.count { if case .blockSplit = $0 { true } else { false } } == 1)
    }

    @Test("a register that is refused alone leaves the others good")
    func refusedRegister() async throws {
        let meter = try device("m", addresses: [2004, 2005, 2006])
        try await withPythonPeer("modbus_faulty.py") { port in
            try await whileRunning(acquisition(port: port, [meter])) {
                try await eventually("scans") { sink.scans.count >= 4 }
            }
        }
        let expected: [Reading] = [.number(2004), .bad(.exception), .number(2006)]
        #expect(sink.scans.count { $0.readings == expected } >= 3)
        #expect(log.events.count { if case .requestRefused = $0 { true } else { false } } == 1)
    }

    @Test("a server that goes away leaves bad scans, one report, and comes back by itself")
    func serverRestart() async throws {
        let port = try freePort()
        let meter = try device("m", addresses: [0, 1])
        let arguments = ["--port", "\(port)", "--holding", "0=7,8"]
        try await whileRunning(acquisition(port: port, [meter])) {
            for _ in 0..<2 {
                try await withPythonPeer("modbus_server.py", arguments) { _ in
                    let before = sink.scans.count
                    try await eventually("good scans") {
                        sink.scans.dropFirst(before).contains {
                            $0.readings == [.number(7), .number(8)]
                        }
                    }
                }
                let before = sink.scans.count
                try await eventually("bad scans") {
                    sink.scans.dropFirst(before).contains {
                        $0.readings == [.bad(.disconnected), .bad(.disconnected)]
                    }
                }
            }
        }
        let ups = log.events.count { if case .linkUp = $0 { true } else { false } }
        let downs = log.events.count { if case .linkDown = $0 { true } else { false } }
        #expect(ups == 2)
        #expect(downs == 2 || downs == 3)
    }
}

extension EventLog {
    /// Where the first link went up.
    fileprivate var place: String {
        if case .linkUp(_, let detail)? = events.first { detail } else { "" }
    }
}
