import Foundation
import TestPeers
import Testing

@Suite("Looking at a device by hand")
struct ProbeTests {
    @Test("shows a foreign meter by its profile, raw, and records it for the simulator")
    func probe() async throws {
        try await withTemporaryFolder { folder in
            let file = folder + "/meter.yaml"
            try await withPythonPeer("modbus_server.py", MeterRegisters.arguments) { port in
                let connect = ["probe", "--connect", "tcp://127.0.0.1:\(port)", "--unit", "1"]
                let known = try await Program.run(
                    connect + [
                        "--profile", "eastron/sdm630", "--record", file, "--share", packageRoot,
                    ])
                #expect(known.status == .exited(0), "\(known.error)")
                #expect(known.output.contains("voltage.l1") && known.output.contains("good"))
                let raw = try await Program.run(connect + ["--at", "input/0x00", "--count", "3"])
                #expect(raw.output.contains("input/0x00") && raw.output.contains("30001"))
                let other = try await Program.run(
                    connect + ["--profile", "acrel/adl3000", "--share", packageRoot])
                #expect(other.status == .exited(69))
                #expect(other.error.contains("is not 'acrel/adl3000'"), "\(other.error)")
                let scan = try await Program.run(
                    [
                        "probe", "--connect", "tcp://127.0.0.1:\(port)", "--scan", "--units", "1-3",
                        "--share", packageRoot,
                    ])
                #expect(scan.output.contains("profile: eastron/sdm630, unit: 1"), "\(scan.output)")
            }
            #expect(try String(contentsOfFile: file, encoding: .utf8).contains("input/0x00: \""))
        }
    }

    @Test("nobody there and mistakes in an address end with a reason and their exit codes")
    func failures() async throws {
        let port = try freePort()
        let nobody = try await Program.run(
            ["probe", "--connect", "tcp://127.0.0.1:\(port)", "--unit", "1"])
        #expect(nobody.status == .exited(69))
        #expect(nobody.error.contains("127.0.0.1:\(port)"))
        let wrong = try await Program.run([
            "probe", "--connect", "rtu:///dev/ttyX?baud=1", "--scan",
        ])
        #expect(wrong.status == .exited(65))
        #expect(wrong.error.contains("--connect") && wrong.error.contains("9600"))
    }
}
