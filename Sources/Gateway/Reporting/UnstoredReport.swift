import Delivery
import Logging
import Telemetry

/// Sends one platform what is known but not stored: `stored: false`, once, without a ledger.
struct UnstoredReport: Sendable {
    let uplink: String
    let items: LiveItems
    let transport: any UplinkTransport
    let logger: Logger

    /// Sends what waits, in its order, at most `limit` items; what was not taken waits on.
    func send(limit: Int) async {
        let waiting = items.take(for: uplink, limit: limit)
        // The stored item follows under the same key. A platform that cannot replace would have
        // both, so it waits for that one.
        guard transport.correction == .replace else { return }
        for (index, item) in waiting.enumerated() {
            switch await transport.send(item) {
            case .accepted, .expired: continue
            case .rejected(let reason):
                logger.error(
                    "the platform refuses an item that is not stored yet",
                    metadata: ["uplink": "\(uplink)", "reason": "\(reason)"])
            case .retry:
                return items.giveBack(waiting[index...], for: uplink)
            }
        }
    }
}
