import FieldLinks
import Telemetry
import UplinkFormats

/// Tells items as data of a Sparkplug edge node.
///
/// Accepted means: the broker has taken the messages (a fence behind them proves it), and the primary
/// host, where one is configured, was online from before until then. While it is not, items are to
/// be tried again and stay owed.
package final class SparkplugUplinkTransport: UplinkTransport {
    private let publisher: MQTTPublisher
    private let station: SparkplugStation
    private let clock: LinkClock
    private let keep: @Sendable (PlatformSetting) async -> Void
    private let retryAfter: Duration

    /// - Parameters:
    ///   - publisher: made with the presence of `station`.
    ///   - keep: stores a setting of the uplink for the next start; called once a connection.
    ///   - retryAfter: how long an item rests after a failed attempt.
    package init(
        publisher: MQTTPublisher, station: SparkplugStation, clock: LinkClock,
        retryAfter: Duration = .seconds(5),
        keep: @escaping @Sendable (PlatformSetting) async -> Void = { _ in }
    ) {
        self.publisher = publisher
        self.station = station
        self.clock = clock
        self.retryAfter = retryAfter
        self.keep = keep
    }

    package var correction: CorrectionForm { SparkplugNode.correction }
    /// One fence for so many items.
    package var batchLimit: Int { 50 }
    package var bytesSent: Int64 { station.bytesSent }

    /// Says the items and returns what came of them; never throws.
    package func send(_ items: [UplinkItem]) async -> [Outcome] {
        let outcome = await tell(items)
        return items.map { _ in outcome }
    }

    /// Waits for the broker: a birth would already count.
    package func tryOut(_ site: SiteID, at time: Timestamp) async -> Trial {
        await publisher.greeted(clock)
    }

    private func tell(_ items: [UplinkItem]) async -> Outcome {
        let line: MQTTLine
        do throws(SparkplugStation.Waiting) {
            line = try station.tell(items)
        } catch {
            return .retry(after: retryAfter, reason: error.reason)
        }
        return await .publishing(retryAfter: retryAfter) {
            try await publisher.fence(line)
            // What was said while the host went is heard by nobody who would keep it.
            guard station.confirm(line) else {
                throw MQTTError(code: .disconnected, cause: "the primary host has gone offline")
            }
            await station.keep(keep)
        }
    }
}
