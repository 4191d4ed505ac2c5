import Telemetry

/// What is watched for staying within limits.
///
/// The order is that of stored states: new cases go to the end.
enum Hazard: Int, Hashable, Sendable, CaseIterable {
    case load, moment, collision, wind

    /// Whether it is one only while something hangs on the hook.
    var needsLift: Bool { self == .collision || self == .wind }

    /// The hazard's figure in an instant: percent, metres per second, or 1 for a warning and 2 for
    /// an alarm; nil when nothing was said of it.
    func value(in instant: CraneInstant) -> Double? {
        switch self {
        case .load: instant.loadPercent
        case .moment: instant.momentRatio
        case .wind: instant.windSpeed
        case .collision:
            instant.alarms.raised.has(.collision)
                ? 2
                : instant.alarms.warned.has(.collision)
                    ? 1 : instant.alarms.normal.has(.collision) ? 0 : nil
        }
    }

    /// The figure from which an excursion stands.
    func limit(_ options: LiftOptions) -> Double {
        switch self {
        case .load, .moment: options.warningPercent
        case .collision: 1
        case .wind: options.windLimit
        }
    }
}

/// One stay beyond a limit that is not over.
struct Excursion: Hashable, Sendable {
    var start: Timestamp
    /// The newest good reading, and its figure.
    var newest: Timestamp
    var value: Double
    var peak: Double
    var evidence: CraneEvidence
    var samples = 1
    /// The first reading of a lull; the excursion is over when the lull has lasted.
    var lull: Timestamp?
    var timeAtLimit = Duration.zero
    var timeAtOverload = Duration.zero
    /// The stay at or above the near-miss percentage.
    var nearStart: Timestamp?
    var nearEnd: Timestamp?
    var nearSamples = 0
    /// The start of the lift it belongs to.
    var lift: Timestamp?
    var operatorID: String?

    /// An excursion as it was stored.
    init(
        start: Timestamp, newest: Timestamp, value: Double, peak: Double, evidence: CraneEvidence
    ) {
        self.start = start
        self.newest = newest
        self.value = value
        self.peak = peak
        self.evidence = evidence
    }

    /// An excursion that begins.
    init(
        _ value: Double, _ instant: CraneInstant, operatorID: String?,
        _ options: LiftOptions
    ) {
        self.init(
            start: instant.time, newest: instant.time, value: value, peak: value,
            evidence: CraneEvidence(instant))
        self.operatorID = operatorID
        judgeNearness(at: instant.time, options)
    }

    /// Takes a reading in; `stands` says whether it is beyond the limit.
    mutating func add(
        _ value: Double, stands: Bool, _ hazard: Hazard, _ instant: CraneInstant,
        _ options: LiftOptions
    ) {
        pass(to: instant.time, hazard, options)
        self.value = value
        judgeNearness(at: instant.time, options)
        guard stands else {
            if lull == nil { lull = instant.time }
            return
        }
        lull = nil
        samples += 1
        if value > peak {
            peak = value
            evidence = CraneEvidence(instant)
        }
    }

    /// Lets the newest reading stand until `time`.
    private mutating func pass(to time: Timestamp, _ hazard: Hazard, _ options: LiftOptions) {
        let passed = min(max(.zero, time - newest), options.longestGap)
        if value >= hazard.limit(options) { timeAtLimit += passed }
        if value >= options.overloadPercent { timeAtOverload += passed }
        newest = time
    }

    private mutating func judgeNearness(at time: Timestamp, _ options: LiftOptions) {
        if value >= options.nearMissPercent {
            nearStart = nearStart ?? time
            nearEnd = nil
            nearSamples += 1
        } else if nearStart != nil, nearEnd == nil {
            nearEnd = time
        }
    }
}
