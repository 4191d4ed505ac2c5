/// The consumption of one meter over one bucket, with what it rests on.
package struct EnergyFigure: Hashable, Sendable, Codable {
    /// The meter's id in the tree.
    package var meter: String
    package var start: Timestamp
    package var end: Timestamp
    /// nil when nothing is known of the bucket.
    package var kilowattHours: Double?
    /// Per square metre of the site's floor area; nil without an area.
    package var kilowattHoursPerSquareMetre: Double?
    /// Good readings among those expected; nil is unknown.
    package var coverage: Double?
    /// Whether a gap, a reset or a missing end lies in it.
    package var isEstimated: Bool
    /// Whether the bucket has not ended yet.
    package var isPartial: Bool

    package init(
        meter: String, start: Timestamp, end: Timestamp, kilowattHours: Double?,
        kilowattHoursPerSquareMetre: Double?, coverage: Double?, isEstimated: Bool,
        isPartial: Bool
    ) {
        self.meter = meter
        self.start = start
        self.end = end
        self.kilowattHours = kilowattHours
        self.kilowattHoursPerSquareMetre = kilowattHoursPerSquareMetre
        self.coverage = coverage
        self.isEstimated = isEstimated
        self.isPartial = isPartial
    }
}
