import Telemetry

/// One rule on one series: the window, the standing judgement and the life cycle.
///
/// Everything that moves an alarm from one state to another is in this file. The states are those
/// of `AlarmState`; a judgement is one of
///
///     breach        strictly beyond the limit             normal → pending, or active with `hold` 0
///     between       neither beyond nor back at `clear`    pending → normal
///     clear         at `clear` or on its safe side        pending → normal, active → returned
///     undecidable   too few readings                      nothing changes
///
/// A breach becomes active when it has stood for `hold`: at the first judgement at or after
/// onset + hold that is a breach too, or at exactly that instant when a later scan (or `advance`)
/// finds that the judgement before it was a breach and nothing came between.
///
/// Rule time never goes back: a scan older than the newest judged one is not judged. Its reading
/// still counts in the windows that are judged later.
struct AlarmMonitor: Sendable {
    enum Judgement: String, Hashable, Sendable, Codable, CaseIterable {
        case breach, between, clear, undecidable
    }

    /// An alarm that returned and waits to be acknowledged.
    struct Returned: Hashable, Sendable, Codable {
        var onset: Timestamp
        var evidence: AlarmEvidence
    }

    /// What has to survive a restart.
    struct State: Hashable, Sendable, Codable {
        var rule: String
        var version: String
        var series: SeriesID
        /// The newest instant that was judged.
        var newest: Timestamp?
        /// `normal`, `pending` or one of the active states.
        var phase: AlarmState = .normal
        var onset: Timestamp?
        var standing: Judgement = .undecidable
        /// Whether history brought the newest judgement.
        var isBackfill = false
        /// What the newest decidable judgement rested on.
        var evidence: AlarmEvidence?
        var returned: [Returned] = []
        var window: RollingWindow?
    }

    /// Alarms of one rule and series that may wait for an acknowledgement at once; beyond them the
    /// oldest are no longer waited for.
    static let returnedCapacity = 256

    let rule: AlarmRule
    let unit: String
    /// Readings expected in a rolling window; nil when nobody has said how often they come.
    let expected: Int?
    /// How long a scan may be under way before silence counts as silence.
    let lateness: Duration
    /// `[start, end)` of the rule's validity; nil is without end.
    let validity: (start: Timestamp?, end: Timestamp?)
    private(set) var state: State
    private(set) var droppedReadings = 0

    init(
        rule: AlarmRule, version: String, series: SeriesID, unit: String, expected: Int?,
        lateness: Duration, validity: (start: Timestamp?, end: Timestamp?)
    ) {
        self.rule = rule
        self.unit = unit
        self.expected = expected
        self.lateness = lateness
        self.validity = validity
        state = State(rule: rule.name, version: version, series: series)
        if case .window(let window) = rule.input, window.kind == .rolling {
            state.window = RollingWindow(window.statistic)
        }
    }

    // MARK: Inputs

    /// Takes one reading of a scan; false when it was too old to be judged.
    mutating func handle(
        _ reading: Reading, at time: Timestamp, isBackfill: Bool, _ out: inout [AlarmTransition]
    ) -> Bool {
        let number = reading.number.flatMap { $0.isFinite ? $0 : nil }
        let isLate = state.newest.map { time < $0 } ?? false
        switch rule.input {
        case .reading:
            if isLate { return false }
            judge(
                number, required: nil, start: time, end: time, count: number == nil ? 0 : 1,
                coverage: nil, isInForce: isInForce(time), isBackfill, &out)
        case .window(let window):
            guard window.kind == .rolling, var readings = state.window else { return true }
            // The window leaves the state while it changes, so that it is not copied.
            state.window = nil
            let start = (state.newest.map { max($0, time) } ?? time) - window.over
            if let number, time > start, readings.add(number, at: time) { droppedReadings += 1 }
            readings.removeAll(through: start)
            let value = isLate ? nil : readings.value()
            let count = readings.count
            state.window = readings
            if isLate { return false }
            let coverage = expected.map { min(1, Double(count) / Double($0)) }
            judge(
                value, required: window.coverage, start: start, end: time, count: count,
                coverage: coverage, isInForce: isInForce(time), isBackfill, &out)
        }
        return true
    }

    /// Takes a closed bucket of an aligned rule; false when it was judged before.
    mutating func handle(
        _ rollup: Rollup, bucket: Bucket, window: AlarmRule.Window, isBackfill: Bool,
        _ out: inout [AlarmTransition]
    ) -> Bool {
        if let newest = state.newest, bucket.end <= newest { return false }
        let value =
            switch window.statistic {
            case .mean: rollup.mean
            case .max: rollup.maximum
            case .min: rollup.minimum
            case .last: rollup.last?.value
            }
        judge(
            value, required: window.coverage, start: bucket.start, end: bucket.end,
            count: rollup.count, coverage: rollup.coverage, isInForce: isInForce(bucket.start),
            isBackfill, &out)
        return true
    }

    /// Lets a hold end in silence. History has no silence: its time runs with its scans alone.
    mutating func advance(to now: Timestamp, _ out: inout [AlarmTransition]) {
        guard let deadline, !state.isBackfill, deadline + lateness <= now else { return }
        endHold(at: deadline, isBackfill: false, &out)
    }

    /// Acknowledges the alarm that began at `onset`; nothing happens if it needs none.
    mutating func acknowledge(
        onset: Timestamp, at time: Timestamp, _ out: inout [AlarmTransition]
    ) {
        if state.phase == .activeUnacknowledged, state.onset == onset {
            move(to: .activeAcknowledged, at: time, isBackfill: false, &out)
        } else if let index = state.returned.firstIndex(where: { $0.onset == onset }) {
            let alarm = state.returned.remove(at: index)
            out.append(
                transition(
                    onset: onset, from: .returnedUnacknowledged, to: .normal, at: time,
                    alarm.evidence, isBackfill: false))
        }
    }

    /// Goes on from a stored state. A rule that was changed since keeps its open alarms; its
    /// window goes on if it holds what the rule asks for, else it fills anew.
    mutating func restore(_ stored: State) {
        var restored = stored
        let isUnchanged = stored.version == state.version
        restored.version = state.version
        if !isUnchanged {
            restored.standing = .undecidable
            if restored.window?.statistic != state.window?.statistic {
                restored.window = state.window
            }
        }
        state = restored
    }

    /// The onsets of the alarms that a person should see.
    var openOnsets: [Timestamp] {
        state.returned.map(\.onset) + (state.phase.isOpen ? [state.onset].compactMap(\.self) : [])
    }

    // MARK: The life cycle

    /// When the hold ends, if the breach stands until then.
    private var deadline: Timestamp? {
        guard state.phase == .pending, state.standing == .breach else { return nil }
        return state.onset.map { $0 + rule.hold }
    }

    private func isInForce(_ time: Timestamp) -> Bool {
        (validity.start.map { $0 <= time } ?? true) && (validity.end.map { time < $0 } ?? true)
    }

    private mutating func judge(
        _ value: Double?, required: Double?, start: Timestamp, end: Timestamp, count: Int,
        coverage: Double?, isInForce: Bool, _ isBackfill: Bool, _ out: inout [AlarmTransition]
    ) {
        if let deadline, deadline < end { endHold(at: deadline, isBackfill: isBackfill, &out) }
        state.newest = end
        state.isBackfill = isBackfill
        guard let value, value.isFinite, required.map({ (coverage ?? 0) >= $0 }) ?? true else {
            state.standing = .undecidable
            return
        }
        state.evidence = AlarmEvidence(
            value: value, unit: unit, limit: rule.limit, windowStart: start, windowEnd: end,
            samples: count, coverage: coverage)
        // A rule that is not in force finds nothing wrong, so what it once opened returns.
        state.standing =
            !isInForce || rule.isClear(value)
            ? .clear : rule.isBreach(value) ? .breach : .between
        switch (state.phase, state.standing) {
        case (.normal, .breach):
            state.onset = end
            move(
                to: rule.hold > .zero ? .pending : .activeUnacknowledged, at: end,
                isBackfill: isBackfill, &out)
        case (.pending, .breach):
            if let deadline, deadline <= end {
                move(to: .activeUnacknowledged, at: end, isBackfill: isBackfill, &out)
            }
        case (.pending, .between), (.pending, .clear):
            move(to: .normal, at: end, isBackfill: isBackfill, &out)
        case (.activeUnacknowledged, .clear):
            move(to: .returnedUnacknowledged, at: end, isBackfill: isBackfill, &out)
        case (.activeAcknowledged, .clear):
            move(to: .normal, at: end, isBackfill: isBackfill, &out)
        default: break
        }
    }

    private mutating func endHold(
        at deadline: Timestamp, isBackfill: Bool, _ out: inout [AlarmTransition]
    ) {
        move(to: .activeUnacknowledged, at: deadline, isBackfill: isBackfill, &out)
    }

    private mutating func move(
        to next: AlarmState, at time: Timestamp, isBackfill: Bool, _ out: inout [AlarmTransition]
    ) {
        guard let onset = state.onset, let evidence = state.evidence else { return }
        out.append(
            transition(
                onset: onset, from: state.phase, to: next, at: time, evidence,
                isBackfill: isBackfill))
        switch next {
        case .returnedUnacknowledged:
            // This alarm now waits by itself; a new breach is a new alarm.
            state.returned.append(Returned(onset: onset, evidence: evidence))
            if state.returned.count > Self.returnedCapacity { state.returned.removeFirst() }
            state.phase = .normal
        default: state.phase = next
        }
        if state.phase == .normal { state.onset = nil }
    }

    private func transition(
        onset: Timestamp, from: AlarmState, to: AlarmState, at time: Timestamp,
        _ evidence: AlarmEvidence, isBackfill: Bool
    ) -> AlarmTransition {
        AlarmTransition(
            rule: rule.name, ruleVersion: state.version, severity: rule.severity.rawValue,
            series: state.series, onset: onset, from: from, to: to, time: time,
            evidence: evidence, isBackfill: isBackfill)
    }
}
