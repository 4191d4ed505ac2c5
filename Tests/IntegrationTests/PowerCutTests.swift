import Foundation
import Telemetry
import TestPeers
import Testing

@Suite("A power cut that takes meter and gateway together")
struct PowerCutTests {
    private static let series = "meter-1.active_energy.import.total"

    /// Registers 0 to 65 of the meter; its energy, in hundredths of a kWh, stands in 62 and 63.
    private static func meter(energy: Int) -> [String] {
        var cells = [String](repeating: "0", count: 66)
        cells[20] = "2300"
        cells[62] = "\(energy >> 16)"
        cells[63] = "\(energy & 0xFFFF)"
        return ["--unit", "1", "--holding", "0=" + cells.joined(separator: ",")]
    }

    /// A library of one meter whose counter is never set back and is read each second.
    private static func makeLibrary(in folder: String) throws {
        let files = FileManager.default
        try files.createDirectory(
            atPath: folder + "/Devices/acrel", withIntermediateDirectories: true)
        for part in ["Dashboards", "Devices/vocabulary.yaml"] {
            try files.createSymbolicLink(
                atPath: folder + "/" + part, withDestinationPath: packageRoot + "/" + part)
        }
        let profile = try String(
            contentsOfFile: packageRoot + "/Devices/acrel/adw300.yaml", encoding: .utf8)
        try #require(profile.contains("slow: 60s"))
        try profile.replacing("slow: 60s", with: "slow: 1s").write(
            toFile: folder + "/Devices/acrel/adw300.yaml", atomically: true, encoding: .utf8)
    }

    @Test(
        "a meter that reads 0 when both are back has no value, and then goes on from where it was",
        .timeLimit(.minutes(3)), arguments: [DaemonEnd.interrupt, .kill])
    func zeroAfterRestart(end: DaemonEnd) async throws {
        try await withTemporaryFolder { folder in
            try Self.makeLibrary(in: folder + "/share")
            let files = try TestSite(folder: folder)
            var good = 0
            for energy in [500_000, 0, 500_020] {
                try await withPythonPeer("modbus_server.py", Self.meter(energy: energy)) { port in
                    var site = files
                    site.links = [TestSite.meterLink(port: port, profile: "acrel/adw300")]
                    let arguments = try site.write().dropLast() + [folder + "/share"]
                    let before = try await samples(files).count
                    _ = try await withDaemon(Array(arguments), port: site.apiPort, end: end) { _ in
                        try await eventually("three readings", within: .seconds(30)) {
                            try await samples(files).count { $0 != .bad(.disconnected) }
                                >= before + 3
                        }
                    }
                }
                let told = try await samples(files)
                if energy == 0 {
                    #expect(told.count { $0.isGood } == good, "a 0 is no value of this counter")
                    #expect(told.last == .bad(.outOfRange))
                }
                good = told.count { $0.isGood }
            }
            let values = try await samples(files).compactMap(\.number)
            #expect(Set(values) == [5000, 5000.2])
        }
    }

    private func samples(_ site: TestSite) async throws -> [Reading] {
        guard FileManager.default.fileExists(atPath: site.dataFolder) else { return [] }
        return try await site.samples(Self.series).map(\.reading)
    }
}
