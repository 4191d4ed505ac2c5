import LocatedText
import Telemetry

/// All rules on all series of a site, as one synchronous machine: inputs in order, transitions out.
///
/// The same inputs in the same order give the same transitions, so that a replay from a stored
/// state repeats them one for one. Memory is bounded: one monitor for each rule and series, with at
/// most 20,000 readings in a window.
package struct AlarmMachine: Sendable {
    /// Scans and buckets that were too old to be judged by some rule.
    package private(set) var lateScans = 0
    /// Readings that left a window early because it was full.
    package var droppedReadings: Int { monitors.reduce(0) { $0 + $1.droppedReadings } }
    /// Where rules and series do not fit; such a pair is not watched.
    package let bindingFaults: [Fault]
    /// Devices that a rule passes by because they lack a point of their own.
    package let bindingRemarks: [Fault]

    /// A monitor that a scan group concerns, and what it takes of each scan.
    private struct Listener: Sendable {
        var monitor: Int
        var columns: [Column] = []
        /// Terms whose silence any good reading ends.
        var heard: [Int] = []
    }

    private struct Column: Sendable {
        var index: Int
        var term: Int
        var operand: Int
    }

    /// A monitor that judges the closed quarters of a series.
    private struct Quarter: Sendable {
        var monitor: Int
        var term: Int
        var operand: Int
    }

    private(set) var monitors: [AlarmMonitor]
    private let listeners: [ScanGroup.ID: [Listener]]
    private let quarters: [SeriesID: [Quarter]]
    private var foreign: [AlarmMonitor.State] = []
    /// Before this instant time alone changes nothing.
    private var quietUntil = Timestamp(milliseconds: .min)
    /// The newest instant to which time was let pass.
    private var tick: Timestamp?
    private var listensAnew = true
    /// Joint monitors whose newest instant is not judged yet.
    private var open: Set<Int> = []

    /// So long without a row of the journal, and the gateway itself was away.
    private static let longestTick = Duration.seconds(120)

    /// Only what is enabled watches.
    package init(rules: [AlarmRule], site: AlarmSite) {
        let binding = AlarmBinding(rules: rules.filter(\.isEnabled), site: site)
        bindingFaults = binding.faults
        bindingRemarks = binding.remarks
        monitors = binding.monitors
        var listeners: [ScanGroup.ID: [Int: Listener]] = [:]
        var quarters: [SeriesID: [Quarter]] = [:]
        for (position, monitor) in binding.monitors.enumerated() {
            for (number, term) in monitor.terms.enumerated() {
                if term.isInRollups {
                    for (operand, bound) in term.operands.enumerated() {
                        quarters[bound.series, default: []].append(
                            Quarter(monitor: position, term: number, operand: operand))
                    }
                    continue
                }
                for group in binding.groups(heardBy: term.term, monitor.state.series) {
                    var listener = listeners[group.id]?[position] ?? Listener(monitor: position)
                    if case .silence(.point) = term.term.measure {
                        let id = binding.id(
                            of: term.term.operand, monitor.rule, monitor.state.series)
                        for (index, series) in group.series.enumerated() where series.id == id {
                            listener.columns.append(Column(index: index, term: number, operand: 0))
                        }
                    } else {
                        listener.heard.append(number)
                    }
                    listeners[group.id, default: [:]][position] = listener
                }
                for (operand, bound) in term.operands.enumerated() {
                    for group in site.groups {
                        for (index, series) in group.series.enumerated()
                        where series.id == bound.series {
                            listeners[group.id, default: [:]][
                                position, default: Listener(monitor: position)
                            ].columns.append(Column(index: index, term: number, operand: operand))
                        }
                    }
                }
            }
        }
        var groupsOf: [Int: Int] = [:]
        for found in listeners.values {
            for position in found.keys { groupsOf[position, default: 0] += 1 }
        }
        for (position, count) in groupsOf where count > 1 {
            monitors[position].isJoint = !monitors[position].onlyListens
        }
        self.listeners = listeners.mapValues { $0.values.sorted { $0.monitor < $1.monitor } }
        self.quarters = quarters
    }

    /// A site of which nothing is known but its groups.
    package init(rules: [AlarmRule], groups: [ScanGroup], calendar: SiteCalendar = .utc) {
        self.init(rules: rules, site: AlarmSite(groups: groups, calendar: calendar))
    }

    /// Judges what one scan changes: all rules but those on the closed quarters of the store.
    package mutating func handle(_ scan: Scan) -> [AlarmTransition] {
        guard let listeners = listeners[scan.group] else { return [] }
        var out: [AlarmTransition] = []
        var isLate = false
        let isBackfill = scan.flags.contains(.backfill)
        for listener in listeners
        where listener.columns.isEmpty || listener.columns[0].index < scan.readings.count {
            if !handle(scan, listener, isBackfill: isBackfill, &out) { isLate = true }
        }
        if isLate { lateScans += 1 }
        return out
    }

    private mutating func handle(
        _ scan: Scan, _ listener: Listener, isBackfill: Bool, _ out: inout [AlarmTransition]
    ) -> Bool {
        let position = listener.monitor
        monitors[position].begin(scan.time, isBackfill: isBackfill, &out)
        for column in listener.columns where column.index < scan.readings.count {
            monitors[position].take(
                scan.readings[column.index], term: column.term, operand: column.operand,
                at: scan.time, isBackfill: isBackfill, &out)
        }
        if !listener.heard.isEmpty {
            let isGood = scan.readings.contains { $0.isGood }
            for term in listener.heard {
                monitors[position].state.terms[term].hear(
                    isGood, at: scan.time, isBackfill: isBackfill)
            }
        }
        let isJudged = monitors[position].judge(
            scanAt: scan.time, isBackfill: isBackfill, &out)
        if monitors[position].state.due != nil { open.insert(position) }
        if let deadline = monitors[position].nextDeadline { quietUntil = min(quietUntil, deadline) }
        // One group's sign of life is not late because another's was newer.
        return isJudged || monitors[position].onlyListens
    }

    /// Judges the rules on several scans, now that all that came together is taken in.
    ///
    /// Call it after the scans of each journal row, before `advance`.
    package mutating func endRow() -> [AlarmTransition] {
        if open.isEmpty { return [] }
        var out: [AlarmTransition] = []
        for position in open.sorted() {
            monitors[position].endRow(&out)
            if monitors[position].state.due == nil { open.remove(position) }
            if let deadline = monitors[position].nextDeadline {
                quietUntil = min(quietUntil, deadline)
            }
        }
        return out
    }

    /// Judges a closed quarter: rules on aligned windows of that length.
    ///
    /// A bucket that was judged before (a later revision) is only counted.
    package mutating func handle(
        _ rollup: Rollup, of series: Series, bucket: Bucket, isBackfill: Bool
    ) -> [AlarmTransition] {
        guard let found = quarters[series.id] else { return [] }
        var out: [AlarmTransition] = []
        var isLate = false
        for quarter in found {
            let isJudged = monitors[quarter.monitor].handle(
                rollup, bucket: bucket, term: quarter.term, operand: quarter.operand,
                isBackfill: isBackfill, &out)
            if !isJudged { isLate = true }
            if let deadline = monitors[quarter.monitor].nextDeadline {
                quietUntil = min(quietUntil, deadline)
            }
        }
        if isLate { lateScans += 1 }
        return out
    }

    /// Lets time pass without a scan: holds end, silence becomes silence, shelving is over, each
    /// when its deadline and the group's lateness are over. A transition bears its deadline's time.
    /// Call it after the scans of the same instant, at least every two minutes.
    package mutating func advance(to now: Timestamp) -> [AlarmTransition] {
        if let tick, now - tick > Self.longestTick {
            for position in monitors.indices { monitors[position].resumeListening(at: now) }
            quietUntil = Timestamp(milliseconds: .min)
        }
        tick = tick.map { max($0, now) } ?? now
        if listensAnew {
            listensAnew = false
            for position in monitors.indices where monitors[position].hasUnheardTerms {
                monitors[position].beginListening(at: now)
                quietUntil = Timestamp(milliseconds: .min)
            }
        }
        guard quietUntil <= now else { return [] }
        var out: [AlarmTransition] = []
        quietUntil = Timestamp(milliseconds: .max)
        for position in monitors.indices {
            monitors[position].advance(to: now, &out)
            if let deadline = monitors[position].nextDeadline {
                quietUntil = min(quietUntil, deadline)
            }
        }
        return out
    }

    /// The limits to draw in the chart of a series.
    package func limitLines(for series: SeriesID) -> [AlarmLimitLine] {
        monitors.filter { $0.state.series == series }.compactMap { monitor in
            let rule = monitor.rule
            guard case .term(let term) = rule.when, term.minus.isEmpty, term.times == nil,
                term.limit != nil, let bound = monitor.terms.first,
                let operand = bound.operands.first
            else { return nil }
            let isAbove = term.limit?.direction ?? true
            return AlarmLimitLine(
                rule: rule.name, title: rule.title, severity: rule.severity.rawValue,
                above: isAbove ? bound.test.limit : nil, below: isAbove ? nil : bound.test.limit,
                unit: operand.unit)
        }
    }

    // MARK: What people do

    /// Takes one instruction of a person; what it does not concern stays as it is.
    package mutating func handle(_ instruction: AlarmInstruction) -> [AlarmTransition] {
        var out: [AlarmTransition] = []
        let act = AlarmMonitor.Act(actor: instruction.actor, note: instruction.note)
        let time = instruction.time
        switch instruction.action {
        case .acknowledge(let key): out = acknowledge(key, at: time, by: act)
        case .shelve(let target, let until):
            let quiet = AlarmMonitor.Quiet(
                state: .shelved, until: until, actor: instruction.actor,
                reason: instruction.note ?? "", since: time)
            silence(target, quiet, at: time, by: act, &out)
        case .takeOut(let target):
            let quiet = AlarmMonitor.Quiet(
                state: .outOfService, until: nil, actor: instruction.actor,
                reason: instruction.note ?? "", since: time)
            silence(target, quiet, at: time, by: act, &out)
        case .unsilence(let target): silence(target, nil, at: time, by: act, &out)
        case .comment, .hazard: break
        }
        return out
    }

    private mutating func silence(
        _ target: AlarmTarget, _ quiet: AlarmMonitor.Quiet?, at time: Timestamp,
        by act: AlarmMonitor.Act, _ out: inout [AlarmTransition]
    ) {
        for position in monitors.indices where target.includes(monitors[position].state) {
            monitors[position].silence(quiet, at: time, by: act, &out)
            if let until = quiet?.until { quietUntil = min(quietUntil, until) }
        }
    }

    /// Acknowledges one alarm: active becomes acknowledged, returned and latched become normal.
    ///
    /// - Parameter alarmKey: `rule|series|onset`; an unknown one, or one that needs no
    ///   acknowledgement, changes nothing.
    package mutating func acknowledge(alarmKey: String, at time: Timestamp) -> [AlarmTransition] {
        guard let key = AlarmKey(alarmKey) else { return [] }
        return acknowledge(key, at: time, by: AlarmMonitor.Act())
    }

    private mutating func acknowledge(
        _ key: AlarmKey, at time: Timestamp, by act: AlarmMonitor.Act
    ) -> [AlarmTransition] {
        var out: [AlarmTransition] = []
        for position in monitors.indices
        where monitors[position].state.rule == key.rule
            && monitors[position].state.series == key.series
        {
            monitors[position].acknowledge(onset: key.onset, at: time, by: act, &out)
        }
        for position in foreign.indices
        where foreign[position].rule == key.rule && foreign[position].series == key.series {
            out += foreign[position].dismiss(key.onset, at: time, by: act)
        }
        return out
    }

    /// The keys of the alarms that a person should see, in order of the rules.
    package var openAlarmKeys: [String] {
        monitors.flatMap { monitor in
            monitor.openOnsets.map {
                AlarmKey(rule: monitor.state.rule, series: monitor.state.series, onset: $0).text
            }
        }
    }

    // MARK: The state

    /// Everything that decides what later inputs bring.
    package var state: AlarmMachineState {
        AlarmMachineState(
            lateScans: lateScans, tick: tick,
            monitors: monitors.map(\.state) + foreign.filter(\.isWorthKeeping))
    }

    /// Goes on from a stored state. What belongs to rules or series that are gone is kept aside and
    /// stored again, so that an alarm whose device comes back is still the same alarm.
    package mutating func restore(_ state: AlarmMachineState) {
        lateScans = state.lateScans
        tick = state.tick
        listensAnew = true
        quietUntil = Timestamp(milliseconds: .min)
        open = []
        foreign = []
        let places = Dictionary(
            monitors.enumerated().map { (Place($0.element.state), $0.offset) },
            uniquingKeysWith: { first, _ in first })
        for stored in state.monitors {
            if let position = places[Place(stored)] {
                monitors[position].restore(stored)
                if monitors[position].state.due != nil { open.insert(position) }
            } else if stored.isWorthKeeping {
                var kept = stored
                kept.terms = []
                foreign.append(kept)
            }
        }
    }

    private struct Place: Hashable {
        var rule: String
        var series: SeriesID

        init(_ state: AlarmMonitor.State) { (rule, series) = (state.rule, state.series) }
    }
}

/// The memory of an `AlarmMachine`, to be stored with the cursor up to which it has seen the journal.
package struct AlarmMachineState: Hashable, Sendable {
    var lateScans: Int
    /// The newest instant to which time was let pass.
    var tick: Timestamp?
    var monitors: [AlarmMonitor.State]
}

extension AlarmMonitor.State {
    /// Whether somebody would miss it: an alarm that is open, or a silence that somebody wanted.
    fileprivate var isWorthKeeping: Bool {
        phase != .normal && phase != .pending || !returned.isEmpty || quiet != nil
    }

    /// Acknowledges an alarm whose rule is gone: nobody else could ever close it.
    fileprivate mutating func dismiss(
        _ wanted: Timestamp, at time: Timestamp, by act: AlarmMonitor.Act
    ) -> [AlarmTransition] {
        func closed(_ from: AlarmState, _ evidence: AlarmEvidence) -> AlarmTransition {
            AlarmTransition(
                rule: rule, ruleVersion: version, severity: "info", series: series, onset: wanted,
                from: from, to: .normal, time: time, evidence: evidence, isBackfill: false,
                actor: act.actor, note: act.note)
        }
        if onset == wanted, let evidence {
            defer { (phase, shown, onset) = (.normal, .normal, nil) }
            return [closed(shown, evidence)]
        }
        guard let index = returned.firstIndex(where: { $0.onset == wanted }) else { return [] }
        let alarm = returned.remove(at: index)
        return [closed(.returnedUnacknowledged, alarm.evidence)]
    }
}
