import Foundation
import Subprocess
import TestPeers
import Testing

/// Runs one proof of `Tests/StoreFaults/torture.py` and reads the counts that it prints.
enum Torture {
    /// What a proof found; a count that is not there is a failure of the test.
    struct Outcome {
        let isGood: Bool
        let counts: [String: Any]
        let text: String

        func count(_ name: String, _ location: SourceLocation = #_sourceLocation) throws -> Int {
            try #require(counts[name] as? Int, "\(name): \(text)", sourceLocation: location)
        }
    }

    /// - Returns: nil when a tool is missing; the proof says which on the console.
    static func run(_ arguments: String...) async throws -> Outcome? {
        let python = packageRoot + "/.venv/bin/python"
        let result = try await Subprocess.run(
            .path(.init(python)),
            arguments: Arguments([packageRoot + "/Tests/StoreFaults/torture.py"] + arguments),
            input: .none, output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        print(result.standardOutput, terminator: "")
        fflush(nil)
        if result.terminationStatus == .exited(77) { return nil }
        let line = result.standardOutput.split(separator: "\n").last ?? ""
        let object = try? JSONSerialization.jsonObject(with: Data(line.utf8))
        guard let counts = object as? [String: Any] else {
            throw PeerError("\(result.standardOutput)\(result.standardError)")
        }
        return Outcome(
            isGood: result.terminationStatus.isSuccess, counts: counts,
            text: result.standardOutput + result.standardError)
    }
}
