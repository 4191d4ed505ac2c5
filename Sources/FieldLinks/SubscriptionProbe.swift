/// Watches a subscription by a message to oneself: a value without a clock or a socket.
///
///     send ─▶ echo within a third of the limit ─▶ rest for a third ─▶ send …
///        └─▶ none: subscribe again ─▶ none: connect again ─▶ none: the broker forbids it, off
///
/// A connection may stand while the broker behind it has lost the session: behind a proxy, or after
/// a fault of its own. Keep-alive cannot see that. Whoever forbids the topic of the probe answers
/// none from the start, or hangs up; then the probe goes off for good, and the link stays in use.
struct SubscriptionProbe: Sendable {
    /// What to do now.
    enum Step: Hashable, Sendable {
        case rest
        case send
        /// Subscribe to everything again, and send; nothing came for so long.
        case subscribeAgain(silentFor: Duration)
        case reconnect
        /// Stop watching.
        case giveUp
    }

    /// An echo has a third of the limit, and there is a third between two.
    private let third: Duration
    private(set) var isOff: Bool
    private var hasWorked = false
    private var lastEcho = Duration.zero
    private var sentAt: Duration?
    private var mayWait = false
    /// Probes without an echo since the last one with.
    private var misses = 0
    private var hangUps = 0

    /// - Parameter limit: within this time a lost subscription is noticed; nil: do not watch.
    init(limit: Duration?) {
        isOff = limit == nil
        third = (limit ?? .seconds(60)) / 3
    }

    /// How long the link may sleep without missing a step.
    var resolution: Duration { isOff ? .seconds(1) : min(.seconds(1), third / 2) }

    mutating func connected(at now: Duration) {
        lastEcho = now
        sentAt = nil
        mayWait = false
    }

    /// The connection ended, and not by this side.
    mutating func lost() -> Step {
        guard !isOff, !hasWorked, sentAt != nil else { return .rest }
        hangUps += 1
        return hangUps < 2 ? .rest : off()
    }

    mutating func echoed(at now: Duration) {
        (lastEcho, sentAt, mayWait, misses, hangUps) = (now, nil, true, 0, 0)
        hasWorked = true
    }

    /// Other messages came: the echo may stand in line behind them.
    mutating func heard(at now: Duration) {
        if sentAt != nil { sentAt = now }
    }

    /// The broker has refused the subscription to the probe's topic.
    mutating func refused() -> Step { isOff ? .rest : off() }

    mutating func step(at now: Duration) -> Step {
        if isOff { return .rest }
        guard let sent = sentAt else {
            guard !mayWait || now - lastEcho >= third else { return .rest }
            sentAt = now
            return .send
        }
        guard now - sent >= third else { return .rest }
        misses += 1
        sentAt = now
        guard hasWorked else { return misses < 2 ? .send : off() }
        switch misses {
        case 1: return .subscribeAgain(silentFor: now - lastEcho)
        case 2: return .reconnect
        default: return off()
        }
    }

    private mutating func off() -> Step {
        isOff = true
        return .giveUp
    }
}
