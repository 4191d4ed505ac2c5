import FieldLinks
import Synchronization

/// What a link delivered and said, for a test to look at.
final class MessageLog: Sendable {
    private struct State {
        var batches: [[MQTTMessage]] = []
        var events: [MQTTLinkEvent] = []
    }

    private let state = Mutex(State())

    var batches: [[MQTTMessage]] { state.withLock { $0.batches } }
    var messages: [MQTTMessage] { batches.flatMap { $0 } }
    var payloads: [String] { messages.map { String(decoding: $0.payload, as: UTF8.self) } }
    var events: [MQTTLinkEvent] { state.withLock { $0.events } }

    func take(_ batch: [MQTTMessage]) { state.withLock { $0.batches.append(batch) } }
    func note(_ event: MQTTLinkEvent) { state.withLock { $0.events.append(event) } }

    var connections: Int {
        events.count { if case .connected = $0 { true } else { false } }
    }
    var disconnections: Int {
        events.count { if case .disconnected = $0 { true } else { false } }
    }
}

/// Quick reconnects, so that outages in tests are short.
let quickly = Backoff.Limits(first: .milliseconds(20), ceiling: .milliseconds(100))

/// Runs the link beside `body` and stops it afterwards, whatever happens.
func whileRunning<R: Sendable>(
    _ link: MQTTLink, _ deliver: @escaping @Sendable ([MQTTMessage]) async throws -> Void,
    _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
    try await withThrowingTaskGroup(of: R?.self) { group in
        group.addTask {
            await link.run { batch in
                try await deliver(batch.messages)
                return {}
            }
            return nil
        }
        defer { link.stop() }
        return try await body()
    }
}

/// Runs the publisher beside `body` and stops it afterwards, whatever happens.
func whileRunning<R: Sendable>(
    _ publisher: MQTTPublisher, _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
    try await withThrowingTaskGroup(of: R?.self) { group in
        group.addTask {
            await publisher.run()
            return nil
        }
        defer { publisher.stop() }
        return try await body()
    }
}
