/// Where one alarm stands, in the words of ISA-18.2.
///
///     normal ──breach──▶ pending ──held for `hold`──▶ active unacknowledged ──acknowledged──▶ active acknowledged
///        ▲                  │                               │ clear for `keep`                     │ clear for `keep`
///        └──────gone────────┘                               ▼                                     ▼
///        ◀──────────────────────────acknowledged── returned unacknowledged                     normal
///
/// A rule with `latch: true` goes to `latched` instead and waits there to be reset. What is shelved,
/// suppressed by design or out of service goes on in silence and comes back to where it stands then.
package enum AlarmState: String, Hashable, Sendable, Codable, CaseIterable {
    case normal
    case pending
    case activeUnacknowledged = "active_unacknowledged"
    case activeAcknowledged = "active_acknowledged"
    case returnedUnacknowledged = "returned_unacknowledged"
    /// The cause is gone, and somebody has to reset it.
    case latched
    /// A person has put it aside until a named end.
    case shelved
    /// A rule says that it means nothing now (device offline, wet day, maintenance).
    case suppressed
    /// A person has taken the rule out of service for this series.
    case outOfService = "out_of_service"

    /// Whether a person should see it in the list of open alarms.
    package var isOpen: Bool {
        switch self {
        case .activeUnacknowledged, .activeAcknowledged, .returnedUnacknowledged, .latched: true
        case .normal, .pending, .shelved, .suppressed, .outOfService: false
        }
    }

    /// Whether the cause stands, annunciated or in silence.
    package var isStanding: Bool {
        switch self {
        case .activeUnacknowledged, .activeAcknowledged, .shelved, .suppressed, .outOfService: true
        case .normal, .pending, .returnedUnacknowledged, .latched: false
        }
    }
}

/// What an alarm rests on: the figures of the judgement that changed its state.
package struct AlarmEvidence: Hashable, Sendable, Codable {
    /// A further series that took part in the judgement, as it stood then.
    package struct Other: Hashable, Sendable, Codable {
        package var series: SeriesID
        /// In `unit`; nil when it had none, or for a state.
        package var value: Double?
        /// The word of a state.
        package var word: String?
        package var unit: String

        package init(series: SeriesID, value: Double?, word: String? = nil, unit: String) {
            self.series = series
            self.value = value
            self.word = word
            self.unit = unit
        }
    }

    /// The judged value, in `unit`; NaN for a state.
    package var value: Double
    package var unit: String
    /// The limit that was crossed; NaN where there is none.
    package var limit: Double
    /// The window that was judged; equal instants for a single reading.
    package var windowStart: Timestamp
    package var windowEnd: Timestamp
    /// Good readings in the window, and their share of those expected.
    package var samples: Int
    package var coverage: Double?
    /// The judged word of a state; nil for numbers.
    package var word: String?
    /// What else took part, in the order of the rule.
    package var others: [Other]

    package init(
        value: Double, unit: String, limit: Double, windowStart: Timestamp, windowEnd: Timestamp,
        samples: Int, coverage: Double?, word: String? = nil, others: [Other] = []
    ) {
        self.value = value
        self.unit = unit
        self.limit = limit
        self.windowStart = windowStart
        self.windowEnd = windowEnd
        self.samples = samples
        self.coverage = coverage
        self.word = word
        self.others = others
    }
}

/// One change of state of one alarm: stored, never changed.
package struct AlarmTransition: Hashable, Sendable, Codable {
    /// The rule's name and the hash of its text, so that the judgement can be repeated.
    package var rule: String
    package var ruleVersion: String
    package var severity: String
    package var series: SeriesID
    /// When the breach began; with rule and series it is the alarm's identity.
    package var onset: Timestamp
    package var from: AlarmState
    package var to: AlarmState
    /// When the change happened, in the time of the data.
    package var time: Timestamp
    package var evidence: AlarmEvidence
    /// True for what history brought: shown, never notified.
    package var isBackfill: Bool
    /// Who did it; nil when no person did.
    package var actor: String?
    /// Why: what the person said, or what suppresses the alarm.
    package var note: String?

    package init(
        rule: String, ruleVersion: String, severity: String, series: SeriesID, onset: Timestamp,
        from: AlarmState, to: AlarmState, time: Timestamp, evidence: AlarmEvidence,
        isBackfill: Bool, actor: String? = nil, note: String? = nil
    ) {
        self.rule = rule
        self.ruleVersion = ruleVersion
        self.severity = severity
        self.series = series
        self.onset = onset
        self.from = from
        self.to = to
        self.time = time
        self.evidence = evidence
        self.isBackfill = isBackfill
        self.actor = actor
        self.note = note
    }

    /// The deterministic key of the alarm: `rule|series|onset`.
    package var alarmKey: String { AlarmKey(rule: rule, series: series, onset: onset).text }
}

/// The identity of one alarm: `rule|series|onset`.
package struct AlarmKey: Hashable, Sendable {
    package var rule: String
    package var series: SeriesID
    package var onset: Timestamp

    package init(rule: String, series: SeriesID, onset: Timestamp) {
        self.rule = rule
        self.series = series
        self.onset = onset
    }

    /// Reads what `text` writes; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let series = SeriesID(String(parts[1])),
            let onset = Int64(parts[2])
        else { return nil }
        self.init(
            rule: String(parts[0]), series: series, onset: Timestamp(milliseconds: onset))
    }

    package var text: String { "\(rule)|\(series)|\(onset.milliseconds)" }
}
