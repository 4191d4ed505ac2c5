import FeedFormats
import Telemetry

/// The way to one receiver of alarms. It sends one message and tells what came of it; it keeps no
/// queue.
package protocol FeedTransport: Sendable {
    /// Sends the message; returns once the receiver has answered, or the attempt has failed.
    ///
    /// - Parameters:
    ///   - notice: what it is about, for receivers that sort by it.
    ///   - time: the time of sending, for signatures.
    func send(_ message: FeedMessage, of notice: AlarmNotice, at time: Timestamp) async -> Outcome
}
