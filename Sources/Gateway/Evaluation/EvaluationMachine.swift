import Alarms
import Store
import Telemetry

/// What an uplink wants to be told of, as far as the fold needs to know.
package struct OwedSelection: Codable, Hashable, Sendable {
    package var uplink: String
    package var resolution: Resolution

    package init(uplink: String, resolution: Resolution) {
        self.uplink = uplink
        self.resolution = resolution
    }
}

/// The deterministic fold of the journal: rows in; closed buckets, alarm transitions and owed
/// items out.
///
///     journal row ──handle──▶ GroupFold (one for each group) ──close──▶ rollups, owed items
///                        └──▶ AlarmMachine ──▶ transitions
///                        └──▶ due folds: buckets that a late scan or a gap has changed
///
/// Time comes only from the rows. Restart = restore the state of a checkpoint, fold forward.
package struct EvaluationMachine: Sendable {
    /// The volatile state; written with every effect, in one transaction.
    struct State: Codable, Sendable {
        var folds: [Int: GroupFold] = [:]
        var due: Set<DueFold> = []
        /// Instants at which a scan came later than a newer one of its group.
        var late: Set<LateScan> = []
        var alarms: AlarmMachineState
    }

    struct LateScan: Codable, Hashable, Sendable {
        var group: ScanGroup.ID
        var time: Timestamp
    }

    /// The version of the checkpoint's blob.
    package static let stateVersion = 1

    let groups: [ScanGroup.ID: ScanGroup]
    private let calendar: SiteCalendar
    private let selections: [OwedSelection]
    private var alarms: AlarmMachine
    private(set) var folds: [ScanGroup.ID: GroupFold] = [:]
    private(set) var due: Set<DueFold> = []
    private(set) var late: Set<LateScan> = []
    private(set) var pending = EvaluationEffects()
    /// The sequence of the newest row taken in.
    package private(set) var cursor: Int64 = 0

    package init(
        groups: [ScanGroup], rules: [AlarmRule], calendar: SiteCalendar,
        selections: [OwedSelection]
    ) {
        self.groups = Dictionary(uniqueKeysWithValues: groups.map { ($0.id, $0) })
        self.calendar = calendar
        self.selections = selections
        alarms = AlarmMachine(rules: rules, groups: groups, calendar: calendar)
    }

    /// Whether something waits to be stored.
    var hasEffects: Bool {
        !pending.rollups.isEmpty || !pending.transitions.isEmpty || !pending.owed.isEmpty
    }

    /// Begins after `cursor` without the state that belonged to it.
    mutating func skip(to cursor: Int64) { self.cursor = cursor }

    /// Takes one journal row in.
    package mutating func handle(_ row: JournalRow) {
        precondition(row.sequence > cursor, "journal rows are folded once and in order")
        cursor = row.sequence
        for scan in row.scans { take(scan, wall: row.clock.wall) }
        let wall = row.clock.isTrusted ? row.clock.wall : nil
        for (id, group) in groups.sorted(by: { $0.key < $1.key }) {
            guard var fold = folds.removeValue(forKey: id) else { continue }
            let result = fold.close(group, wall: wall)
            folds[id] = fold
            due.formUnion(result.due)
            for closed in result.closed { settle(closed, of: group) }
        }
        if let wall { pending.transitions += alarms.advance(to: wall) }
    }

    private mutating func take(_ scan: Scan, wall: Timestamp) {
        // A group that is configured no longer, or a row of another shape, has nobody to tell.
        guard let group = groups[scan.group], scan.readings.count == group.series.count else {
            return
        }
        var fold = folds.removeValue(forKey: scan.group) ?? GroupFold()
        let result = fold.take(scan, in: group, wall: wall)
        // While history is folded one row holds many minutes, so what is complete closes at once.
        let closed = fold.close(group, wall: nil)
        folds[scan.group] = fold
        due.formUnion(result.due)
        due.formUnion(closed.due)
        for bucket in closed.closed { settle(bucket, of: group) }
        if result.isLate { late.insert(LateScan(group: scan.group, time: scan.time)) }
        pending.transitions += alarms.handle(scan)
    }

    private mutating func settle(_ closed: GroupFold.Closed, of group: ScanGroup) {
        if closed.isDisordered {
            due.insert(
                DueFold(
                    group: group.id, resolution: closed.bucket.resolution,
                    start: closed.bucket.start))
        } else {
            record(closed.rollups, of: group, bucket: closed.bucket, revision: 0)
        }
        guard closed.bucket.resolution == .quarterHour else { return }
        for (series, rollup) in zip(group.series, closed.rollups) {
            pending.transitions += alarms.handle(
                rollup, of: series, bucket: closed.bucket, isBackfill: closed.isBackfill)
        }
        for resolution in [Resolution.hour, .day] {
            let coarse = Bucket(resolution, containing: closed.bucket.start, calendar: calendar)
            if coarse.end == closed.bucket.end {
                due.insert(
                    DueFold(group: group.id, resolution: resolution, start: coarse.start))
            }
        }
    }

    /// Notes the rollups of one bucket of one group, and that it is owed to the uplinks.
    mutating func record(
        _ rollups: [Rollup], of group: ScanGroup, bucket: Bucket, revision: Int
    ) {
        let isSilent = rollups.allSatisfy {
            $0.count == 0 && $0.bad == 0 && $0.increase == nil && ($0.expected ?? 0) == 0
        }
        if isSilent { return }
        for (series, rollup) in zip(group.series, rollups) {
            pending.rollups.append(
                RollupRecord(
                    series: series.number, bucket: bucket, rollup: rollup, revision: revision))
        }
        for selection in selections where selection.resolution == bucket.resolution {
            pending.owed.append(
                OwedItem(
                    uplink: selection.uplink, kind: "rollup/\(bucket.resolution.rawValue)",
                    scope: group.scope, start: bucket.start, revision: revision,
                    due: bucket.end))
        }
    }

    /// Whether a quarter that begins here has closed already, so that its hour must follow it.
    func hasClosed(_ bucket: Bucket, of group: ScanGroup.ID) -> Bool {
        let until = folds[group]?.lanes.first { $0.resolution == .quarterHour }?.closedUntil
        return until.map { bucket.end <= $0 } ?? false
    }

    mutating func remove(_ folds: some Sequence<DueFold>) { due.subtract(folds) }
    mutating func add(_ folds: some Sequence<DueFold>) { due.formUnion(folds) }
    mutating func removeLate(_ scans: some Sequence<LateScan>) { late.subtract(scans) }

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
            due: due, late: late, alarms: alarms.state)
    }

    /// Goes back to where a checkpoint was written.
    mutating func restore(_ state: State, cursor: Int64) {
        folds = Dictionary(
            uniqueKeysWithValues: state.folds.map { (ScanGroup.ID($0.key), $0.value) })
        due = state.due
        late = state.late
        alarms.restore(state.alarms)
        self.cursor = cursor
    }
}
