import Foundation
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
            let words = try await lines.next()?.split(whereSeparator: \.isWhitespace) ?? []
            guard words.count == 2, words[0] == "listening", let port = Int(words[1]) else {
                throw PeerError("\(script) did not say on which port it listens")
            }
            let result = try await body(port)
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
