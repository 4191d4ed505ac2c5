/// One alarm as a feed tells of it: what, where, since when, and what it rests on.
package struct AlarmBrief: Hashable, Sendable {
    /// A line of evidence beside the figures, for example what ran meanwhile.
    package struct Fact: Hashable, Sendable {
        package var label: LocalizedText
        package var text: LocalizedText

        package init(label: LocalizedText, text: LocalizedText) {
            self.label = label
            self.text = text
        }
    }

    /// `rule|series|onset`.
    package var key: String
    package var rule: String
    package var title: LocalizedText
    /// `info`, `warning` or `critical`.
    package var severity: String
    /// The colour in which the city grades it, for example `orange`; nil when the rule names none.
    package var colour: String?
    /// What it is about: `dust`, `noise`, `crane`, …
    package var module: String
    /// The part of the site in which the device stands; nil when nobody has said.
    package var area: String?
    package var series: SeriesID
    package var device: LocalizedText
    package var point: LocalizedText
    package var state: AlarmState
    package var onset: Timestamp
    /// When the breach became an alarm.
    package var raised: Timestamp
    /// When the state last changed.
    package var changed: Timestamp
    package var evidence: AlarmEvidence
    /// Where the limit comes from, in words, and how well that is known
    /// (`verified`, `secondary`, `from-memory`, `project`).
    package var source: String
    package var status: String
    /// The number in the site's list of risks; nil without one.
    package var risk: String?
    /// Who changed the state last, and what was said; nil when no person did.
    package var actor: String?
    package var note: String?
    package var facts: [Fact]

    package init(
        key: String, rule: String, title: LocalizedText, severity: String, colour: String? = nil,
        module: String, area: String? = nil, series: SeriesID, device: LocalizedText,
        point: LocalizedText, state: AlarmState, onset: Timestamp, raised: Timestamp,
        changed: Timestamp, evidence: AlarmEvidence, source: String, status: String,
        risk: String? = nil, actor: String? = nil, note: String? = nil, facts: [Fact] = []
    ) {
        self.key = key
        self.rule = rule
        self.title = title
        self.severity = severity
        self.colour = colour
        self.module = module
        self.area = area
        self.series = series
        self.device = device
        self.point = point
        self.state = state
        self.onset = onset
        self.raised = raised
        self.changed = changed
        self.evidence = evidence
        self.source = source
        self.status = status
        self.risk = risk
        self.actor = actor
        self.note = note
        self.facts = facts
    }
}

/// What one feed is told at one instant: one alarm, or several that belong together.
package struct AlarmNotice: Hashable, Sendable {
    /// Why it is sent.
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// One alarm changed its state; machines are told each change.
        case change
        /// One or several alarms were raised.
        case raised
        /// One or several alarms have returned.
        case returned
        /// Raised long ago and still not acknowledged.
        case reminder
        /// Nobody acknowledged in time; this feed is the next step.
        case escalation
        /// An alarm comes and goes; nothing more is said of it until it is quiet.
        case chattering
        /// Too much at once: one message for all of it.
        case storm
        /// What happened since the last digest.
        case digest
    }

    /// Equal for every attempt: the idempotency key on the wire.
    package var id: String
    package var site: SiteID
    package var siteName: String
    package var kind: Kind
    /// When it happened, in the time of the data.
    package var time: Timestamp
    /// The alarms, the first-out first; at most 20 of `total`.
    package var alarms: [AlarmBrief]
    /// How many alarms it is about, listed or not.
    package var total: Int
    /// For `change`: the state before.
    package var from: AlarmState?
    /// For `digest`: the span that it covers; equal to `time` otherwise.
    package var since: Timestamp

    package init(
        id: String, site: SiteID, siteName: String, kind: Kind, time: Timestamp,
        alarms: [AlarmBrief], total: Int? = nil, from: AlarmState? = nil, since: Timestamp? = nil
    ) {
        self.id = id
        self.site = site
        self.siteName = siteName
        self.kind = kind
        self.time = time
        self.alarms = alarms
        self.total = total ?? alarms.count
        self.from = from
        self.since = since ?? time
    }

    /// The gravest severity among the alarms; `info` without any.
    package var severity: String {
        for severity in ["critical", "warning"]
        where alarms.contains(where: { $0.severity == severity }) { return severity }
        return "info"
    }
}
