import Foundation
import FoundationNetworking
import Subprocess

/// The root of the package: the folder that holds `Package.swift`.
package let packageRoot: String = {
    var folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    for _ in 0..<3 { folder.deleteLastPathComponent() }
    return folder.path
}()

/// Runs a script of `Tests/Peers` in the project's virtual environment and ends it afterwards.
///
/// The script chooses a port itself, and its first line on standard output is `listening <port>`.
///
/// - Parameters:
///   - script: the file's name, for example `modbus_server.py`.
///   - arguments: passed on as they are.
/// - Throws: `PeerError` when the script says nothing, with what it wrote on standard error.
package func withPythonPeer<R: Sendable>(
    _ script: String, _ arguments: [String] = [],
    _ body: @Sendable (_ port: Int) async throws -> R
) async throws -> R {
    try await withPythonPeer(script, arguments, port, body)
}

/// `listening <port>`
private func port(_ line: String) -> Int? {
    let words = line.split(whereSeparator: \.isWhitespace)
    return words.count == 2 && words[0] == "listening" ? Int(words[1]) : nil
}

/// A receiver of `Tests/Peers` that judges what a platform is sent, as it says of itself.
package struct JudgingPlatform: Sendable {
    package let port: Int
    /// Where it is asked what it took, and told to misbehave.
    package let control: Int

    /// `{"port": P, "control": C}`
    fileprivate init?(_ line: String) {
        guard
            let words = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Int],
            let port = words["port"], let control = words["control"]
        else { return nil }
        self.port = port
        self.control = control
    }

    /// Asks for a list: `ledger`, `refused`, `events`.
    package func list(_ name: String) async throws -> [[String: Any]] {
        try await ask(name, nil) as? [[String: Any]] ?? []
    }

    /// Says something, for example `misbehave` or `command`.
    package func say(_ name: String, _ fields: [String: Any]) async throws -> [String: Any] {
        try await ask(name, try JSONSerialization.data(withJSONObject: fields)) as? [String: Any]
            ?? [:]
    }

    private func ask(_ name: String, _ body: Data?) async throws -> Any {
        guard let url = URL(string: "http://127.0.0.1:\(control)/\(name)") else {
            throw PeerError("no address: \(name)")
        }
        var request = URLRequest(url: url, timeoutInterval: 60)
        request.httpMethod = body == nil ? "GET" : "POST"
        request.httpBody = body
        let (data, _) = try await URLSession.shared.data(for: request)
        return try JSONSerialization.jsonObject(with: data)
    }
}

/// As `withPythonPeer`, for the receivers that judge.
package func withJudgingPlatform<R: Sendable>(
    _ script: String, _ arguments: [String] = [],
    _ body: @Sendable (JudgingPlatform) async throws -> R
) async throws -> R {
    try await withPythonPeer(script, arguments, JudgingPlatform.init, body)
}

private func withPythonPeer<Place: Sendable, R: Sendable>(
    _ script: String, _ arguments: [String], _ place: @Sendable (String) -> Place?,
    _ body: @Sendable (Place) async throws -> R
) async throws -> R {
    let python = packageRoot + "/.venv/bin/python"
    guard FileManager.default.isExecutableFile(atPath: python) else {
        throw PeerError("\(python) is missing: run scripts/setup")
    }
    let outcome = try await run(
        .path(.init(python)),
        arguments: Arguments(["-u", packageRoot + "/Tests/Peers/" + script] + arguments),
        platformOptions: endedSoon(), input: .none, output: .sequence,
        error: .string(limit: 64 * 1024)
    ) { execution -> Result<R, any Error> in
        do {
            var lines = execution.standardOutput.strings().makeAsyncIterator()
            guard let line = try await lines.next(), let found = place(line) else {
                throw PeerError("\(script) did not say on which port it listens")
            }
            let result = try await body(found)
            await execution.teardown(
                using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))])
            return .success(result)
        } catch {
            await execution.teardown(
                using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))])
            return .failure(error)
        }
    }
    if case .failure(let error) = outcome.closureResult, error is PeerError {
        throw PeerError("\(error): \(outcome.standardError)")
    }
    return try outcome.takeClosureResult().get()
}
