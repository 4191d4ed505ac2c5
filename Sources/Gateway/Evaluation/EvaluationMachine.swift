import Alarms
import Store
import Telemetry

/// The deterministic fold of the journal: rows in; closed buckets, alarm transitions and owed
/// items out.
///
///     journal row ──handle──▶ GroupFold (one for each group) ──close──▶ rollups, owed items
///                        └──▶ AlarmMachine ──▶ transitions
///                        └──▶ due folds: buckets that a late scan or a gap has changed
///
/// Time comes only from the rows. Restart = restore the state of a checkpoint, fold forward.
package struct EvaluationMachine: Sendable {
    /// The volatile state. `EvaluationState+Coding` draws how it is stored.
    struct State: Hashable, Sendable {
        var folds: [Int: GroupFold] = [:]
        var due: Set<DueFold> = []
        /// Instants at which a scan came later than a newer one of its group.
        var late: Set<LateScan> = []
        var alarms: AlarmFold.State
        /// The lift detectors' states by the numbers of their groups, as they encode themselves.
        var cranes: [Int: [UInt8]] = [:]
    }

    struct LateScan: Hashable, Sendable {
        var group: ScanGroup.ID
        var time: Timestamp
    }

    /// What came of the buckets that were looked back on, since the start.
    struct Tally: Hashable, Sendable {
        var compared = 0
        var changed = 0
        /// Left as they are, because the raw data holds fewer readings than they counted.
        var kept = 0
    }

    let groups: [ScanGroup.ID: ScanGroup]
    private let order: [ScanGroup]
    private let calendar: SiteCalendar
    private let selections: OwedSelections
    /// Whether minutes are folded, whatever the uplinks want; nil: as they want.
    private let keepsMinutes: Bool?
    private var alarms: AlarmFold
    private var cranes: CraneFold
    private(set) var folds: [ScanGroup.ID: GroupFold] = [:]
    /// Before this instant the clock changes no fold, so only those that got scans are looked at.
    private var quietUntil = Timestamp(milliseconds: .min)
    private(set) var due: Set<DueFold> = []
    private(set) var late: Set<LateScan> = []
    private(set) var pending = EvaluationEffects()
    var tally = Tally()
    /// The newest trusted wall time of a row taken in; nil while the clock is not trusted.
    private(set) var trustedWall: Timestamp?
    /// The sequence of the newest row taken in.
    package private(set) var cursor: Int64 = 0

    /// - Parameters:
    ///   - selections: what the uplinks want; may change while the machine runs.
    ///   - keepsMinutes: nil: where an uplink wants them.
    package init(
        groups: [ScanGroup], alarms: AlarmFold, cranes: CraneFold = CraneFold(),
        calendar: SiteCalendar, selections: OwedSelections, keepsMinutes: Bool? = nil
    ) {
        self.cranes = cranes
        self.groups = Dictionary(uniqueKeysWithValues: groups.map { ($0.id, $0) })
        order = groups.sorted { $0.id < $1.id }
        self.calendar = calendar
        self.selections = selections
        self.keepsMinutes = keepsMinutes
        self.alarms = alarms
    }

    /// A site of which nothing is known but its groups.
    package init(
        groups: [ScanGroup], rules: [AlarmRule], calendar: SiteCalendar,
        selections: [OwedSelection], keepsMinutes: Bool? = nil
    ) {
        self.init(
            groups: groups,
            alarms: AlarmFold(rules: rules, site: AlarmSite(groups: groups, calendar: calendar)),
            calendar: calendar, selections: OwedSelections(selections),
            keepsMinutes: keepsMinutes)
    }

    /// What is folded from samples. Minutes only where an uplink asks for them: a row a minute for
    /// each series wears flash, and whoever looks at a chart gets them from the samples.
    private func resolutions(of group: ScanGroup) -> [Resolution] {
        let wantsMinutes = keepsMinutes ?? selections.wantMinutes(of: group)
        return wantsMinutes ? [.minute, .quarterHour] : [.quarterHour]
    }

    /// Whether something waits to be stored.
    var hasEffects: Bool {
        !pending.rollups.isEmpty || !pending.owed.isEmpty || !pending.craneRecords.isEmpty
            || isUrgent
    }

    /// Whether something waits of which people should know at once.
    var isUrgent: Bool {
        !pending.transitions.isEmpty || !pending.instructions.isEmpty || !pending.notices.isEmpty
    }

    /// Whether so much waits that it should be stored before more rows are taken in.
    var isFull: Bool { pending.rollups.count >= 5000 || late.count >= 5000 }

    /// Begins after `cursor` without the state that belonged to it.
    mutating func skip(to cursor: Int64) { self.cursor = cursor }

    /// Takes one journal row in.
    package mutating func handle(_ row: JournalRow) {
        precondition(row.sequence > cursor, "journal rows are folded once and in order")
        cursor = row.sequence
        for scan in row.scans { take(scan, wall: row.clock.wall) }
        let wall = row.clock.isTrusted ? row.clock.wall : nil
        trustedWall = wall
        if let wall, wall < quietUntil {
            for id in Set(row.scans.map(\.group)).sorted() {
                if let group = groups[id] { close(group, wall: wall) }
            }
        } else {
            quietUntil = Timestamp(milliseconds: .max)
            for group in order { close(group, wall: wall) }
        }
        let found = alarms.endRow(now: wall)
        pending.transitions += found.transitions
        pending.instructions += found.instructions
        pending.notices += found.notices
        pending.owed += found.owed
        pending.craneRecords += cranes.endRow(now: wall)
    }

    private mutating func close(_ group: ScanGroup, wall: Timestamp?) {
        guard var fold = folds.removeValue(forKey: group.id) else { return }
        let result = fold.close(group, wall: wall)
        quietUntil = min(quietUntil, fold.quietUntil(group))
        folds[group.id] = fold
        settle(result, of: group)
    }

    private mutating func take(_ scan: Scan, wall: Timestamp) {
        // A group that is configured no longer, or a row of another shape, has nobody to tell.
        guard let group = groups[scan.group], scan.readings.count == group.series.count else {
            return
        }
        alarms.take(scan)
        if alarms.isOperators(scan.group) { return }
        cranes.take(scan)
        var fold = folds.removeValue(forKey: scan.group) ?? GroupFold(resolutions(of: group))
        // After a long silence what was open closes as it stood, so that it is judged by the rules.
        let past = fold.isFarBehind(scan.time) ? fold.close(group, now: scan.time) : ([], [])
        let result = fold.take(scan, in: group, wall: wall)
        // While history is folded one row holds many minutes, so what is complete closes at once.
        let closed = fold.close(group, wall: nil)
        folds[scan.group] = fold
        settle(past, of: group)
        due.formUnion(result.due)
        settle(closed, of: group)
        if result.isLate { late.insert(LateScan(group: scan.group, time: scan.time)) }
    }

    private mutating func settle(
        _ result: (closed: [GroupFold.Closed], due: [DueFold]), of group: ScanGroup
    ) {
        due.formUnion(result.due)
        for closed in result.closed { settle(closed, of: group) }
    }

    private mutating func settle(_ closed: GroupFold.Closed, of group: ScanGroup) {
        if closed.isDisordered {
            due.insert(DueFold(group.id, closed.bucket))
        } else {
            record(closed.rollups, of: group, bucket: closed.bucket, revision: 0)
        }
        guard closed.bucket.resolution == .quarterHour else { return }
        for (series, rollup) in zip(group.series, closed.rollups) {
            alarms.take(rollup, of: series, bucket: closed.bucket, isBackfill: closed.isBackfill)
        }
        for resolution in [Resolution.hour, .day] {
            let coarse = Bucket(resolution, containing: closed.bucket.start, calendar: calendar)
            if coarse.end == closed.bucket.end { due.insert(DueFold(group.id, coarse)) }
        }
    }

    /// Notes the rollups of one bucket of one group, and that it is owed to the uplinks.
    mutating func record(
        _ rollups: [Rollup], of group: ScanGroup, bucket: Bucket, revision: Int
    ) {
        if rollups.allSatisfy(\.isSilent) { return }
        for (series, rollup) in zip(group.series, rollups) {
            pending.rollups.append(
                RollupRecord(
                    series: series.number, bucket: bucket, rollup: rollup, revision: revision))
        }
        // What the gateway says of itself is no device's reading, and no platform's business.
        if BoundSite.ownDevices.contains(group.device) { return }
        for selection in selections.all {
            pending.owed += selection.items(
                of: group, bucket: bucket, revision: revision, calendar: calendar)
        }
    }

    /// Whether a quarter that begins here has closed already, so that its hour must follow it.
    func hasClosed(_ bucket: Bucket, of group: ScanGroup.ID) -> Bool {
        let until = folds[group]?.lanes.first { $0.resolution == .quarterHour }?.closedUntil
        return until.map { bucket.end <= $0 } ?? false
    }

    /// What is due from samples, or from quarters, in order and in as few pieces as possible.
    func due(fromSamples: Bool) -> [DueFold] {
        DueFold.joined(due.filter { ($0.resolution.finer == nil) == fromSamples })
    }

    mutating func add(_ folds: some Sequence<DueFold>) { due.formUnion(folds) }
    mutating func removeLate() { late = [] }

    /// Lets go of what is due, which the store still has on record.
    mutating func forgetDue() { (due, late) = ([], []) }

    /// Notes that a part of what was due is done.
    mutating func remove(_ done: DueFold) {
        for fold in due
        where fold.group == done.group && fold.resolution == done.resolution
            && fold.from < done.to && done.from < fold.to
        {
            due.remove(fold)
            if fold.from < done.from {
                due.insert(DueFold(fold.group, fold.resolution, fold.from..<done.from))
            }
            if done.to < fold.to {
                due.insert(DueFold(fold.group, fold.resolution, done.to..<fold.to))
            }
        }
    }

    /// Hands over what waits to be stored.
    mutating func takeEffects() -> EvaluationEffects {
        defer { pending = EvaluationEffects() }
        return pending
    }
}

extension EvaluationMachine {
    var state: State {
        State(
            folds: Dictionary(uniqueKeysWithValues: folds.map { ($0.key.number, $0.value) }),
            due: due, late: late, alarms: alarms.state, cranes: cranes.state)
    }

    /// Goes back to where a checkpoint was written.
    ///
    /// - Returns: the groups whose open buckets do not fit the site any more and begin anew.
    @discardableResult
    mutating func restore(_ state: State, cursor: Int64) -> [ScanGroup.ID] {
        folds = [:]
        quietUntil = Timestamp(milliseconds: .min)
        var unfit: [ScanGroup.ID] = []
        for (number, var fold) in state.folds {
            let id = ScanGroup.ID(number)
            if let group = groups[id], !fold.fits(columns: group.series.count) {
                unfit.append(id)
                continue
            }
            fold.keep(groups[id].map(resolutions) ?? [.quarterHour])
            folds[id] = fold
        }
        due = state.due.filter {
            $0.resolution.finer != nil
                || groups[$0.group].map { resolutions(of: $0) }?.contains($0.resolution) ?? false
        }
        late = state.late
        alarms.restore(state.alarms)
        cranes.restore(state.cranes)
        self.cursor = cursor
        return unfit.sorted()
    }
}
