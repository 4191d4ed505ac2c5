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
        ("savings", "2025-09-01..2025-12-31"), ("savings", "2025-11"), ("savings", "2025"),
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
            try await Self.freeze(site)
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
            for period in ["2025-02", "2025-07", "2025-11", "2025"] {
                let path = "\(folder)/intensity-\(period).json"
                let result = try await Program.run([
                    "energy", "intensity", "--config", site + "/site.yaml", "--period", period,
                    "--at", "2026-01-01T12:00:00Z", "--format", "json",
                ])
                try #require(result.status == .exited(0), "\(result.error)")
                try result.output.write(toFile: path, atomically: true, encoding: .utf8)
                statements += ["--statement", path]
            }
            let judged = try await Self.judge(
                [
                    "--site", site + "/site.yaml", "--readings", site + "/truth/readings.csv",
                    "--now", "2026-01-01T12:00:00Z", "--least", "3000",
                ] + statements)
            #expect(judged.status == .exited(0), "\(judged.output)\n\(judged.error)")
            try await Self.expectSameWorkbook(site, folder)
        }
    }

    /// Freezes a baseline of days and one of months, and lets the site name them.
    ///
    /// What the method does not bear is refused, and nothing is written.
    private static func freeze(_ site: String) async throws {
        func baseline(_ more: [String]) async throws -> (status: TerminationStatus, text: String) {
            let result = try await Program.run(
                [
                    "energy", "baseline", "--config", site + "/site.yaml", "--at",
                    "2026-01-01T12:00:00Z",
                ] + more)
            return (result.status, result.output + result.error)
        }
        let refused = try await baseline([
            "--meter", "office", "--period", "2025-01-01..2025-03-31", "--variables", "hdd,staff",
            "--out", site + "/office.yaml",
        ])
        #expect(refused.status == .exited(65))
        #expect(refused.text.contains("3 usable periods, and 8 are needed"))
        #expect(!FileManager.default.fileExists(atPath: site + "/office.yaml"))
        let span = "2025-01-01..2025-08-31"
        for (meter, interval, variables) in [
            ("main", "day", "hdd,cdd"), ("living", "month", "hdd,cdd"),
        ] {
            let made = [
                "--meter", meter, "--period", span, "--interval", interval, "--variables",
                variables, "--name", "\(meter)-\(interval)s", "--out", "\(site)/\(meter).yaml",
            ]
            let first = try await baseline(made)
            try #require(first.status == .exited(0), "\(first.text)")
            #expect(first.text.contains("sha256 of the whole text"))
            let again = try await baseline(made)
            #expect(again.status == .exited(65) && again.text.contains("not written over"))
        }
        let file = site + "/site.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try #require(text.contains("frozen: []"))
        try text.replacing("frozen: []", with: "frozen: [main.yaml, living.yaml]")
            .write(toFile: file, atomically: true, encoding: .utf8)
    }

    @Test("the reference itself is right in cases worked by hand")
    func reference() async throws {
        let result = try await Subprocess.run(
            .path(.init(packageRoot + "/.venv/bin/python")),
            arguments: ["-m", "energy.test_reference"],
            workingDirectory: .init(packageRoot + "/Tests/Peers"), input: .none,
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        #expect(result.terminationStatus == .exited(0), "\(result.standardError)")
        #expect(result.standardOutput.contains("tests passed"))
    }

    /// A workbook of the same statement is the same file, and a closed month stays as it was.
    private static func expectSameWorkbook(_ site: String, _ folder: String) async throws {
        let path = folder + "/march.xlsx"
        var files: [Data] = []
        for _ in 0..<2 {
            let result = try await Program.run([
                "energy", "statement", "monthly", "--config", site + "/site.yaml", "--period",
                "2025-03", "--at", "2026-01-01T12:00:00Z", "--out", path,
            ])
            try #require(result.status == .exited(0), "\(result.error)")
            files.append(try Data(contentsOf: URL(filePath: path)))
        }
        #expect(files[0] == files[1] && files[0].prefix(2) == Data("PK".utf8))
        let closed = try await Program.run([
            "energy", "close", "2025-03", "--config", site + "/site.yaml", "--by", "Li",
        ])
        #expect(closed.status == .exited(0) && closed.output.contains("sha256"), "\(closed.error)")
        let verified = try await Program.run(["verify", "--config", site + "/site.yaml"])
        #expect(verified.status == .exited(0), "\(verified.output)\(verified.error)")
        let json = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(filePath: folder + "/monthly-2025-03.json")))
        #expect((json as? [String: Any])?["period"] as? String == "2025-03")
        try await expectClosed(site)
    }

    /// A word that is written down after the closing stands beside what was closed.
    private static func expectClosed(_ site: String) async throws {
        let entries = site + "/energy-entries.yaml"
        let before = try String(contentsOfFile: entries, encoding: .utf8)
        let late =
            before
            + "  - { adjust: main, from: \"2025-03-05T00:00:00Z\", to: \"2025-03-06T00:00:00Z\", "
            + "amount: 100, reason: forgotten, by: Li }\n"
        try late.write(toFile: entries, atomically: true, encoding: .utf8)
        let told = try await Program.run([
            "energy", "statement", "monthly", "--config", site + "/site.yaml", "--period",
            "2025-03",
            "--at", "2026-01-01T12:00:00Z", "--format", "json",
        ])
        #expect(told.output.contains("since_closing") && told.output.contains("Closed by Li"))
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
