import Foundation
import Subprocess

/// A real mosquitto that listens on 127.0.0.1 for as long as `withBroker` runs.
package struct Broker: Sendable {
    package let port: Int
    /// Holds the configuration, the persistence file and the log.
    package let folder: String
    /// The broker's process; signals only, it is ended by `withBroker`.
    package let processIdentifier: Int32

    /// Publishes one message with `mosquitto_pub` and returns after its PUBACK.
    ///
    /// - Throws: `PeerError` with the command's own words.
    package func publish(
        _ topic: String, _ payload: String, qos: Int = 1, retain: Bool = false
    ) async throws {
        try await mosquittoPublish(
            port: port, topic: topic, payload: payload, qos: qos, retain: retain)
    }

    /// Publishes each line as one message over one connection, in order, and returns when the
    /// broker has acknowledged all of them.
    package func publish(_ topic: String, lines: [String], qos: Int = 1) async throws {
        let text = lines.map { $0 + "\n" }.joined()
        let result = try await run(
            .path("/usr/bin/mosquitto_pub"),
            arguments: ["-h", "127.0.0.1", "-p", "\(port)", "-t", topic, "-q", "\(qos)", "-l"],
            input: .string(text), output: .discarded, error: .string(limit: 16 * 1024))
        guard result.terminationStatus.isSuccess else {
            throw PeerError("mosquitto_pub failed: \(result.standardError)")
        }
    }
}

/// How `withBroker` ends the broker when its body returns.
package enum BrokerEnd: Sendable {
    /// SIGTERM: the broker saves its sessions.
    case gracefully
    /// SIGKILL: what the broker had not saved is gone.
    case abruptly
}

/// Runs mosquitto with `body` and ends exactly that process afterwards.
///
/// Calling it twice with the same `port` and `folder` is a restart of the broker.
///
/// - Parameters:
///   - port: a free one is chosen when nil.
///   - folder: where sessions persist; a temporary one, deleted at the end, when nil.
///   - lines: further lines of mosquitto.conf.
package func withBroker<R: Sendable>(
    port: Int? = nil, folder: String? = nil, lines: [String] = [], end: BrokerEnd = .gracefully,
    _ body: @Sendable (Broker) async throws -> R
) async throws -> R {
    guard let folder else {
        return try await withTemporaryFolder { folder in
            try await withBroker(port: port, folder: folder, lines: lines, end: end, body)
        }
    }
    let port = try port ?? freePort()
    let configuration = folder + "/mosquitto.conf"
    // Stock limits drop queued messages silently; the shipped configuration lifts them too.
    var text = [
        "listener \(port) 127.0.0.1", "allow_anonymous true", "persistence true",
        "persistence_location \(folder)/", "autosave_interval 1", "autosave_on_changes true",
        "max_queued_messages 0", "max_queued_bytes 0", "max_inflight_messages 0",
        "log_dest file \(folder)/mosquitto.log", "log_type all",
    ]
    if getuid() == 0 { text.append("user root") }
    text += lines
    try (text.joined(separator: "\n") + "\n")
        .write(toFile: configuration, atomically: true, encoding: .utf8)
    let outcome = try await run(
        .path("/usr/sbin/mosquitto"), arguments: ["-c", configuration],
        platformOptions: endedSoon(), input: .none, output: .discarded,
        error: .string(limit: 64 * 1024)
    ) { execution in
        try await waitUntilListening(port)
        let broker = Broker(
            port: port, folder: folder,
            processIdentifier: execution.processIdentifier.value)
        let result = try await body(broker)
        switch end {
        case .gracefully:
            await execution.teardown(
                using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))])
        case .abruptly: try execution.send(signal: .kill)
        }
        return result
    }
    return outcome.takeClosureResult()
}

/// Publishes one message with `mosquitto_pub` to a broker on 127.0.0.1.
package func mosquittoPublish(
    port: Int, topic: String, payload: String, qos: Int = 1, retain: Bool = false
) async throws {
    // Through standard input: an argument may not be longer than 128 KiB.
    var arguments = [
        "-h", "127.0.0.1", "-p", "\(port)", "-t", topic, "-q", "\(qos)", "-s",
    ]
    if retain { arguments.append("-r") }
    let result = try await run(
        .path("/usr/bin/mosquitto_pub"), arguments: Arguments(arguments),
        input: .string(payload), output: .discarded, error: .string(limit: 16 * 1024))
    guard result.terminationStatus.isSuccess else {
        throw PeerError("mosquitto_pub failed: \(result.standardError)")
    }
}

extension Broker {
    /// Lets the process stand still: its sockets stay open, and it says nothing.
    package func freeze() throws { try signal(SIGSTOP) }

    /// Lets a frozen process run on.
    package func thaw() throws { try signal(SIGCONT) }

    private func signal(_ number: Int32) throws {
        guard kill(processIdentifier, number) == 0 else {
            throw PeerError("signal \(number) to the broker failed: \(errno)")
        }
    }
}
