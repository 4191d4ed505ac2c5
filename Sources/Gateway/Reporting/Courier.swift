import Store
import Telemetry

/// Makes ready what one receiver is owed. What it says is put together here, when it is sent.
protocol Courier: Sendable {
    /// What may be sent now, in the order in which it should go.
    ///
    /// - Parameter request: how much, and what has to be left out.
    /// - Throws: what the store reported.
    func owed(_ request: OwedRequest) async throws -> [Consignment]

    /// Bytes put on the wire so far; 0 where nobody counts.
    var bytesSent: Int64 { get }
}

extension Courier {
    var bytesSent: Int64 { 0 }
}

/// How much of what is owed may go now.
struct OwedRequest: Sendable {
    var now: Timestamp
    /// Messages at most.
    var limit: Int
    /// Lanes in which an item rests, so that nothing of theirs overtakes it.
    var resting: Set<OwedLane> = []
    /// False while the backlog has to wait.
    var allowsBacklog = true
}

/// What goes to a receiver in one message.
struct Consignment: Sendable {
    /// One or several, oldest first.
    var items: [OwedItem]
    /// Messages of one lane go one after the other.
    var lane: String
    var content: Content

    enum Content: Sendable {
        /// Puts it together from the store.
        case ready(Packing)
        /// It cannot be sent any more, and why.
        case expired(reason: String)
    }

    /// Reads what a message tells; throws what the store reported. The message before it may still
    /// be on its way.
    typealias Packing = @Sendable () async throws -> Sending
    /// Sends a message that was put together and tells what came of each item.
    typealias Sending = @Sendable () async -> [Outcome]

    /// One item for itself, with nothing to put together.
    init(_ item: OwedItem, lane: String, send: @escaping @Sendable () async -> Outcome) {
        self.init([item], lane: lane) { { [await send()] } }
    }

    init(_ items: [OwedItem], lane: String, pack: @escaping Packing) {
        self.items = items
        self.lane = lane
        content = .ready(pack)
    }

    init(_ item: OwedItem, expired reason: String) {
        items = [item]
        lane = item.scope
        content = .expired(reason: reason)
    }
}

/// How hard a receiver is tried (design 5): retry, back-off with jitter, circuit breaker, rate, data
/// budget, age, and how often one item is.
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

    /// Messages in flight at once.
    var inFlight = 16
    /// Messages made ready at once; nil: as many as may be in flight.
    var handful: Int?
    /// So long messages of one handful are begun; then what is new gets its turn.
    var longestRound: Duration = .seconds(2)
    /// How long to wait when nothing is owed and nothing new comes.
    var idleInterval: Duration = .seconds(1)
    /// The pause after the first handful that nobody took; it doubles.
    var pause: Duration = .seconds(1)
    var longestPause: Duration = .seconds(30)
    /// No more than `count` items in `per`, of each; none: as many as it takes.
    var rates: [Rate] = []
    /// Items older than this are given up; nil: never.
    var expires: Duration?
    /// The share of a pause that chance takes away, so that a hundred gateways do not call in the
    /// same second after an outage.
    var jitter = 0.0
    /// An item that failed so often while others passed is set aside; nil: none ever is.
    var tries: Int?
    /// Bytes that may go in a period; nil: as many as there are.
    var budget: DataBudget?
    /// Whether nothing goes out before the time of day is known: what bears a time would lie.
    var needsTrustedTime = false
}

/// How many bytes a receiver may cost.
struct DataBudget: Hashable, Sendable {
    enum Period: String, Hashable, Sendable, CaseIterable { case day, month }
    var bytes: Int64
    var per: Period
    /// The share that the backlog leaves to what is live.
    static let liveShare = 0.2
}
