import Foundation
import FoundationNetworking
import Subprocess
import TestPeers

/// The real program, as built beside the tests.
enum Program {
    static let path = packageRoot + "/.build/debug/plumbline"

    /// Runs a verb to its end.
    static func run(
        _ arguments: [String]
    ) async throws -> (status: TerminationStatus, output: String, error: String) {
        let result = try await Subprocess.run(
            .path(.init(path)), arguments: Arguments(arguments), input: .none,
            output: .string(limit: 4 << 20), error: .string(limit: 4 << 20))
        return (
            result.terminationStatus, result.standardOutput, result.standardError
        )
    }
}

/// A running gateway or demo.
struct Daemon: Sendable {
    let processIdentifier: Int32
    let port: Int

    /// The body of a page of the API; an error answer throws.
    func get(_ path: String, accept: String = "application/json") async throws -> Data {
        guard let url = URL(string: "http://127.0.0.1:\(port)\(path)") else {
            throw PeerError("'\(path)' is no address")
        }
        var request = URLRequest(url: url, timeoutInterval: 10)
        request.setValue(accept, forHTTPHeaderField: "Accept")
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard status == 200 else {
            throw PeerError("\(path): \(status) \(String(decoding: data, as: UTF8.self))")
        }
        return data
    }

    func json(_ path: String) async throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: try await get(path))
        guard let object = value as? [String: Any] else { throw PeerError("\(path): no object") }
        return object
    }

    /// The value of a metric, summed over its labels; `labels` must all occur in the line.
    func metric(_ name: String, _ labels: String...) async throws -> Double {
        let text = String(decoding: try await get("/metrics", accept: "text/plain"), as: UTF8.self)
        return text.split(separator: "\n").filter { line in
            (line.hasPrefix(name + "{") || line.hasPrefix(name + " "))
                && labels.allSatisfy { line.contains($0) }
        }.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    var isReady: Bool {
        get async { (try? await get("/health/ready")) != nil }
    }
}

/// How `withDaemon` ends the program.
enum DaemonEnd: Sendable {
    case interrupt
    case kill
}

/// Runs the program, and `body` once it is ready, then ends exactly that process.
///
/// - Returns: the body's result, how the program ended, and what it wrote on standard error.
func withDaemon<R: Sendable>(
    _ arguments: [String], port: Int, end: DaemonEnd = .interrupt,
    environment: [Environment.Key: String?] = [:],
    _ body: @Sendable (Daemon) async throws -> R
) async throws -> (result: R, status: TerminationStatus, log: String) {
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
    let outcome = try await run(
        .path(.init(Program.path)), arguments: Arguments(arguments),
        environment: .inherit.updating(environment), platformOptions: options,
        input: .none, output: .discarded, error: .string(limit: 8 << 20)
    ) { execution -> Result<R, any Error> in
        let daemon = Daemon(
            processIdentifier: execution.processIdentifier.value, port: port)
        let result: Result<R, any Error>
        do {
            try await eventually("readiness") { await daemon.isReady }
            result = .success(try await body(daemon))
        } catch {
            result = .failure(error)
        }
        switch end {
        case .interrupt: try? execution.send(signal: .interrupt)
        case .kill: try? execution.send(signal: .kill)
        }
        return result
    }
    let log = outcome.standardError
    switch outcome.closureResult {
    case .success(let result): return (result, outcome.terminationStatus, log)
    case .failure(let error): throw PeerError("\(error)\n\(log.suffix(4000))")
    }
}
