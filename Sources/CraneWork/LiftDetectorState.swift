import Telemetry

/// The memory of a `LiftDetector`, to be stored with the cursor up to which it has seen the journal.
package struct LiftDetectorState: Hashable, Sendable {
    /// Where the load stands.
    enum Phase: Hashable, Sendable {
        case idle
        /// Above the start threshold, not yet for long enough.
        case rising(OpenLift)
        case loaded(OpenLift)
        /// Below the end threshold, not yet for long enough; the lift goes on in case the load
        /// comes back.
        case falling(OpenLift, Landing)
    }

    /// A lift as it was when the load came down.
    struct Landing: Hashable, Sendable {
        var lift: OpenLift
        var end: Timestamp
        /// Since when the load is back, for less than it has to stand.
        var back: Timestamp?
    }

    /// Instants that were older than the newest, or of no year in which anything can be read.
    var lateInstants = 0
    /// Loads that were no lift: too short, or never moved.
    var restingLoads = 0
    /// The newest instant, and the newest with a good load.
    var newest: Timestamp?
    var newestLoad: Timestamp?
    var isBackfill = false
    var hook = EmptyHook()
    var phase = Phase.idle
    /// Who was last said to be logged on, and the last rated load in tonnes.
    var logged: LoggedOperator?
    var rated: Double?
    /// One place for each `Hazard`.
    var excursions = [Excursion?](repeating: nil, count: Hazard.allCases.count)

    init() {}
}
