import FieldLinks
import Telemetry
import UplinkFormats

/// Publishes encoded items with QoS 1 under a topic prefix; accepted means PUBACK.
package struct MQTTUplinkTransport: UplinkTransport {
    private let publisher: MQTTPublisher
    private let topicPrefix: String
    private let maximumPayload: Int
    private let retryAfter: Duration

    /// - Parameters:
    ///   - topicPrefix: goes before the message's own suffix, with one `/` between them.
    ///   - maximumPayload: larger messages are rejected, in bytes.
    ///   - retryAfter: how long an item rests after a failed attempt.
    package init(
        publisher: MQTTPublisher, topicPrefix: String, maximumPayload: Int = 1024 * 1024,
        retryAfter: Duration = .seconds(5)
    ) {
        self.publisher = publisher
        self.topicPrefix = topicPrefix.hasSuffix("/") ? String(topicPrefix.dropLast()) : topicPrefix
        self.maximumPayload = maximumPayload
        self.retryAfter = retryAfter
    }

    /// Publishes one message and says what came of it; never throws.
    package func send(_ message: EncodedMessage) async -> Outcome {
        let size = message.payload.count
        guard size <= maximumPayload else {
            return .rejected(reason: "\(size) bytes are more than the \(maximumPayload) allowed")
        }
        let suffix = message.topicSuffix.drop { $0 == "/" }
        let topic = topicPrefix.isEmpty ? String(suffix) : "\(topicPrefix)/\(suffix)"
        return await .publishing(retryAfter: retryAfter) {
            try await publisher.publish(topic, message.payload)
        }
    }
}
