import FieldLinks
import Synchronization
import Telemetry
import UplinkFormats

/// Publishes items with QoS 1 under a topic prefix; accepted means PUBACK.
package final class MQTTUplinkTransport: UplinkTransport {
    private let publisher: MQTTPublisher
    private let format: any UplinkFormat
    private let calendar: SiteCalendar
    private let topicPrefix: String
    private let maximumPayload: Int
    private let retryAfter: Duration
    private let clock: LinkClock
    private let onNote: @Sendable (ConversationNote) -> Void
    private let sent = Atomic<Int64>(0)
    /// What has been said once on the connection of this number. A mutex: nothing waits inside.
    private let introduced = Mutex((connection: -1, messages: Set<EncodedMessage>()))

    /// - Parameters:
    ///   - topicPrefix: goes before the message's own suffix, with one `/` between them.
    ///   - maximumPayload: larger messages are rejected, in bytes.
    ///   - retryAfter: how long an item rests after a failed attempt.
    ///   - onNote: told of each message and its acknowledgement.
    package init(
        publisher: MQTTPublisher, topicPrefix: String, format: any UplinkFormat,
        calendar: SiteCalendar, clock: LinkClock, maximumPayload: Int = 1024 * 1024,
        retryAfter: Duration = .seconds(5),
        onNote: @escaping @Sendable (ConversationNote) -> Void = { _ in }
    ) {
        self.clock = clock
        self.onNote = onNote
        self.publisher = publisher
        self.topicPrefix = topicPrefix.hasSuffix("/") ? String(topicPrefix.dropLast()) : topicPrefix
        self.format = format
        self.calendar = calendar
        self.maximumPayload = maximumPayload
        self.retryAfter = retryAfter
    }

    package var correction: CorrectionForm { format.correction }
    package var batchLimit: Int { format.batchLimit }
    package var bytesSent: Int64 { sent.load(ordering: .relaxed) }

    /// Publishes the items as one message and says what came of it; never throws.
    package func send(_ items: [UplinkItem]) async -> [Outcome] {
        let connection = publisher.connection
        for message in format.introduction(of: items) where isNews(message, connection) {
            let outcome = await publish(message)
            guard case .accepted = outcome else {
                forget(message)
                return items.map { _ in outcome }
            }
        }
        let outcome = await publish(format.encode(items, calendar: calendar))
        return items.map { _ in outcome }
    }

    /// Publishes the format's trial; without one, waits for the broker.
    package func tryOut(_ site: SiteID, at time: Timestamp) async -> Trial {
        if let message = format.trial(of: site, at: time, calendar: calendar) {
            return .item(await publish(message))
        }
        return await publisher.greeted(clock)
    }

    private func publish(_ message: EncodedMessage) async -> Outcome {
        let size = message.payload.count
        guard size <= maximumPayload else {
            return .expired(reason: "\(size) bytes are more than the \(maximumPayload) allowed")
        }
        let suffix = message.topicSuffix.drop { $0 == "/" }
        let topic = [topicPrefix, String(suffix)].filter { !$0.isEmpty }.joined(separator: "/")
        sent.add(Int64(size + topic.utf8.count), ordering: .relaxed)
        onNote(.init(.sent, "PUBLISH \(topic) \(message.readable)"))
        let outcome = await Outcome.publishing(retryAfter: retryAfter) {
            try await publisher.publish(topic, message.payload)
        }
        onNote(.init(outcome == .accepted ? .received : .thought, outcome.words("PUBACK")))
        return outcome
    }

    /// Notes that a message is said on this connection.
    private func isNews(_ message: EncodedMessage, _ connection: Int) -> Bool {
        introduced.withLock { known in
            if known.connection != connection { known = (connection, []) }
            return known.messages.insert(message).inserted
        }
    }

    private func forget(_ message: EncodedMessage) {
        _ = introduced.withLock { $0.messages.remove(message) }
    }
}

extension MQTTPublisher {
    /// Waits, ten seconds at most, until the broker has taken the connection; not on the actor, which
    /// is busy with it.
    nonisolated func greeted(_ clock: LinkClock) async -> Trial {
        for _ in 0..<100 where !isConnected {
            do { try await clock.sleep(.milliseconds(100)) } catch { break }
        }
        return isConnected
            ? .greeting : .closed(reason: "the broker does not take the connection")
    }
}
