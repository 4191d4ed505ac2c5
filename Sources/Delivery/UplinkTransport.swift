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
    /// Says something that counts for nothing and returns what came back: a marked item where the
    /// format has one, else the greeting of the protocol.
    func tryOut(_ site: SiteID, at time: Timestamp) async -> Trial
}

/// What came of trying a way.
package enum Trial: Hashable, Sendable {
    /// A marked item was sent, and this was said of it.
    case item(Outcome)
    /// The protocol has no such item; the platform answered the greeting.
    case greeting
    /// The way stands as far as can be told without an item that would count.
    case open
    /// It does not, and why.
    case closed(reason: String)
}

extension UplinkTransport {
    /// Nothing is known of the way before an item is sent.
    package func tryOut(_ site: SiteID, at time: Timestamp) async -> Trial { .open }

    /// Sends one item.
    package func send(_ item: UplinkItem) async -> Outcome {
        await send([item]).first ?? .retry(after: .seconds(5), reason: "no outcome")
    }
}
