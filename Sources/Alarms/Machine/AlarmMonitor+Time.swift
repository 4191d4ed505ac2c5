import Telemetry

/// What happens because time passes: holds and keeps end, silence becomes silence, stretches of the
/// day close, shelving ends, a rule comes into force or ceases to be.
///
/// Each bears the time of its deadline, so that a replay is the same.
extension AlarmMonitor {
    private enum Due {
        case hold, keep, shelf, judgement, edge
        case silence(term: Int)
        case stretch(term: Int, operand: Int, AlarmTerm.Window)
    }

    /// Before this instant `advance` finds nothing to do; nil is never.
    var nextDeadline: Timestamp? {
        var next: Timestamp?
        func note(_ time: Timestamp?) {
            guard let time else { return }
            next = next.map { min($0, time) } ?? time
        }
        if !state.isBackfill {
            note(holdEnd.map { $0 + lateness })
            note(keepEnd.map { $0 + lateness })
            note(edge.map { $0 + lateness })
        }
        note(state.quiet?.until)
        note(state.due.map { $0 + lateness })
        for index in terms.indices {
            if let end = silenceEnd(index) { note(end + terms[index].lateness) }
            if let window = terms[index].ownWindow, window.kind == .aligned {
                for operand in state.terms[index].operands.indices {
                    note(
                        state.terms[index].openEnd(operand, window, calendar)
                            .map { $0 + terms[index].operands[operand].lateness })
                }
            }
        }
        return next
    }

    /// When the silence of a term becomes a breach; nil when it is one, or none is waited for.
    private func silenceEnd(_ index: Int) -> Timestamp? {
        guard case .silence = terms[index].term.measure,
            case .lasting(let span) = terms[index].term.test,
            let since = state.terms[index].operands[0].since,
            !state.terms[index].operands[0].isHistory, state.terms[index].standing != .breach
        else { return nil }
        return since + span
    }

    /// Lets time pass without a scan.
    mutating func advance(to now: Timestamp, _ out: inout [AlarmTransition]) {
        while let (due, time) = earliest(in: { $0 + $1 <= now }, byScan: false) {
            take(due, at: time, &out)
        }
    }

    /// Settles what was due before a scan of this time.
    mutating func settle(before time: Timestamp, _ out: inout [AlarmTransition]) {
        while let (due, at) = earliest(in: { end, _ in end < time }, byScan: true) {
            take(due, at: at, &out)
        }
    }

    /// Begins to wait anew for what was not listened to: the gateway itself was away.
    mutating func resumeListening(at now: Timestamp) {
        for index in terms.indices {
            guard case .silence = terms[index].term.measure,
                state.terms[index].standing != .breach
            else { continue }
            state.terms[index].operands[0].since = now
            state.terms[index].operands[0].isHistory = false
        }
    }

    /// Whether some term waits for a sign of life and has not begun to.
    var hasUnheardTerms: Bool {
        terms.indices.contains { index in
            guard case .silence = terms[index].term.measure else { return false }
            let operand = state.terms[index].operands[0]
            return operand.since == nil || operand.isHistory
        }
    }

    /// Begins to wait, now that the time is known.
    mutating func beginListening(at now: Timestamp) {
        for index in terms.indices {
            guard case .silence = terms[index].term.measure else { continue }
            let operand = state.terms[index].operands[0]
            if operand.since == nil || operand.isHistory {
                state.terms[index].operands[0].since = now
                state.terms[index].operands[0].isHistory = false
            }
        }
    }

    /// What is due first.
    ///
    /// - Parameter byScan: whether a scan asks, and not the wall clock. A scan judges what is due by
    ///   itself; a stretch closes when its own series goes on, or with the wall clock.
    private func earliest(
        in isDue: (_ end: Timestamp, _ lateness: Duration) -> Bool, byScan: Bool
    ) -> (Due, Timestamp)? {
        var found: (Due, Timestamp)?
        func note(_ due: Due, _ time: Timestamp?, _ lateness: Duration) {
            guard let time, isDue(time, lateness), found.map({ time < $0.1 }) ?? true else {
                return
            }
            found = (due, time)
        }
        // History has no silence: its time runs with its scans alone.
        if !state.isBackfill || byScan {
            note(.hold, holdEnd, lateness)
            note(.keep, keepEnd, lateness)
            note(.edge, edge, lateness)
        }
        note(.shelf, state.quiet?.until, .zero)
        if !byScan { note(.judgement, state.due, lateness) }
        for index in terms.indices {
            note(.silence(term: index), silenceEnd(index), terms[index].lateness)
            guard !byScan, let window = terms[index].ownWindow, window.kind == .aligned
            else { continue }
            for operand in state.terms[index].operands.indices {
                note(
                    .stretch(term: index, operand: operand, window),
                    state.terms[index].openEnd(operand, window, calendar),
                    terms[index].operands[operand].lateness)
            }
        }
        return found
    }

    private mutating func take(_ due: Due, at time: Timestamp, _ out: inout [AlarmTransition]) {
        switch due {
        case .hold: move(to: .activeUnacknowledged, at: time, &out)
        case .keep: comeBack(at: time, &out)
        case .shelf:
            silence(nil, at: time, by: nil, &out)
        case .edge: judgeNow(at: time, isBackfill: state.isBackfill, &out)
        case .judgement: judgeDue(time, isBackfill: state.isBackfill, &out)
        case .silence(let term):
            state.terms[term].judge(at: time, terms[term])
            if state.newest.map({ $0 <= time }) ?? true {
                judgeNow(at: time, isBackfill: false, &out)
            }
        case .stretch(let term, let operand, let window):
            close(
                term, operand, window, end: time,
                isBackfill: state.terms[term].operands[operand].isHistory, &out)
        }
    }

    /// Closes the stretches of one series that end at or before an instant.
    mutating func close(
        _ term: Int, _ operand: Int, _ window: AlarmTerm.Window, upTo time: Timestamp,
        isBackfill: Bool, _ out: inout [AlarmTransition]
    ) {
        while let end = state.terms[term].openEnd(operand, window, calendar), end <= time {
            close(term, operand, window, end: end, isBackfill: isBackfill, &out)
        }
    }

    private mutating func close(
        _ term: Int, _ operand: Int, _ window: AlarmTerm.Window, end: Timestamp,
        isBackfill: Bool, _ out: inout [AlarmTransition]
    ) {
        let isJudged = state.terms[term].closeOwn(
            window, end: end, operand: operand, terms[term], calendar)
        if isJudged { judge(closed: term, window, end, isBackfill, &out) }
    }
}
