import Telemetry

/// What the crane said at the worst instant of an episode: the evidence of a record.
package struct CraneEvidence: Hashable, Sendable, Codable {
    package var time: Timestamp
    /// Tonnes.
    package var load: Double?
    package var ratedLoad: Double?
    /// Percent.
    package var loadRatio: Double?
    package var momentRatio: Double?
    /// Metres.
    package var hookHeight: Double?
    package var radius: Double?
    /// Degrees.
    package var slewAngle: Double?
    /// Metres per second.
    package var windSpeed: Double?
    package var raisedAlarms: CraneAlarmSet
    package var warnedAlarms: CraneAlarmSet

    init(_ instant: CraneInstant) {
        time = instant.time
        load = instant.load
        ratedLoad = instant.ratedLoad
        loadRatio = instant.loadPercent
        momentRatio = instant.momentRatio
        hookHeight = instant.hookHeight
        radius = instant.radius
        slewAngle = instant.slewAngle
        windSpeed = instant.windSpeed
        raisedAlarms = instant.alarms.raised
        warnedAlarms = instant.alarms.warned
    }
}
