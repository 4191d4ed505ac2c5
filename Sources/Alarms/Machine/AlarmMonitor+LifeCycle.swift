import Telemetry

/// The life of one alarm, from its onset until nobody has to think of it any more.
///
///     phase         breach            clear                         acknowledged
///     normal        pending / active  -                             -
///     pending       active (hold)     normal                        -
///     active …      -                 returned or normal (keep),    active acknowledged
///                                     latched with `latch: true`
///     latched       active            -                             normal
///
/// What people are told is the phase, or `shelved`, `out_of_service`, `suppressed` in its place
/// while somebody or the design wants silence. Then a return needs no acknowledgement, and neither
/// does one that history brought: nobody was to look then.
extension AlarmMonitor {
    /// Takes the step that the standing judgement asks for.
    mutating func step(at time: Timestamp, _ out: inout [AlarmTransition]) {
        if state.standing != .clear { state.clearSince = nil }
        switch (state.phase, state.standing) {
        case (.normal, .breach):
            state.onset = time
            move(to: rule.hold > .zero ? .pending : .activeUnacknowledged, at: time, &out)
        case (.pending, .breach):
            if let end = holdEnd, end <= time { move(to: .activeUnacknowledged, at: time, &out) }
        case (.pending, .between), (.pending, .clear): move(to: .normal, at: time, &out)
        case (.latched, .breach): move(to: .activeUnacknowledged, at: time, &out)
        case (.activeUnacknowledged, .clear), (.activeAcknowledged, .clear):
            let since = state.clearSince ?? time
            state.clearSince = since
            if since + rule.keep <= time { comeBack(at: time, &out) }
        default: break
        }
    }

    /// When the hold ends, if the breach stands until then.
    var holdEnd: Timestamp? {
        guard state.phase == .pending, state.standing == .breach else { return nil }
        return state.onset.map { $0 + rule.hold }
    }

    /// When the alarm returns, if all stays clear until then.
    var keepEnd: Timestamp? {
        guard state.standing == .clear else { return nil }
        return state.clearSince.map { $0 + rule.keep }
    }

    /// The cause is gone.
    mutating func comeBack(at time: Timestamp, _ out: inout [AlarmTransition]) {
        state.clearSince = nil
        if rule.isLatched {
            move(to: .latched, at: time, &out)
        } else if state.phase == .activeUnacknowledged, silence == nil, !state.isBackfill {
            move(to: .returnedUnacknowledged, at: time, &out)
        } else {
            move(to: .normal, at: time, &out)
        }
    }

    /// The state that stands for an alarm of which nobody is to hear; nil: everybody is.
    var silence: AlarmState? {
        state.quiet?.state ?? (state.suppressedBy == nil ? nil : .suppressed)
    }

    /// What a person did, and why.
    struct Act {
        var actor: String?
        var note: String?
    }

    /// Goes to the next phase and tells it.
    mutating func move(
        to next: AlarmState, at time: Timestamp, by act: Act? = nil, _ out: inout [AlarmTransition]
    ) {
        state.phase = next
        show(at: time, by: act, &out)
        if next == .returnedUnacknowledged {
            // This alarm now waits by itself; a new breach is a new alarm.
            if let onset = state.onset, let evidence = state.evidence {
                state.returned.append(Returned(onset: onset, evidence: evidence))
            }
            if state.returned.count > Self.returnedCapacity { state.returned.removeFirst() }
            state.phase = .normal
        }
        if state.phase == .normal {
            state.onset = nil
            state.shown = .normal
            state.clearSince = nil
        }
    }

    /// Tells where the alarm stands now, if that is news.
    mutating func show(at time: Timestamp, by act: Act? = nil, _ out: inout [AlarmTransition]) {
        guard let onset = state.onset, let evidence = state.evidence else { return }
        let mask: AlarmState? =
            switch state.phase {
            case .activeUnacknowledged, .activeAcknowledged, .latched: silence
            default: nil
            }
        let now = mask ?? state.phase
        guard now != state.shown else { return }
        var act = act ?? Act()
        if mask != nil, act.note == nil { act.note = state.quiet?.reason ?? state.suppressedBy }
        out.append(
            transition(
                onset: onset, from: state.shown, to: now, at: time, evidence, by: act,
                isBackfill: state.isBackfill && act.actor == nil))
        state.shown = now
    }

    private func transition(
        onset: Timestamp, from: AlarmState, to: AlarmState, at time: Timestamp,
        _ evidence: AlarmEvidence, by act: Act?, isBackfill: Bool
    ) -> AlarmTransition {
        AlarmTransition(
            rule: rule.name, ruleVersion: state.version, severity: rule.severity.rawValue,
            series: state.series, onset: onset, from: from, to: to, time: time,
            evidence: evidence, isBackfill: isBackfill, actor: act?.actor, note: act?.note)
    }

    // MARK: What people do

    /// Acknowledges the alarm that began at `onset`, or resets it; nothing happens if it needs none.
    mutating func acknowledge(
        onset: Timestamp, at time: Timestamp, by act: Act, _ out: inout [AlarmTransition]
    ) {
        if state.onset == onset, state.shown == .activeUnacknowledged {
            move(to: .activeAcknowledged, at: time, by: act, &out)
        } else if state.onset == onset, state.shown == .latched {
            move(to: .normal, at: time, by: act, &out)
        } else if let index = state.returned.firstIndex(where: { $0.onset == onset }) {
            let alarm = state.returned.remove(at: index)
            out.append(
                transition(
                    onset: onset, from: .returnedUnacknowledged, to: .normal, at: time,
                    alarm.evidence, by: act, isBackfill: false))
        }
    }

    /// Silences the rule for this series, or lets it speak again with nil.
    mutating func silence(
        _ quiet: Quiet?, at time: Timestamp, by act: Act?, _ out: inout [AlarmTransition]
    ) {
        guard state.quiet != quiet else { return }
        state.quiet = quiet
        show(at: time, by: act, &out)
    }

    /// The onsets of the alarms that a person should see.
    var openOnsets: [Timestamp] {
        state.returned.map(\.onset)
            + (state.shown.isOpen ? [state.onset].compactMap(\.self) : [])
    }

    /// Goes on from a stored state. A rule that was changed since keeps its open alarms; what its
    /// terms remember goes on if it is what they ask for, else they begin anew.
    mutating func restore(_ stored: State) {
        var restored = stored
        restored.version = state.version
        if stored.version != state.version {
            restored.standing = .undecidable
            restored.clearSince = nil
        }
        restored.terms = state.terms
        if stored.terms.count == state.terms.count {
            for index in state.terms.indices
            where stored.terms[index].fits(state.terms[index]) {
                restored.terms[index] = stored.terms[index]
                if stored.version != state.version {
                    restored.terms[index].standing = .undecidable
                }
            }
        }
        state = restored
        findEdge()
    }
}

extension TermState {
    /// Whether a stored state remembers what a term of this shape asks for.
    fileprivate func fits(_ fresh: TermState) -> Bool {
        operands.count == fresh.operands.count
            && zip(operands, fresh.operands).allSatisfy {
                $0.window?.statistic == $1.window?.statistic
            }
    }
}
