import Telemetry
import UplinkFormats

/// The way to one platform. It sends one encoded item and tells what came of it; it keeps no queue.
package protocol UplinkTransport: Sendable {
    /// Sends the message; returns once the platform has answered, or the attempt has failed.
    func send(_ message: EncodedMessage) async -> Outcome
}
