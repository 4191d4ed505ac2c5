import FieldLinks
import Telemetry

extension MQTTUplinkTransport {
    /// Presence for platforms that read plain messages: a retained message that says whether the
    /// gateway is there.
    ///
    ///     <prefix>/status   {"status":"online","since":"2026-11-21T08:00:00.000+08:00"}
    ///                       {"status":"offline","reason":"stopped","since":"…"}   it took its leave
    ///                       {"status":"offline","reason":"lost","online_since":"…"}   said by the broker
    ///
    /// With QoS 1. The broker says the last one for a gateway that it has lost, and nobody knows in
    /// advance when that will be. A time is absent while no time of day is believable.
    ///
    /// - Parameter topicPrefix: as the transport's.
    package static func presence(
        topicPrefix: String, calendar: SiteCalendar, wallClock: any WallClock
    ) -> MQTTPresence {
        let prefix = topicPrefix.hasSuffix("/") ? String(topicPrefix.dropLast()) : topicPrefix
        let topic = prefix.isEmpty ? "status" : prefix + "/status"
        @Sendable func message(
            _ status: String, reason: String? = nil, time name: String
        ) -> MQTTPublication {
            let now = wallClock.read()
            var json = JSONWriter()
            json.object {
                $0.field("status", status)
                if let reason { $0.field("reason", reason) }
                if now.isTrusted { $0.field(name, calendar.rfc3339(now.wall)) }
            }
            return MQTTPublication(topic: topic, payload: json.bytes, isRetained: true)
        }
        var presence = MQTTPresence()
        presence.will = { _ in message("offline", reason: "lost", time: "online_since") }
        presence.greeting = { _ in [message("online", time: "since")] }
        presence.farewell = { _ in [message("offline", reason: "stopped", time: "since")] }
        return presence
    }
}
