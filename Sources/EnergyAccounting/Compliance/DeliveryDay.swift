/// What became of the items of one scope that one platform was owed for one site day.
///
/// An item counts once, as it stands now: one that was accepted and then corrected is owed again
/// until the platform has accepted its correction.
package struct DeliveryDay: Hashable, Sendable {
    package var uplink: String
    /// The scope of a scan group.
    package var scope: String
    package var day: CivilDate
    package var owed: Int
    package var accepted: Int
    /// Refused by the platform for good.
    package var rejected: Int
    /// Given up, because their content is gone or too old.
    package var expired: Int

    package init(
        uplink: String, scope: String, day: CivilDate, owed: Int, accepted: Int = 0,
        rejected: Int = 0, expired: Int = 0
    ) {
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
