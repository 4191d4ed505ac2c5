import Telemetry

/// A lift that is not over: everything that its record will need, in constant space.
struct OpenLift: Hashable, Sendable {
    /// Where a quantity began and has come to, in metres.
    struct Travel: Hashable, Sendable {
        var first: Double?
        var last: Double?
        var range = HeldRange()

        mutating func add(_ value: Double, at time: Timestamp) {
            if first == nil { first = value }
            last = value
            range.add(value, at: time)
        }

        var record: LiftTravel? {
            guard let first, let last else { return nil }
            return LiftTravel(
                start: first, end: last, least: range.least ?? min(first, last),
                greatest: range.greatest ?? max(first, last))
        }
    }

    let start: Timestamp
    let zero: Double
    let isStartUnseen: Bool
    let heightReference: HookReference
    /// The newest good reading of the load.
    var newest: Timestamp
    var samples = 0
    var peakLoad = -Double.infinity
    var load = HeldRange()
    /// Percent: as last read, and the peaks.
    var momentRatio: Double?
    var loadRatio: Double?
    var peakMomentRatio: Double?
    var peakLoadRatio: Double?
    /// When the ratios were last looked at; until the next look they are taken to stand.
    var judged: Timestamp
    var warnings = 0
    var overloads = 0
    var timeAtWarning = Duration.zero
    var timeAtOverload = Duration.zero
    var height = Travel()
    var radius = Travel()
    var slewing = Slewing()
    var greatestWind: Double?
    /// Nil until the crane has said who is logged on.
    var firstLogged: LoggedOperator?
    var lastLogged: LoggedOperator?
    var operatorChanges = 0
    var workStatus: String?
    var raisedAlarms: CraneAlarmSet = []
    var warnedAlarms: CraneAlarmSet = []

    init(
        start: Timestamp, zero: Double, isStartUnseen: Bool,
        heightReference: HookReference = .base
    ) {
        self.start = start
        self.zero = zero
        self.isStartUnseen = isStartUnseen
        self.heightReference = heightReference
        newest = start
        judged = start
    }

    /// Takes in what an instant says of the load, if it says something.
    mutating func add(load: Double?, _ instant: CraneInstant, _ options: LiftOptions) {
        if let load {
            newest = instant.time
            samples += 1
            peakLoad = max(peakLoad, load)
            self.load.add(load, at: instant.time)
        }
        judge(instant, options)
        if let wind = instant.windSpeed { greatestWind = max(greatestWind ?? wind, wind) }
        if workStatus == nil { workStatus = instant.workStatus }
        raisedAlarms.formUnion(instant.alarms.raised)
        warnedAlarms.formUnion(instant.alarms.warned)
    }

    /// Takes in where the hook is; also while nobody knows yet whether the load is down.
    mutating func addPosition(_ instant: CraneInstant, _ options: LiftOptions) {
        let time = instant.time
        if let height = instant.hookHeight { self.height.add(height, at: time) }
        if let radius = instant.radius { self.radius.add(radius, at: time) }
        if let angle = instant.slewAngle {
            slewing.add(angle, at: time, deadBand: options.slewDeadBand)
        }
    }

    /// Takes in who is logged on.
    mutating func addOperator(_ logged: LoggedOperator?) {
        guard let logged else { return }
        if firstLogged == nil { firstLogged = logged }
        if let lastLogged, lastLogged != logged { operatorChanges += 1 }
        lastLogged = logged
    }

    /// Lets the ratios stand until `time`, then takes the new ones; a bad one stands on.
    mutating func judge(_ instant: CraneInstant, _ options: LiftOptions) {
        let before = utilisation
        pass(to: instant.time, options)
        momentRatio = instant.momentRatio ?? momentRatio
        loadRatio = instant.loadPercent ?? loadRatio
        peakMomentRatio = Self.greater(peakMomentRatio, instant.momentRatio)
        peakLoadRatio = Self.greater(peakLoadRatio, instant.loadPercent)
        func rises(to limit: Double) -> Bool { before < limit && utilisation >= limit }
        if rises(to: options.warningPercent) { warnings += 1 }
        if rises(to: options.overloadPercent) { overloads += 1 }
    }

    /// Counts the time since the last look for the ratios as they stood.
    mutating func pass(to time: Timestamp, _ options: LiftOptions) {
        let passed = min(max(.zero, time - judged), options.longestGap)
        if utilisation >= options.warningPercent { timeAtWarning += passed }
        if utilisation >= options.overloadPercent { timeAtOverload += passed }
        judged = time
    }

    /// Percent of load or moment, whichever is nearer to its limit.
    private var utilisation: Double {
        max(momentRatio ?? -.infinity, loadRatio ?? -.infinity)
    }

    /// Whether height, radius or slewing were read at all.
    var isMovementKnown: Bool {
        height.range.span != nil || radius.range.span != nil || slewing.range.span != nil
    }

    /// Whether hook, trolley or jib have moved as far as a lift needs.
    func hasMoved(_ options: LiftOptions) -> Bool {
        (height.range.span ?? 0) >= options.minimumHoist
            || (radius.range.span ?? 0) >= options.minimumTrolley
            || (slewing.range.span ?? 0) >= options.minimumSlew
    }

    /// Whether it is a lift if it ends at `end`: long enough, and moved as far as anybody knows.
    func isLift(endingAt end: Timestamp, _ options: LiftOptions) -> Bool {
        end - start >= options.minimumDuration && (hasMoved(options) || !isMovementKnown)
    }

    private static func greater(_ a: Double?, _ b: Double?) -> Double? {
        guard let a, let b else { return a ?? b }
        return max(a, b)
    }
}
