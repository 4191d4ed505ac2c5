import Store
import Telemetry

/// Makes ready what one receiver is owed. What it says is put together here, when it is sent.
protocol Courier: Sendable {
    /// What may be sent now, in the order in which it should go.
    ///
    /// - Throws: what the store reported.
    func owed(at now: Timestamp, limit: Int) async throws -> [(item: OwedItem, parcel: Parcel)]

    /// Items of one lane go one after the other.
    func lane(of item: OwedItem) -> String
}

extension Courier {
    func lane(of item: OwedItem) -> String { item.scope }
}

/// One owed item, ready to go, or no longer there.
enum Parcel: Sendable {
    /// Sends it and tells what came of it.
    case ready(@Sendable () async -> Outcome)
    /// It cannot be sent any more, and why.
    case expired(reason: String)
}

/// How hard a receiver is tried (design 5): retry, back-off, circuit breaker, rate, age.
///
///     closed ──a whole handful failed──▶ open for `pause` ──▶ half-open: one item knocks
///       ▲                                 ▲      doubling up to `longestPause`      │
///       └────────────accepted─────────────┼───────────────────────────────────────┤
///                                         └────────────────failed──────────────────┘
struct DeliveryPolicy: Hashable, Sendable {
    /// So many in such a span.
    struct Rate: Hashable, Sendable {
        var count: Int
        var per: Duration
    }

    /// Items in flight at once.
    var inFlight = 16
    /// How long to wait when nothing is owed and nothing new comes.
    var idleInterval: Duration = .seconds(1)
    /// The pause after the first handful that nobody took; it doubles.
    var pause: Duration = .seconds(1)
    var longestPause: Duration = .seconds(30)
    /// No more than `count` items in `per`, of each; none: as many as it takes.
    var rates: [Rate] = []
    /// Items older than this are given up; nil: never.
    var expires: Duration?
}
