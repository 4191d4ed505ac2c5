import Store
import Telemetry

/// What a delivery loop remembers from one round to the next: a value, so that it can be tested
/// without a receiver.
struct DeliveryProgress: Sendable {
    /// Outcomes that the store could not take: written before anything else is sent, so that a
    /// full disk does not repeat the same items to the platform again and again.
    var unsettled: [Settlement] = []
    /// What was reported last; nil when all is well.
    var failure: String?
    /// How many handfuls in a row were taken by nobody.
    private(set) var failures = 0
    /// When items were sent, within the longest span of the rates.
    private var sent: [Timestamp] = []

    /// The last handful was taken by nobody: one item at a time knocks at the door.
    var isAway: Bool { failures > 0 }

    /// How many items may go now.
    mutating func room(_ policy: DeliveryPolicy, at now: Timestamp) -> Int {
        let handful = isAway ? 1 : policy.handful ?? policy.inFlight
        guard let longest = policy.rates.map(\.per).max() else { return handful }
        sent.removeAll { $0 + longest <= now || now < $0 }
        let rooms = policy.rates.map { rate in
            rate.count - sent.count { now < $0 + rate.per }
        }
        return max(0, min(handful, rooms.min() ?? handful))
    }

    /// Until when no item of a lane may overtake the one that rests in it.
    private var rests: [OwedLane: Timestamp] = [:]

    /// The lanes in which an item rests.
    mutating func resting(at now: Timestamp) -> Set<OwedLane> {
        rests = rests.filter { $0.value > now && $0.value < now + Self.longestRest }
        return Set(rests.keys)
    }

    /// A clock that was set back would let a lane rest for ever.
    private static let longestRest = Duration.seconds(86_400)
    /// Beyond so many lanes nobody is there, and each knock shows it.
    private static let lanesKept = 64

    /// How often an item has failed while the receiver took others. In memory: after a restart an
    /// item is tried some times more.
    private var disliked: [String: Dislike] = [:]
    private static let dislikedKept = 1024
    /// How many answers the receiver has given that were not "later".
    private var answers = 0

    private struct Dislike: Hashable {
        var count: Int
        /// `answers` when it failed last.
        var answers: Int
    }

    /// Sets aside what has failed too often although the receiver takes other items: in the same
    /// handful, or between two attempts.
    ///
    /// Attempts while nobody is there do not count: an outage of a month is no fault of the item.
    mutating func judged(
        _ settlements: [Settlement], _ policy: DeliveryPolicy
    ) -> [Settlement] {
        guard let tries = policy.tries else { return settlements }
        let isThere = settlements.contains {
            if case .retry = $0.outcome { false } else { true }
        }
        if isThere { answers &+= 1 }
        return settlements.map { settlement in
            let item = settlement.item
            let name = "\(item.kind)|\(item.scope)|\(item.start.milliseconds)|\(item.revision)"
            guard case .retry(_, let reason) = settlement.outcome else {
                disliked[name] = nil
                return settlement
            }
            let known = disliked[name]
            let wasThere = isThere || known.map { $0.answers != answers } ?? false
            let count = (known?.count ?? 0) + (wasThere ? 1 : 0)
            guard count < tries else {
                disliked[name] = nil
                return Settlement(
                    item,
                    .rejected(
                        reason: "\(count) attempts failed while others passed: \(reason)"))
            }
            if disliked.count < Self.dislikedKept || known != nil {
                disliked[name] = Dislike(count: count, answers: answers)
            }
            return settlement
        }
    }

    /// Takes the outcomes of a handful in.
    ///
    /// - Parameters:
    ///   - messages: how many were sent; nil: one for each item.
    ///   - random: gives the jitter.
    /// - Returns: how long to wait before the next one; nil is not at all.
    mutating func note(
        _ settlements: [Settlement], messages: Int? = nil, _ policy: DeliveryPolicy,
        at now: Timestamp, random: inout some RandomNumberGenerator
    ) -> Duration? {
        if !policy.rates.isEmpty {
            sent += [Timestamp](repeating: now, count: messages ?? settlements.count)
        }
        for settlement in settlements {
            guard case .retry(let after, _) = settlement.outcome else { continue }
            let lane = OwedLane(kind: settlement.item.kind, scope: settlement.item.scope)
            if rests.count < Self.lanesKept { rests[lane] = now + after }
        }
        let delays = settlements.compactMap { settlement -> Duration? in
            if case .retry(let after, _) = settlement.outcome { after } else { nil }
        }
        guard !delays.isEmpty, delays.count == settlements.count else {
            failures = 0
            return nil
        }
        failures += 1
        var pause = policy.pause
        for _ in 1..<min(failures, 32) { pause = min(pause * 2, policy.longestPause) }
        pause = pause * (1 - policy.jitter * Double.random(in: 0...1, using: &random))
        // Who says when to come back is believed.
        return max(pause, min(delays.min() ?? .zero, policy.longestPause))
    }

    /// As `note`, with the system's chance.
    mutating func note(
        _ settlements: [Settlement], messages: Int? = nil, _ policy: DeliveryPolicy,
        at now: Timestamp
    ) -> Duration? {
        var random = SystemRandomNumberGenerator()
        return note(settlements, messages: messages, policy, at: now, random: &random)
    }
}
