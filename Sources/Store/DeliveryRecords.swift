import Telemetry

/// What came of one attempt to deliver one owed item.
package struct Settlement: Hashable, Sendable {
    package var item: OwedItem
    package var outcome: Outcome

    package init(_ item: OwedItem, _ outcome: Outcome) {
        self.item = item
        self.outcome = outcome
    }
}

/// How one uplink stands: what it still owes, and what became of the rest.
package struct UplinkStatus: Hashable, Sendable {
    package var uplink: String
    /// Items owed now, due or not.
    package var owed: Int
    /// The start of the oldest bucket among them.
    package var oldestOwed: Timestamp?
    /// Totals since the store was made.
    package var accepted: Int
    package var retried: Int
    package var rejected: Int
    package var expired: Int
    /// `accepted`, `retry`, `rejected` or `expired`; nil before the first attempt.
    package var lastOutcome: String?
    package var lastReason: String?
    package var lastTime: Timestamp?
    package var lastAccepted: Timestamp?

    package init(
        uplink: String, owed: Int = 0, oldestOwed: Timestamp? = nil, accepted: Int = 0,
        retried: Int = 0, rejected: Int = 0, expired: Int = 0, lastOutcome: String? = nil,
        lastReason: String? = nil, lastTime: Timestamp? = nil, lastAccepted: Timestamp? = nil
    ) {
        self.uplink = uplink
        self.owed = owed
        self.oldestOwed = oldestOwed
        self.accepted = accepted
        self.retried = retried
        self.rejected = rejected
        self.expired = expired
        self.lastOutcome = lastOutcome
        self.lastReason = lastReason
        self.lastTime = lastTime
        self.lastAccepted = lastAccepted
    }
}
