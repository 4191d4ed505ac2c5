import Synchronization
import Telemetry

/// What was found while nothing can be stored, on its way to the platforms (design 5).
///
/// It is in memory only and a copy: after the recovery the durable fold owes the same items under
/// the same keys. So it is bounded, and emptied when the store writes again.
final class LiveItems: Sendable {
    /// Items kept for one uplink; the oldest go first.
    static let capacity = 1024

    private struct State {
        var isOpen = false
        var items: [String: [UplinkItem]] = [:]

        mutating func trim(_ uplink: String) {
            let surplus = items[uplink, default: []].count - LiveItems.capacity
            if surplus > 0 { items[uplink]?.removeFirst(surplus) }
        }
    }

    // A mutex: the state changes in callbacks that cannot await. Nothing waits inside.
    private let state = Mutex(State())

    /// Begins to take items.
    func open() { state.withLock { $0.isOpen = true } }

    /// The store writes again: what has not gone out goes out as stored.
    func close() { state.withLock { $0 = State() } }

    func add(_ items: [UplinkItem], for uplink: String) {
        state.withLock { state in
            guard state.isOpen else { return }
            state.items[uplink, default: []] += items
            state.trim(uplink)
        }
    }

    /// Hands the oldest items over.
    func take(for uplink: String, limit: Int) -> [UplinkItem] {
        state.withLock { state in
            let items = Array(state.items[uplink, default: []].prefix(max(0, limit)))
            state.items[uplink]?.removeFirst(items.count)
            return items
        }
    }

    /// Takes back, in front, what could not be sent.
    func giveBack(_ items: some Sequence<UplinkItem>, for uplink: String) {
        state.withLock { state in
            guard state.isOpen else { return }
            state.items[uplink] = items + state.items[uplink, default: []]
            state.trim(uplink)
        }
    }
}
