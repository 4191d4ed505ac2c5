/// What became of the items of one kind and scope that one platform was owed for one site day.
///
/// An item counts once, as it stands now: one that was accepted and then corrected is owed again
/// until the platform has accepted its correction.
package struct DeliveryDay: Hashable, Sendable {
    package var uplink: String
    /// The scope of a scan group, or the name of a station.
    package var scope: String
    package var day: CivilDate
    package var owed: Int
    package var accepted: Int
    /// Refused by the platform for good.
    package var rejected: Int
    /// Given up, because their content is gone or too old.
    package var expired: Int
    /// What is told: `rollup/15min`, `2051/10min`.
    package var kind: String
    /// How often one of them was sent.
    package var attempts: Int

    package init(
        uplink: String, scope: String, day: CivilDate, owed: Int, accepted: Int = 0,
        rejected: Int = 0, expired: Int = 0, kind: String = "rollup/15min", attempts: Int = 0
    ) {
        self.kind = kind
        self.attempts = attempts
        self.uplink = uplink
        self.scope = scope
        self.day = day
        self.owed = owed
        self.accepted = accepted
        self.rejected = rejected
        self.expired = expired
    }

    /// Neither accepted nor settled otherwise.
    package var open: Int { owed - accepted - rejected - expired }
}
