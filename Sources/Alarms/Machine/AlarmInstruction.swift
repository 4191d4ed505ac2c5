import Telemetry

/// Which alarms an instruction is about: one rule on one series, or on all of them.
package struct AlarmTarget: Hashable, Sendable {
    package var rule: String
    /// nil: every series that the rule watches.
    package var series: SeriesID?

    package init(rule: String, series: SeriesID? = nil) {
        self.rule = rule
        self.series = series
    }

    func includes(_ state: AlarmMonitor.State) -> Bool {
        state.rule == rule && series.map { $0 == state.series } ?? true
    }
}

/// What a person wants done with an alarm.
///
/// It takes the way of a reading: it is committed to the journal as the text of a scan, and acted
/// upon in its place, so that whoever folds the journal again finds the same.
package struct AlarmInstruction: Hashable, Sendable {
    /// A step in the life of a hazard that was made of an alarm.
    package enum HazardStep: Hashable, Sendable {
        /// - Parameter deadline: until when it has to be put right.
        case open(owner: String, deadline: Timestamp)
        /// What was done about it.
        case rectified
        /// Somebody has looked and found it right; the note names the evidence.
        case closed
        /// It was not put right.
        case reopened(deadline: Timestamp)
    }

    /// What is to be done.
    package enum Action: Hashable, Sendable {
        case acknowledge(AlarmKey)
        case shelve(AlarmTarget, until: Timestamp)
        /// Out of service, until somebody puts it back.
        case takeOut(AlarmTarget)
        /// Ends shelving, or puts back into service.
        case unsilence(AlarmTarget)
        case comment(AlarmKey)
        case hazard(AlarmKey, HazardStep)
    }

    /// Chosen by who gives it, so that giving it twice is giving it once. 1 to 64 of `A-Za-z0-9._-`.
    package var id: String
    package var time: Timestamp
    /// Whose name stands under it.
    package var actor: String
    package var action: Action
    /// The reason, the comment, the evidence: at most 2,000 characters.
    package var note: String?

    package init(id: String, time: Timestamp, actor: String, action: Action, note: String? = nil) {
        self.id = id
        self.time = time
        self.actor = actor
        self.action = action
        self.note = note
    }
}
