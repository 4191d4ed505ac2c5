import Foundation
import Subprocess
import Telemetry
import TestPeers
import Testing

@testable import SiteSimulator

/// Reads the simulated meters and dust stations as a stranger would, from the vendors' tables.
///
/// Called with the ports of the meters and the stations; prints a name, a tab and a number a line.
private let stranger = """
    import struct
    import sys

    from pymodbus.client import ModbusTcpClient


    def float32(words):
        return struct.unpack(">f", struct.pack(">HH", *words))[0]


    def main():
        meters = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]), timeout=3)
        dust = ModbusTcpClient("127.0.0.1", port=int(sys.argv[2]), timeout=3)
        assert meters.connect() and dust.connect()

        # Acrel ADL3000: u32 of 0.01 kWh at 0x000A, i16 of 0.001 kW at 0x6A, both times ratio 60.
        high, low = meters.read_holding_registers(0x000A, count=2, device_id=1).registers
        print("main_kwh", (high << 16 | low) * 0.01 * 60, sep="\\t")
        (raw,) = meters.read_holding_registers(0x6A, count=1, device_id=1).registers
        print("main_w", (raw - 65536 if raw > 32767 else raw) * 60, sep="\\t")
        # Eastron SDM630: float32 in input registers.
        for name, unit in (("plant", 2), ("living", 4)):
            energy = meters.read_input_registers(0x48, count=2, device_id=unit).registers
            power = meters.read_input_registers(0x34, count=2, device_id=unit).registers
            print(f"{name}_kwh", float32(energy), sep="\\t")
            print(f"{name}_w", float32(power), sep="\\t")
        # Chint DTSU666: float32 in holding registers, the power in 0.1 W.
        energy = meters.read_holding_registers(0x101E, count=2, device_id=3).registers
        power = meters.read_holding_registers(0x2012, count=2, device_id=3).registers
        print("office_kwh", float32(energy), sep="\\t")
        print("office_w", float32(power) * 0.1, sep="\\t")
        # Renke 500 series: PM2.5 at 507, PM10 at 508, temperature in 0.1 degrees at 505.
        for name, unit in (("north", 21), ("south", 22)):
            temperature, _, pm2_5, pm10 = dust.read_holding_registers(
                505, count=4, device_id=unit
            ).registers
            print(f"{name}_pm2_5", pm2_5, sep="\\t")
            print(f"{name}_pm10", pm10, sep="\\t")
            print(f"{name}_cel", temperature * 0.1, sep="\\t")


    main()
    """

/// The project's own Python, where pymodbus is; nil when nobody has installed it.

/// The project's own Python, where pymodbus is; nil when nobody has installed it.
private let pythonPath: String? = {
    let path = packageRoot + "/.venv/bin/python"
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
}()

@Suite struct StrangerTests {
    @Test(
        "a Python client that knows only the vendors' tables reads the site's values",
        .enabled(if: pythonPath != nil, "skipped because .venv with pymodbus is missing"))
    func python() async throws {
        let interpreter = try #require(pythonPath)
        let site = SimulatedSite(seed: 7, epoch: epoch, calendar: shanghai)
        let simulation = try SiteSimulation(
            site: site, library: Profiles.library(), broker: nil, clock: ContinuousClock(),
            wallClock: HandClock(epoch))
        _ = try await withSimulation(simulation) { endpoints in
            let meters = try #require(endpoints.modbusPorts["meter-bus"])
            let dust = try #require(endpoints.modbusPorts["dust-bus"])
            let result = try await run(
                .path(.init(interpreter)), arguments: ["-c", stranger, "\(meters)", "\(dust)"],
                output: .string(limit: 65_536), error: .string(limit: 65_536))
            let output = result.standardOutput
            #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
            var read: [String: Double] = [:]
            for line in output.split(separator: "\n") {
                let fields = line.split(separator: "\t")
                if fields.count == 2 { read[String(fields[0])] = Double(fields[1]) }
            }
            // Name in the output, device, point, and what the register can resolve.
            let table: [(String, String, String, Double)] = [
                ("main_kwh", "meter-main", "active_energy.import.total", 0.31),
                ("main_w", "meter-main", "active_power.total", 31),
                ("plant_kwh", "meter-plant", "active_energy.import.total", 0.01),
                ("plant_w", "meter-plant", "active_power.total", 0.1),
                ("office_kwh", "meter-office", "active_energy.import.total", 0.01),
                ("office_w", "meter-office", "active_power.total", 0.1),
                ("living_kwh", "meter-living", "active_energy.import.total", 0.01),
                ("living_w", "meter-living", "active_power.total", 0.1),
                ("north_pm10", "dust-north", "pm10", 0.51),
                ("north_pm2_5", "dust-north", "pm2_5", 0.51),
                ("north_cel", "dust-north", "air_temperature", 0.051),
                ("south_pm10", "dust-south", "pm10", 0.51),
                ("south_pm2_5", "dust-south", "pm2_5", 0.51),
                ("south_cel", "dust-south", "air_temperature", 0.051),
            ]
            #expect(read.count == table.count)
            for (name, device, key, tolerance) in table {
                let value = try #require(read[name])
                #expect(abs(value - number(site, device, key, epoch)) <= tolerance, "\(name)")
            }
        }
    }
}
