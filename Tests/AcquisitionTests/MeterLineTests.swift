import DeviceProfiles
import FieldLinks
import Foundation
import Telemetry
import TestPeers
import Testing

@testable import Acquisition

/// The shipped profiles against meters that were written from their standards.
@Suite("Meters of DL/T 645 and CJ/T 188 beside Modbus on one line", .serialized)
struct MeterLineTests {
    private let sink = RecordingSink()
    private let log = EventLog()

    /// A shipped profile that is polled twice a second.
    private func meter(
        _ id: String, _ interface: String, _ name: String, key: String
    ) throws -> MeterBinding {
        func text(_ path: String) throws -> String {
            try String(contentsOfFile: packageRoot + "/Devices/" + path, encoding: .utf8)
        }
        let profile = try text("\(id).yaml").replacing("fast: 30s", with: "fast: 500ms")
            .replacing("slow: 300s", with: "slow: 500ms")
        let library = try ProfileLibrary(
            vocabularyText: text("vocabulary.yaml"), profiles: [("\(id).yaml", profile)])
        return try MeterBinding(
            profile: try #require(library[id]), interface: interface, device: DeviceID(name),
            key: key)
    }

    private func device(_ binding: MeterBinding, _ first: Int) -> BusAcquisition.Device {
        BusAcquisition.Device(
            meter: binding,
            groups: binding.groups.enumerated().map { TestSite.numbered($1, first + $0) })
    }

    private func values(_ binding: MeterBinding, _ first: Int) -> [String: Reading] {
        var values: [String: Reading] = [:]
        for (index, group) in binding.groups.enumerated() {
            for scan in sink.scans(of: first + index) {
                for (series, reading) in zip(group.series, scan.readings) {
                    let key = series.id.point.text
                    if reading.isGood || values[key] == nil { values[key] = reading }
                }
            }
        }
        return values
    }

    /// Polls the line until `isEnough`.
    ///
    /// - Returns: how many requests failed.
    @discardableResult
    private func poll(
        _ devices: [BusAcquisition.Device], until isEnough: @Sendable () -> Bool
    ) async throws -> UInt64 {
        let status = AcquisitionStatus()
        try await withTemporaryFolder { folder in
            let path = folder + "/line"
            try await withPythonPeer("meter_line.py", ["--pty", path]) { _ in
                let acquisition = BusAcquisition(
                    name: "line",
                    link: BusLink(
                        .serial(SerialLine(path: path, baud: 115_200)),
                        responseTimeout: .milliseconds(300), isShared: true),
                    devices: devices, sink: sink, clock: LinkClock(ContinuousClock()),
                    wallClock: SystemClock(), status: status, onEvent: log.note)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await acquisition.run() }
                    defer { acquisition.stop() }
                    try await eventually("enough scans", within: .seconds(60)) { isEnough() }
                }
            }
        }
        return try #require(status.links["line"]).failures
    }

    @Test("each is read by its own protocol; a meter that is not there costs the others nothing")
    func mixedLine() async throws {
        let energy = try meter(
            "generic/dlt645-2007", "rs485", "energy", key: "123456789012")
        let dead = try meter("generic/dlt645-2007", "rs485", "dead", key: "000000000001")
        let water = try meter(
            "generic/cjt188-water", "low_first", "water", key: "78330011223344")
        let modbus = try TestSite.meter("unit", addresses: [40, 41, 42], period: "500ms")
        try await poll([
            device(energy, 10), device(dead, 20), device(water, 30),
            BusAcquisition.Device(
                unit: 1, binding: modbus, groups: [TestSite.numbered(modbus.groups[0], 40)]),
        ]) {
            values(energy, 10)["frequency"]?.isGood == true
                && values(energy, 10)["active_energy.import.total"]?.isGood == true
                && values(water, 30)["volume"]?.isGood == true
                && sink.scans(of: 40).contains { $0.readings[0].isGood }
                && !sink.scans(of: 20).isEmpty
        }
        let read = values(energy, 10)
        #expect(read["active_energy.import.total"] == .number(123_456.78))
        #expect(read["active_energy.export.total"] == .number(6.35))
        #expect(read["voltage.l1"] == .number(230.5) && read["voltage.l3"] == .number(229.9))
        #expect(read["active_power.total"] == .number(-1234.5))
        #expect(read["frequency"] == .number(50.02))
        // What the meter refuses is no value; it is not taken for silence.
        #expect(read["power_factor.total"] == .bad(.exception))
        #expect(values(water, 30)["volume"] == .number(556_677))
        #expect(
            sink.scans(of: 40).filter { $0.readings[0].isGood }
                .allSatisfy { $0.readings == [.number(40), .number(41), .number(42)] })
        #expect(values(dead, 20).values.allSatisfy { !$0.isGood })
        let silent = log.events.compactMap { event -> DeviceID? in
            if case .deviceSilent(_, let device, _) = event { device } else { nil }
        }
        #expect(Set(silent) == [DeviceID("dead")])
    }

    @Test("what a meter refuses is asked for once and told once, however often its turn comes")
    func refusedItems() async throws {
        let meter = try meter("generic/dlt645-2007", "rs485", "energy", key: "123456789012")
        let failures = try await poll([device(meter, 10)]) {
            meter.groups.indices.allSatisfy { sink.scans(of: 10 + $0).count > 3 }
        }
        let told = log.events.compactMap { event -> String? in
            if case .requestRefused(_, _, let cause) = event { cause } else { nil }
        }
        #expect(told.count > 3 && Set(told).count == told.count)
        #expect(failures == UInt64(told.count))
    }
}
