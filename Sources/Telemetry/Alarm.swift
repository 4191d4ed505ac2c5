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
    /// The judged value, in `unit`.
    package var value: Double
    package var unit: String
    /// The limit that was crossed.
    package var limit: Double
    /// The window that was judged; equal instants for a single reading.
    package var windowStart: Timestamp
    package var windowEnd: Timestamp
    /// Good readings in the window, and their share of those expected.
    package var samples: Int
    package var coverage: Double?

    package init(
        value: Double, unit: String, limit: Double, windowStart: Timestamp, windowEnd: Timestamp,
        samples: Int, coverage: Double?
    ) {
        self.value = value
        self.unit = unit
        self.limit = limit
        self.windowStart = windowStart
        self.windowEnd = windowEnd
        self.samples = samples
        self.coverage = coverage
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

    package init(
        rule: String, ruleVersion: String, severity: String, series: SeriesID, onset: Timestamp,
        from: AlarmState, to: AlarmState, time: Timestamp, evidence: AlarmEvidence,
        isBackfill: Bool
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
    }

    /// The deterministic key of the alarm: `rule|series|onset`.
    package var alarmKey: String { "\(rule)|\(series)|\(onset.milliseconds)" }
}
