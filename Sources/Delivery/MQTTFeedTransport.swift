import FeedFormats
import FieldLinks
import Telemetry

/// Publishes alarms with QoS 1: where each stands as a retained message, what happens as a stream.
///
///     <topic>/state/<rule>/<series>   retained: the newest change of the newest alarm
///     <topic>/events                  every change, or every message to people
package struct MQTTFeedTransport: FeedTransport {
    private let publisher: MQTTPublisher
    private let topic: String
    private let retryAfter: Duration

    /// - Parameter topic: goes before `state` and `events`; no slash at its end.
    package init(
        publisher: MQTTPublisher, topic: String, retryAfter: Duration = .seconds(5)
    ) {
        self.publisher = publisher
        self.topic = topic
        self.retryAfter = retryAfter
    }

    /// Publishes one message and says what came of it; accepted means PUBACK.
    package func send(
        _ message: FeedMessage, of notice: AlarmNotice, at time: Timestamp
    ) async -> Outcome {
        return await .publishing(retryAfter: retryAfter) {
            guard notice.kind == .change, let alarm = notice.alarms.first else {
                return try await publisher.publish("\(topic)/events", message.body)
            }
            // A level of a topic holds no slash; the series of a link does.
            let series = "\(alarm.series)".split(separator: "/").joined(separator: "-")
            // Both are on their way before either is acknowledged.
            async let state: Void = publisher.publish(
                "\(topic)/state/\(alarm.rule)/\(series)", message.body, isRetained: true)
            async let event: Void = publisher.publish("\(topic)/events", message.body)
            _ = try await (state, event)
        }
    }
}
