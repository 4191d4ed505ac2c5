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
        let handful = isAway ? 1 : policy.inFlight
        guard let longest = policy.rates.map(\.per).max() else { return handful }
        sent.removeAll { $0 + longest <= now || now < $0 }
        let rooms = policy.rates.map { rate in
            rate.count - sent.count { now < $0 + rate.per }
        }
        return max(0, min(handful, rooms.min() ?? handful))
    }

    /// Takes the outcomes of a handful in.
    ///
    /// - Returns: how long to wait before the next one; nil is not at all.
    mutating func note(
        _ settlements: [Settlement], _ policy: DeliveryPolicy, at now: Timestamp
    ) -> Duration? {
        if !policy.rates.isEmpty { sent += settlements.map { _ in now } }
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
        // Who says when to come back is believed.
        return max(pause, min(delays.min() ?? .zero, policy.longestPause))
    }
}
