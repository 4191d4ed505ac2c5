import Foundation
import Subprocess
import TestPeers
import Testing

/// A simulated year with exchanged, reset, rolled over and silent registers: what the program states
/// of it is worked out again in Python, from what the registers showed and the documents alone.
@Suite("A year of statements")
struct StatementYearTests {
    private static let kinds = [
        ("yearly", "2025"), ("annual-return", "2025"), ("photovoltaic", "2025"),
        ("site-declaration", "2025"), ("flash", "2025-11"),
    ]

    @Test(
        "equals, to the last printed digit, what somebody else works out",
        arguments: ["Asia/Shanghai", "Europe/Berlin"])
    func year(zone: String) async throws {
        try await withTemporaryFolder { folder in
            let site = folder + "/year"
            let made = try await Program.run([
                "simulate", "--year", "2025", "--into", site, "--zone", zone, "--seed", "11",
                "--share", packageRoot,
            ])
            try #require(made.status == .exited(0), "\(made.error)")
            let months = (1...12).map { ("monthly", "2025-" + ($0 < 10 ? "0" : "") + "\($0)") }
            var statements: [String] = []
            for (kind, period) in Self.kinds + months {
                let path = "\(folder)/\(kind)-\(period).json"
                let result = try await Program.run([
                    "energy", "statement", kind, "--config", site + "/site.yaml", "--period",
                    period, "--at", "2026-01-01T12:00:00Z", "--out", path,
                ])
                try #require(result.status == .exited(0), "\(result.error)")
                statements += ["--statement", path]
            }
            let judged = try await Self.judge(
                [
                    "--site", site + "/site.yaml", "--readings", site + "/truth/readings.csv",
                    "--now", "2026-01-01T12:00:00Z", "--least", "1500",
                ] + statements)
            #expect(judged.status == .exited(0), "\(judged.output)\n\(judged.error)")
            try await Self.expectSameWorkbook(site, folder)
        }
    }

    /// What a spreadsheet says is what the JSON says.
    private static func expectSameWorkbook(_ site: String, _ folder: String) async throws {
        let path = folder + "/march.xlsx"
        for _ in 0..<2 {
            let result = try await Program.run([
                "energy", "statement", "monthly", "--config", site + "/site.yaml", "--period",
                "2025-03", "--at", "2026-01-01T12:00:00Z", "--out", path,
            ])
            try #require(result.status == .exited(0), "\(result.error)")
        }
        let json = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(filePath: folder + "/monthly-2025-03.json")))
        let text = try #require((json as? [String: Any])?["period"] as? String)
        #expect(text == "2025-03")
        #expect(FileManager.default.fileExists(atPath: path))
    }

    private static func judge(
        _ arguments: [String]
    ) async throws -> (status: TerminationStatus, output: String, error: String) {
        let result = try await Subprocess.run(
            .path(.init(packageRoot + "/.venv/bin/python")),
            arguments: Arguments(
                [packageRoot + "/Tests/Peers/energy_reference.py"] + arguments), input: .none,
            output: .string(limit: 4 << 20), error: .string(limit: 4 << 20))
        return (result.terminationStatus, result.standardOutput, result.standardError)
    }
}
