import Telemetry
import UplinkFormats

/// The way to one platform. It sends items and tells what came of each; it keeps no queue.
package protocol UplinkTransport: Sendable {
    /// How the platform takes corrections.
    var correction: CorrectionForm { get }
    /// The most items of one call.
    var batchLimit: Int { get }
    /// Bytes put on the wire so far, for data budgets.
    var bytesSent: Int64 { get }
    /// Sends items; returns once the platform has answered, or the attempt has failed.
    ///
    /// - Parameter items: 1 to `batchLimit`, oldest first.
    /// - Returns: one outcome for each, in their order.
    func send(_ items: [UplinkItem]) async -> [Outcome]
}

extension UplinkTransport {
    /// Sends one item.
    package func send(_ item: UplinkItem) async -> Outcome {
        await send([item]).first ?? .retry(after: .seconds(5), reason: "no outcome")
    }
}
