import Telemetry

/// One rule on one series: the terms, the standing judgement and the life cycle.
///
/// Everything that moves an alarm from one state to another is in this file and its two chapters.
/// The states are those of `AlarmState`; a judgement is one of
///
///     breach        beyond the limit                      normal → pending, or active with `hold` 0
///     between       neither beyond nor back at `clear`    pending → normal
///     clear         at `clear` or on its safe side        pending → normal, active → returned
///     undecidable   too few readings                      nothing changes
///
/// A breach becomes active when it has stood for `hold`: at the first judgement at or after
/// onset + hold that is a breach too, or at exactly that instant when a later scan (or `advance`)
/// finds that the judgement before it was a breach and nothing came between. In the same way an
/// alarm returns when all has been clear for `keep`.
///
/// Rule time never goes back: a scan older than the newest judged one is not judged. Its reading
/// still counts in the windows that are judged later.
struct AlarmMonitor: Sendable {
    /// An alarm that returned and waits to be acknowledged.
    struct Returned: Hashable, Sendable {
        var onset: Timestamp
        var evidence: AlarmEvidence
    }

    /// A person has silenced the rule for this series.
    struct Quiet: Hashable, Sendable {
        /// `shelved` or `outOfService`.
        var state: AlarmState
        /// When shelving ends; nil for what is out of service.
        var until: Timestamp?
        var actor: String
        var reason: String
        var since: Timestamp
    }

    /// What has to survive a restart.
    struct State: Hashable, Sendable {
        var rule: String
        var version: String
        var series: SeriesID
        /// The newest instant that was judged.
        var newest: Timestamp?
        /// An instant whose readings are taken in and that is not judged yet, because other series
        /// of the rule may still speak of it.
        var due: Timestamp?
        /// `normal`, `pending`, one of the active states or `latched`, whoever may see it.
        var phase: AlarmState = .normal
        /// What was told last of the alarm that began at `onset`.
        var shown: AlarmState = .normal
        var onset: Timestamp?
        /// Since when all has been clear, while the alarm is active.
        var clearSince: Timestamp?
        var standing: AlarmJudgement = .undecidable
        /// Whether history brought the newest judgement.
        var isBackfill = false
        /// What the newest decidable judgement rested on.
        var evidence: AlarmEvidence?
        var returned: [Returned] = []
        var quiet: Quiet?
        /// Why the alarm means nothing now; nil while it does.
        var suppressedBy: String?
        /// Those of `when`, then those of `unless`.
        var terms: [TermState]
    }

    /// Alarms of one rule and series that may wait for an acknowledgement at once; beyond them the
    /// oldest are no longer waited for.
    static let returnedCapacity = 256

    let rule: AlarmRule
    /// Those of `when`, then those of `unless`.
    let terms: [BoundTerm]
    /// How many of them stand under `when`.
    let conditions: Int
    /// `[start, end)` of the rule's validity; nil is without end.
    let validity: (start: Timestamp?, end: Timestamp?)
    let calendar: SiteCalendar
    let phase: String?
    /// Whether its series come in several scans: then one instant is judged once for all of them.
    var isJoint = false
    /// The next instant at which the rule may begin or cease to be in force; nil: never.
    private(set) var edge: Timestamp?
    /// Whether a reading of the scan at hand is no older than what its series said before.
    private var isFresh = false
    var state: State
    var droppedReadings = 0

    init(rule: AlarmRule, version: String, series: SeriesID, terms: [BoundTerm], site: AlarmSite) {
        self.rule = rule
        self.terms = terms
        conditions = rule.when.terms.count
        validity = (
            start: rule.validFrom.map(site.calendar.timestamp),
            end: rule.validTo.map { site.calendar.timestamp($0.nextDay) }
        )
        calendar = site.calendar
        phase = site.phase
        state = State(
            rule: rule.name, version: version, series: series,
            terms: terms.map { $0.initialState() })
    }

    /// Whether it asks for signs of life alone and for no value.
    var onlyListens: Bool { terms.allSatisfy(\.operands.isEmpty) }

    /// How long a scan may be under way before silence counts as silence.
    var lateness: Duration { terms[0].lateness }

    // MARK: Inputs

    /// Settles what was due before a scan. Call it before its readings are taken.
    mutating func begin(_ time: Timestamp, isBackfill: Bool, _ out: inout [AlarmTransition]) {
        isFresh = false
        if let newest = state.newest, time < newest { return }
        if let due = state.due, due < time { judgeDue(due, isBackfill: isBackfill, &out) }
        settle(before: time, &out)
    }

    /// Takes one reading in.
    mutating func take(
        _ reading: Reading, term: Int, operand: Int, at time: Timestamp, isBackfill: Bool,
        _ out: inout [AlarmTransition]
    ) {
        if state.terms[term].operands[operand].heard.map({ $0 <= time }) ?? true { isFresh = true }
        if let window = terms[term].ownWindow, window.kind == .aligned,
            isBackfill || terms[term].operands[operand].isPolled
        {
            close(term, operand, window, upTo: time, isBackfill: isBackfill, &out)
        }
        if state.terms[term].take(
            reading, operand: operand, at: time, isBackfill: isBackfill, terms[term])
        {
            droppedReadings += 1
        }
    }

    /// Judges a scan whose readings are taken in; false when it was too old to be judged.
    mutating func judge(
        scanAt time: Timestamp, isBackfill: Bool, _ out: inout [AlarmTransition]
    ) -> Bool {
        if let newest = state.newest, time < newest, !isJoint || !isFresh { return false }
        guard isJoint else {
            judgeNow(at: time, isBackfill: isBackfill, &out)
            return true
        }
        // Series of several devices have clocks of their own: what is no older than the word before
        // it counts, at the instant up to which the rule has come.
        state.due = max(state.due ?? time, state.newest ?? time, time)
        if isBackfill { state.isBackfill = true }
        return true
    }

    /// Judges the instant that waits, once all that is asked at it has answered.
    mutating func endRow(_ out: inout [AlarmTransition]) {
        guard let due = state.due, !waitsForMates(at: due) else { return }
        judgeDue(due, isBackfill: state.isBackfill, &out)
    }

    mutating func judgeDue(
        _ time: Timestamp, isBackfill: Bool, _ out: inout [AlarmTransition]
    ) {
        state.due = nil
        settle(before: time, &out)
        judgeNow(at: time, isBackfill: isBackfill, &out)
    }

    /// Whether a polled series of the rule still owes its slot of this instant.
    private func waitsForMates(at time: Timestamp) -> Bool {
        zip(terms, state.terms).contains { term, state in
            zip(term.operands, state.operands).contains { operand, heard in
                guard operand.isPolled, let period = operand.period, let last = heard.heard
                else { return false }
                return last + period <= time
            }
        }
    }

    mutating func judgeNow(
        at time: Timestamp, isBackfill: Bool, _ out: inout [AlarmTransition]
    ) {
        for index in terms.indices { state.terms[index].judge(at: time, terms[index]) }
        // A rule on closed stretches alone is judged when one closes.
        if conditions == 1, terms[0].term.measure.isAligned { return }
        judge(at: time, inForceAt: time, isBackfill, &out)
    }

    /// Takes a closed quarter of the store; false when it was judged before.
    mutating func handle(
        _ rollup: Rollup, bucket: Bucket, term: Int, operand: Int, isBackfill: Bool,
        _ out: inout [AlarmTransition]
    ) -> Bool {
        guard case .window(let window) = terms[term].term.measure,
            window.over == bucket.resolution.nominal
        else { return true }
        if let newest = state.terms[term].newest, bucket.end <= newest { return false }
        let closed = TermState.Closed(
            end: bucket.end, value: rollup.figure(window.statistic), samples: rollup.count,
            coverage: rollup.coverage)
        if state.terms[term].close(closed, operand: operand, window: window, terms[term], calendar)
        {
            judge(closed: term, window, bucket.end, isBackfill, &out)
        }
        return true
    }

    // MARK: Judging

    /// Judges a stretch that has closed.
    mutating func judge(
        closed term: Int, _ window: AlarmTerm.Window, _ end: Timestamp, _ isBackfill: Bool,
        _ out: inout [AlarmTransition]
    ) {
        guard term < conditions else { return }
        if conditions == 1 {
            judge(at: end, inForceAt: end - window.over, isBackfill, &out)
        } else {
            let time = state.newest.map { max($0, end) } ?? end
            judge(at: time, inForceAt: time, isBackfill, &out)
        }
    }

    private mutating func judge(
        at time: Timestamp, inForceAt: Timestamp, _ isBackfill: Bool,
        _ out: inout [AlarmTransition]
    ) {
        if let end = holdEnd, end < time { move(to: .activeUnacknowledged, at: end, &out) }
        if let end = keepEnd, end < time { comeBack(at: end, &out) }
        state.newest = time
        state.isBackfill = isBackfill
        findEdge()
        let (standing, decisive) = joined()
        let suppression = suppression()
        if case .because(let why) = suppression, state.suppressedBy == nil {
            state.suppressedBy = why
            show(at: time, &out)
        }
        // What begins now was never suppressed; what has returned in silence need not be told when
        // the silence ends.
        let isNews = state.phase == .normal || state.phase == .pending
        if case .over = suppression, isNews { state.suppressedBy = nil }
        let isInForce = isInForce(inForceAt)
        if standing != .undecidable, let evidence = evidence(decisive) { state.evidence = evidence }
        // A rule that is not in force finds nothing wrong, so what it once opened returns.
        state.standing = isInForce ? standing : .clear
        if state.standing != .undecidable { step(at: time, &out) }
        if case .over = suppression, state.suppressedBy != nil {
            state.suppressedBy = nil
            show(at: time, &out)
        }
    }

    /// Looks when the rule may begin or cease to be in force, once the last such instant is past.
    mutating func findEdge() {
        guard let newest = state.newest else { return }
        if let edge, newest < edge { return }
        edge = nil
        // One that judges closed stretches alone is asked when one closes.
        if conditions == 1, terms[0].term.measure.isAligned { return }
        edge = [
            rule.only?.nextEdge(after: newest, calendar: calendar),
            validity.start.flatMap { newest < $0 ? $0 : nil },
            validity.end.flatMap { newest < $0 ? $0 : nil },
        ].compactMap(\.self).min()
    }

    private func joined() -> (AlarmJudgement, Int) {
        if case .term = rule.when { return (state.terms[0].standing, 0) }
        return rule.when.judgement(of: state.terms.prefix(conditions).map(\.standing))
    }

    /// The figures of the decisive term, and those of the others beside them.
    private func evidence(_ decisive: Int) -> AlarmEvidence? {
        guard var evidence = state.terms[decisive].evidence else { return nil }
        guard conditions > 1 else { return evidence }
        for index in 0..<conditions where index != decisive {
            guard let other = state.terms[index].evidence else { continue }
            evidence.others.append(
                AlarmEvidence.Other(
                    series: terms[index].operands.first?.series ?? state.series,
                    value: other.word == nil ? other.value : nil, word: other.word,
                    unit: other.unit))
        }
        return evidence
    }

    func isInForce(_ time: Timestamp) -> Bool {
        (validity.start.map { $0 <= time } ?? true) && (validity.end.map { time < $0 } ?? true)
            && (rule.only?.holds(at: time, calendar: calendar, phase: phase) ?? true)
    }

    private enum Suppression {
        case because(String), over, unknown
    }

    /// Looks whether the alarm means anything now.
    private func suppression() -> Suppression {
        var isOver = true
        for index in conditions..<terms.count {
            switch state.terms[index].standing {
            case .breach: return .because(terms[index].reason(state.terms[index]))
            case .clear: continue
            // What is not known changes nothing.
            case .between, .undecidable: isOver = false
            }
        }
        return isOver ? .over : .unknown
    }
}

extension BoundTerm {
    /// What a term has found, in words for the one who asks why an alarm is suppressed.
    fileprivate func reason(_ state: TermState) -> String {
        let series = operands.first.map { "\($0.series)" } ?? "\(term.operand.point)"
        guard let evidence = state.evidence else { return series }
        return "\(series) = \(evidence.word ?? "\(evidence.value) \(evidence.unit)")"
    }
}

extension Rollup {
    /// The figure that a rule asks of a closed quarter.
    fileprivate func figure(_ statistic: AlarmTerm.Statistic) -> Double? {
        switch statistic {
        case .mean: mean
        case .max: maximum
        case .min: minimum
        case .last: last?.value
        case .range: maximum.flatMap { most in minimum.map { least in most - least } }
        case .increase: increase?.double
        case .change, .leq, .percentile: nil
        }
    }
}

extension CivilTime {
    fileprivate var nextDay: CivilTime {
        let days = Self.daysSinceEpoch(year: year, month: month, day: day) + 1
        let next = Self.date(daysSinceEpoch: days)
        return CivilTime(year: next.year, month: next.month, day: next.day)
    }
}
