import Telemetry

/// What a person asked for, and what came of it.
package struct InstructionRecord: Hashable, Sendable {
    /// Chosen by who gave it; a second one with the same id does nothing.
    package var id: String
    package var time: Timestamp
    package var actor: String
    /// `acknowledge`, `shelve`, `take-out`, `unsilence`, `comment` or `hazard`.
    package var verb: String
    /// An alarm's key, or `rule|series`, or `rule|*`.
    package var subject: String
    /// What else belongs to the verb, as text.
    package var detail: String
    package var note: String?
    /// How many alarms changed their state because of it.
    package var changes: Int
    /// What it does besides.
    package var effect: Effect

    /// What follows from an instruction in the store.
    package enum Effect: Hashable, Sendable {
        case none
        case silence(SilenceRecord)
        /// Ends every silence of this target, and of each series when it is `rule|*`.
        case unsilence(target: String)
        case hazard(HazardStep)
    }

    package init(
        id: String, time: Timestamp, actor: String, verb: String, subject: String,
        detail: String = "", note: String? = nil, changes: Int = 0, effect: Effect = .none
    ) {
        self.id = id
        self.time = time
        self.actor = actor
        self.verb = verb
        self.subject = subject
        self.detail = detail
        self.note = note
        self.changes = changes
        self.effect = effect
    }
}

/// Somebody wants to hear nothing of a rule.
package struct SilenceRecord: Hashable, Sendable {
    /// `rule|series`, or `rule|*` for every series.
    package var target: String
    /// `shelved` or `out_of_service`.
    package var state: AlarmState
    package var since: Timestamp
    /// nil: until somebody ends it.
    package var until: Timestamp?
    package var actor: String
    package var reason: String

    package init(
        target: String, state: AlarmState, since: Timestamp, until: Timestamp?, actor: String,
        reason: String
    ) {
        self.target = target
        self.state = state
        self.since = since
        self.until = until
        self.actor = actor
        self.reason = reason
    }
}

/// One step in the life of a hazard that was made of an alarm.
package struct HazardStep: Hashable, Sendable {
    /// What the step does with the hazard.
    package enum Kind: String, Hashable, Sendable {
        case opened, rectified, closed, reopened
    }

    /// The key of the alarm.
    package var alarm: String
    package var kind: Kind
    package var time: Timestamp
    package var actor: String
    /// For `opened`: who has to put it right.
    package var owner: String?
    /// For `opened` and `reopened`: until when.
    package var deadline: Timestamp?
    /// What was done, or what proves it.
    package var note: String?

    package init(
        alarm: String, kind: Kind, time: Timestamp, actor: String, owner: String? = nil,
        deadline: Timestamp? = nil, note: String? = nil
    ) {
        self.alarm = alarm
        self.kind = kind
        self.time = time
        self.actor = actor
        self.owner = owner
        self.deadline = deadline
        self.note = note
    }
}

/// A hazard as it stands, with every step.
package struct HazardRecord: Hashable, Sendable {
    /// The key of the alarm it was made of.
    package var alarm: String
    /// `open`, `rectified` or `closed`.
    package var state: String
    package var owner: String
    package var deadline: Timestamp
    package var opened: Timestamp
    package var changed: Timestamp
    package var steps: [HazardStep]
}

/// A message that is owed to a feed; what it says is put together when it is sent.
package struct NoticeRecord: Hashable, Sendable {
    package var feed: String
    /// `change/<state>` or `notice/<kind>`.
    package var kind: String
    package var subject: String
    package var time: Timestamp
    /// Keys of the alarms it lists.
    package var alarms: [String]
    package var total: Int
    package var from: AlarmState?
    package var to: AlarmState?
    package var since: Timestamp

    /// The name under which a feed stands in the outbox, beside the uplinks.
    package static func receiver(_ feed: String) -> String { "feed/\(feed)" }

    /// Whether a name in the outbox is that of a feed, and not of an uplink.
    static func isReceiver(_ name: String) -> Bool { name.hasPrefix("feed/") }

    package init(
        feed: String, kind: String, subject: String, time: Timestamp, alarms: [String],
        total: Int, from: AlarmState? = nil, to: AlarmState? = nil, since: Timestamp
    ) {
        self.feed = feed
        self.kind = kind
        self.subject = subject
        self.time = time
        self.alarms = alarms
        self.total = total
        self.from = from
        self.to = to
        self.since = since
    }
}

/// A message that a feed is owed, with the alarms that it lists.
package struct OwedNotice: Hashable, Sendable {
    package var item: OwedItem
    /// nil when it is no longer kept.
    package var notice: NoticeRecord?
    package var alarms: [AlarmRecord]
}
