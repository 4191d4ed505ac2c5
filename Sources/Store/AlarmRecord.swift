import Telemetry

/// One alarm as it stands: the newest state, and the evidence of the change that led to it.
package struct AlarmRecord: Hashable, Sendable, Identifiable {
    /// The store's number of the alarm.
    package var id: Int64
    /// `rule|series|onset`.
    package var key: String
    package var rule: String
    package var ruleVersion: String
    package var severity: String
    package var series: SeriesID
    /// When the breach began, in the time of the data.
    package var onset: Timestamp
    /// When it became an alarm (the breach had held long enough).
    package var raised: Timestamp
    package var state: AlarmState
    /// When the state last changed.
    package var changed: Timestamp
    /// The figures of the last change.
    package var evidence: AlarmEvidence
    package var isBackfill: Bool
    /// Who made the last change, and why; nil when no person did.
    package var actor: String?
    package var note: String?

    package init(
        id: Int64, key: String, rule: String, ruleVersion: String, severity: String,
        series: SeriesID, onset: Timestamp, raised: Timestamp, state: AlarmState,
        changed: Timestamp, evidence: AlarmEvidence, isBackfill: Bool, actor: String? = nil,
        note: String? = nil
    ) {
        self.id = id
        self.key = key
        self.rule = rule
        self.ruleVersion = ruleVersion
        self.severity = severity
        self.series = series
        self.onset = onset
        self.raised = raised
        self.state = state
        self.changed = changed
        self.evidence = evidence
        self.isBackfill = isBackfill
        self.actor = actor
        self.note = note
    }

    /// The place of this alarm in the list, to go on from.
    package var cursor: AlarmCursor { AlarmCursor(onset: onset, id: id) }
}

/// A place in the list of alarms, which runs from the newest onset to the oldest.
package struct AlarmCursor: Hashable, Sendable, LosslessStringConvertible {
    package var onset: Timestamp
    package var id: Int64

    package init(onset: Timestamp, id: Int64) {
        self.onset = onset
        self.id = id
    }

    /// Reads `onset_id` as `description` writes it; nil when it is not such a text.
    package init?(_ description: String) {
        let parts = description.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, let onset = Int64(parts[0]), let id = Int64(parts[1]) else {
            return nil
        }
        self.init(onset: Timestamp(milliseconds: onset), id: id)
    }

    package var description: String { "\(onset.milliseconds)_\(id)" }
}
