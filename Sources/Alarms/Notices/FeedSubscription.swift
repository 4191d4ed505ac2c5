import Telemetry

/// What one feed wants to hear, and how much of it.
package struct FeedSubscription: Hashable, Sendable {
    /// For whom a feed is written.
    package enum Audience: String, Hashable, Sendable, CaseIterable {
        /// Programs: every change of every alarm, at once.
        case programs
        /// People: few messages, each about all that belongs together.
        case people
    }

    /// An alarm that comes so often in such a span chatters.
    package struct Chatter: Hashable, Sendable {
        package var times: Int
        package var within: Duration

        package init(times: Int, within: Duration) {
            self.times = times
            self.within = within
        }
    }

    /// The feed's name, `[a-z0-9-]`.
    package var id: String
    package var audience: Audience
    /// Nothing less grave.
    package var severity = AlarmRule.Severity.info
    /// nil: all.
    package var modules: [String]?
    package var areas: [String]?
    package var devices: [DeviceID]?
    /// What comes after the first message about an area and module waits so long for company.
    package var group: Duration = .seconds(300)
    /// At most so many messages in `per`, whatever happens.
    package var most = 10
    package var per: Duration = .seconds(600)
    package var tellsReturns = true
    /// An alarm that nobody acknowledges is told again after so long; nil: never.
    package var remind: Duration?
    /// Only alarms that nobody has acknowledged for so long: the next step of an escalation.
    package var after: Duration?
    package var chatter = Chatter(times: 3, within: .seconds(600))
    /// Minutes after midnight, site time, at which the day's digest is sent; nil: none.
    package var digest: Int?
    /// Alarms no graver than this are in the digest alone; nil: all are told at once.
    package var digestOnly: AlarmRule.Severity?

    package init(id: String, audience: Audience) {
        self.id = id
        self.audience = audience
    }

    /// Whether the feed hears of an alarm at all.
    func wants(_ traits: AlarmTraits, _ device: DeviceID) -> Bool {
        traits.severity.rank >= severity.rank
            && modules.map { $0.contains(traits.module) } ?? true
            && areas.map { list in traits.area.map { list.contains($0) } ?? false } ?? true
            && devices.map { $0.contains(device) } ?? true
    }

    /// Whether an alarm waits for the digest.
    func waitsForDigest(_ traits: AlarmTraits) -> Bool {
        digestOnly.map { traits.severity.rank <= $0.rank } ?? false
    }
}

/// What decides to whom an alarm is told.
package struct AlarmTraits: Hashable, Sendable {
    package var severity: AlarmRule.Severity
    package var module: String
    package var area: String?

    package init(severity: AlarmRule.Severity, module: String, area: String?) {
        self.severity = severity
        self.module = module
        self.area = area
    }
}

/// A message that is owed to a feed: which alarms, and why. What it says is put together when it is
/// sent.
package struct PlannedNotice: Hashable, Sendable {
    package var feed: String
    package var kind: AlarmNotice.Kind
    /// When it was decided, in the time of the journal's rows.
    package var time: Timestamp
    /// What it is about, so that messages of one subject go out in order: an alarm's key, an area
    /// and module, or `*`.
    package var subject: String
    /// The first-out first; at most 20 of `total`.
    package var alarms: [AlarmKey]
    package var total: Int
    /// For a change: between which states.
    package var from: AlarmState?
    package var to: AlarmState?
    /// From when on it covers; `time` but for a digest.
    package var since: Timestamp

    /// Alarms that one message lists.
    package static let listed = 20

    package init(
        feed: String, kind: AlarmNotice.Kind, time: Timestamp, subject: String,
        alarms: [AlarmKey], total: Int? = nil, from: AlarmState? = nil, to: AlarmState? = nil,
        since: Timestamp? = nil
    ) {
        self.feed = feed
        self.kind = kind
        self.time = time
        self.subject = subject
        self.alarms = Array(alarms.prefix(Self.listed))
        self.total = total ?? alarms.count
        self.from = from
        self.to = to
        self.since = since ?? time
    }
}

extension AlarmRule.Severity {
    /// 0 info, 1 warning, 2 critical.
    package var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
