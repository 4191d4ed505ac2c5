import Telemetry

/// Who was logged on at the crane's monitor, where the monitor says so.
package enum LoggedOperator: Hashable, Sendable {
    /// The monitor says that nobody is logged on.
    case nobody
    /// The operator's number or card. Personal data: most profiles drop it.
    case id(String)
}

/// From where a hook's height is measured.
package enum HookReference: String, Hashable, Sendable, Codable, CaseIterable {
    /// Metres above the crane's base.
    case base
    /// Metres from the jib, negative below it: the crane reports only the drop of its hook.
    case jib
}

/// What one crane said at one instant; nil stands for a bad reading or a point it does not have.
package struct CraneInstant: Hashable, Sendable {
    package var time: Timestamp
    /// Tonnes on the hook, as measured.
    package var load: Double?
    /// Tonnes that may hang at the present radius.
    package var ratedLoad: Double?
    /// Load as a percentage of the rated load, where the crane reports it.
    package var loadRatio: Double?
    /// Load moment as a percentage of the rated moment.
    package var momentRatio: Double?
    /// Metres; larger is higher.
    package var hookHeight: Double?
    package var heightReference: HookReference
    /// Metres from the slewing axis to the hook.
    package var radius: Double?
    /// Degrees; 359 is next to 1.
    package var slewAngle: Double?
    /// Metres per second at the crane.
    package var windSpeed: Double?
    package var logged: LoggedOperator?
    /// A word of the vocabulary's `work_status`.
    package var workStatus: String?
    package var alarms: CraneAlarms
    /// History that did not come over a wire now.
    package var isBackfill: Bool

    package init(
        time: Timestamp, load: Double? = nil, ratedLoad: Double? = nil, loadRatio: Double? = nil,
        momentRatio: Double? = nil, hookHeight: Double? = nil,
        heightReference: HookReference = .base, radius: Double? = nil, slewAngle: Double? = nil,
        windSpeed: Double? = nil, logged: LoggedOperator? = nil, workStatus: String? = nil,
        alarms: CraneAlarms = CraneAlarms(), isBackfill: Bool = false
    ) {
        self.time = time
        self.load = load
        self.ratedLoad = ratedLoad
        self.loadRatio = loadRatio
        self.momentRatio = momentRatio
        self.hookHeight = hookHeight
        self.heightReference = heightReference
        self.radius = radius
        self.slewAngle = slewAngle
        self.windSpeed = windSpeed
        self.logged = logged
        self.workStatus = workStatus
        self.alarms = alarms
        self.isBackfill = isBackfill
    }

    /// Percent of the rated load: as reported, else load over rated load of this same instant.
    package var loadPercent: Double? {
        if let loadRatio { return loadRatio }
        guard let load, let ratedLoad, ratedLoad > 0 else { return nil }
        // Nine places, so that 3.69 t of 4.1 t are 90 % and not 89.99999999999999 %.
        return (load / ratedLoad * 1e11).rounded() / 1e9
    }

    /// The instant without numbers and texts that no crane can mean, so that what is summed and
    /// kept stays finite and short.
    var plausible: CraneInstant {
        func number(_ value: Double?) -> Double? {
            value.flatMap { $0.isFinite && $0.magnitude < 1e6 ? $0 : nil }
        }
        func isShort(_ text: String) -> Bool { text.utf8.count <= Self.longestText }
        var kept = self
        kept.load = number(load)
        kept.ratedLoad = number(ratedLoad)
        kept.loadRatio = number(loadRatio)
        kept.momentRatio = number(momentRatio)
        kept.hookHeight = number(hookHeight)
        kept.radius = number(radius)
        kept.slewAngle = number(slewAngle)
        kept.windSpeed = number(windSpeed)
        if case .id(let id)? = logged, !isShort(id) { kept.logged = nil }
        if let status = workStatus, !isShort(status) { kept.workStatus = nil }
        return kept
    }

    /// Bytes of an operator's id or a status; longer ones are taken for a bad reading.
    static let longestText = 64
}
