import Alarms
import Store
import Telemetry

/// Folds a stopped gateway's raw data into rollups again and compares them with the stored ones.
///
/// What differs gets the next revision. Alarms are not repeated, nothing is sent; only on demand
/// are the differing items owed to the uplinks again. The evaluation's checkpoint stays as it is.
package struct Replay {
    /// What a replay does with what it finds.
    package struct Options: Sendable {
        /// nil: from the first raw scan of each group; up to the last closed bucket.
        package var from: Timestamp?
        package var to: Timestamp?
        /// Compare, and change nothing.
        package var isDry = false
        /// Owe what differs to the uplinks again.
        package var resends = false
        /// Believe raw data that holds fewer readings than a rollup counted.
        package var believesFewer = false
        package init() {}
    }

    /// What came of one group at one resolution.
    package struct Line: Hashable, Sendable {
        package var group: ScanGroup
        package var resolution: Resolution
        /// From the first bucket that was compared to the end of the last.
        package var range: Range<Timestamp>
        package var compared: Int
        package var changed: Int
        /// Differing, and left because the raw data holds fewer readings than they counted.
        package var kept: Int
    }

    private let store: Store
    private let calendar: SiteCalendar
    private let selections: [OwedSelection]
    private let options: Options
    private let dueFolds: DueFolds

    /// - Parameter selections: what the uplinks want; needed only to send again.
    package init(
        store: Store, calendar: SiteCalendar, selections: [OwedSelection] = [],
        options: Options = Options()
    ) {
        self.store = store
        self.calendar = calendar
        self.selections = selections
        self.options = options
        dueFolds = DueFolds(
            reader: store.reader, calendar: calendar, believesFewer: options.believesFewer)
    }

    /// Buckets that are folded between two reports of progress.
    private static let bucketsPerStep = 96

    /// - Parameter onProgress: told the share that is done, 0 to 1.
    /// - Returns: in order of the groups; empty when nothing has been evaluated here yet.
    /// - Throws: what the store reported, or that its checkpoint cannot be read.
    package func run(onProgress: (Double) -> Void = { _ in }) async throws -> [Line] {
        guard let checkpoint = try await store.reader.checkpoint() else { return [] }
        let groups = try await store.reader.registry().groups
        let state = try Evaluation.state(of: checkpoint)
        var machine = EvaluationMachine(
            groups: groups, rules: [], calendar: calendar, selections: selections,
            keepsMinutes: state.folds.values.contains {
                $0.lanes.contains { $0.resolution == .minute }
            })
        machine.restore(state, cursor: checkpoint.cursor)
        machine.forgetDue()
        var lines: [Line] = []
        for (place, group) in groups.enumerated() {
            let share = { (inside: Double) in
                onProgress((Double(place) + inside) / Double(max(1, groups.count)))
            }
            lines += try await compared(group, &machine, share)
        }
        onProgress(1)
        return lines
    }

    private func compared(
        _ group: ScanGroup, _ machine: inout EvaluationMachine, _ onProgress: (Double) -> Void
    ) async throws -> [Line] {
        guard let fold = machine.folds[group.id], let from = try await begin(of: group) else {
            return []
        }
        var lines: [Line] = []
        for (place, lane) in fold.lanes.enumerated() {
            // Minutes that were not folded before the lane began are in no row.
            let far = max(from, options.from ?? from)
            guard let closedUntil = lane.closedUntil else { continue }
            let first = far.slot(every: lane.resolution.nominal)
            let end = min(closedUntil, options.to ?? closedUntil)
                .slot(every: lane.resolution.nominal)
            guard first < end else { continue }
            let before = machine.tally
            var at = first
            while at < end {
                let next = min(end, at + lane.resolution.nominal * Self.bucketsPerStep)
                machine.add([DueFold(group.id, lane.resolution, at..<next)])
                // What lies above is compared as a whole, below.
                try await dueFolds.refold(&machine)
                try await store(&machine)
                at = next
                let done = Double((at - first).milliseconds) / Double((end - first).milliseconds)
                onProgress((Double(place) + done) / Double(fold.lanes.count + 1))
            }
            lines.append(
                line(group, lane.resolution, first..<end, before, machine.tally))
        }
        machine.forgetDue()
        for resolution in [Resolution.hour, .day] {
            let before = machine.tally
            var bucket = Bucket(
                resolution, containing: max(from, options.from ?? from), calendar: calendar)
            let first = bucket.start
            while machine.hasClosed(bucket, of: group.id),
                options.to.map({ bucket.start < $0 }) ?? true
            {
                machine.add([DueFold(group.id, bucket)])
                bucket = bucket.next(calendar: calendar)
            }
            guard first < bucket.start else { continue }
            while !machine.due(fromSamples: false).isEmpty {
                try await dueFolds.merge(&machine)
                try await store(&machine)
            }
            lines.append(line(group, resolution, first..<bucket.start, before, machine.tally))
        }
        return lines
    }

    private func line(
        _ group: ScanGroup, _ resolution: Resolution, _ range: Range<Timestamp>,
        _ before: EvaluationMachine.Tally, _ after: EvaluationMachine.Tally
    ) -> Line {
        Line(
            group: group, resolution: resolution, range: range,
            compared: after.compared - before.compared, changed: after.changed - before.changed,
            kept: after.kept - before.kept)
    }

    private func store(_ machine: inout EvaluationMachine) async throws {
        var effects = machine.takeEffects()
        if options.isDry { return }
        if !options.resends { effects.owed = [] }
        try await store.writer.apply(effects)
    }

    /// Where the raw data of a group begins to be whole; nil without any.
    ///
    /// Where older rollups exist, the raw data before the first scan is gone: what a counter counted
    /// up to it is in the first bucket and cannot be folded again, so that bucket is left out.
    private func begin(of group: ScanGroup) async throws -> Timestamp? {
        let first = try await store.reader.scans(
            group: group.id, from: Timestamp(milliseconds: 0),
            to: Timestamp(milliseconds: 1 << 52), limit: 1
        ).first?.time
        guard let first, let series = group.series.first?.number else { return nil }
        let quarter = Bucket(.quarterHour, containing: first, calendar: .utc)
        let spans: [(Resolution, Duration)] = [
            (.quarterHour, .seconds(86_400)), (.hour, .seconds(31 * 86_400)),
            (.day, .seconds(400 * 86_400)),
        ]
        for (resolution, span) in spans {
            let own = Bucket(resolution, containing: quarter.start, calendar: calendar).start
            let older = try await store.reader.rollups(
                series: series, resolution: resolution, from: own - span, to: own)
            if !older.isEmpty { return quarter.end }
        }
        return first
    }
}
