import Foundation
import Subprocess

/// What a station of HJ 212 saw of the platform: `Tests/Peers/hj212_station.py`, played to its end.
package struct StationReport: Sendable {
    /// Whether the platform did what the standard asks for.
    package var isContent: Bool
    /// One JSON object per thing that happened.
    package var lines: [String]
    package var error: String

    /// How many lines hold all of `words`.
    package func count(_ words: String...) -> Int {
        lines.count { line in words.allSatisfy(line.contains) }
    }
}

/// Lets an independent station call 127.0.0.1 at `port` and play `scenario`.
package func playStation(
    _ scenario: String, port: Int, mn: String, _ options: [String] = []
) async throws -> StationReport {
    let python = packageRoot + "/.venv/bin/python"
    guard FileManager.default.isExecutableFile(atPath: python) else {
        throw PeerError("\(python) is missing: run scripts/setup")
    }
    let result = try await run(
        .path(.init(python)),
        arguments: Arguments(
            [
                "-u", packageRoot + "/Tests/Peers/hj212_station.py", "127.0.0.1", "\(port)", mn,
                scenario,
            ]
                + options),
        platformOptions: endedSoon(), input: .none, output: .string(limit: 1 << 20),
        error: .string(limit: 64 * 1024))
    return StationReport(
        isContent: result.terminationStatus.isSuccess,
        lines: result.standardOutput.split(separator: "\n").map(String.init),
        error: result.standardError)
}
