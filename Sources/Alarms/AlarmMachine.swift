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

    private struct Column {
        let index: Int
        let monitor: Int
    }

    private var monitors: [AlarmMonitor]
    private let columns: [ScanGroup.ID: [Column]]
    /// Aligned monitors by the series whose buckets they judge.
    private let aligned: [SeriesID: [Int]]
    private var foreign: [AlarmMonitor.State] = []

    /// - Parameters:
    ///   - groups: as registered; a series that stands in several groups is watched once.
    ///   - calendar: turns the days of a rule's validity into instants.
    package init(rules: [AlarmRule], groups: [ScanGroup], calendar: SiteCalendar = .utc) {
        let binding = AlarmBinding(rules: rules, groups: groups, calendar: calendar)
        bindingFaults = binding.faults
        monitors = binding.monitors
        var columns: [ScanGroup.ID: [Column]] = [:]
        var aligned: [SeriesID: [Int]] = [:]
        for (position, monitor) in binding.monitors.enumerated() {
            if case .window(let window) = monitor.rule.input, window.kind == .aligned {
                aligned[monitor.state.series, default: []].append(position)
                continue
            }
            for group in groups {
                for (index, series) in group.series.enumerated()
                where series.id == monitor.state.series {
                    columns[group.id, default: []].append(Column(index: index, monitor: position))
                }
            }
        }
        self.columns = columns
        self.aligned = aligned
    }

    /// Judges what one scan changes: rules on readings and on rolling windows.
    package mutating func handle(_ scan: Scan) -> [AlarmTransition] {
        guard let columns = columns[scan.group] else { return [] }
        var out: [AlarmTransition] = []
        var isLate = false
        let isBackfill = scan.flags.contains(.backfill)
        for column in columns where column.index < scan.readings.count {
            let isJudged = monitors[column.monitor].handle(
                scan.readings[column.index], at: scan.time, isBackfill: isBackfill, &out)
            if !isJudged { isLate = true }
        }
        if isLate { lateScans += 1 }
        return out
    }

    /// Judges a closed bucket: rules on aligned windows of the bucket's length.
    ///
    /// A bucket that was judged before (a later revision) is only counted.
    package mutating func handle(
        _ rollup: Rollup, of series: Series, bucket: Bucket, isBackfill: Bool
    ) -> [AlarmTransition] {
        guard let positions = aligned[series.id] else { return [] }
        var out: [AlarmTransition] = []
        var isLate = false
        for position in positions {
            guard case .window(let window) = monitors[position].rule.input,
                window.over == bucket.resolution.nominal
            else { continue }
            let isJudged = monitors[position].handle(
                rollup, bucket: bucket, window: window, isBackfill: isBackfill, &out)
            if !isJudged { isLate = true }
        }
        if isLate { lateScans += 1 }
        return out
    }

    /// Lets time pass without a scan: a hold ends when its deadline and the group's lateness are
    /// over. The transition bears the deadline's time. Call it after the scans of the same instant.
    package mutating func advance(to now: Timestamp) -> [AlarmTransition] {
        var out: [AlarmTransition] = []
        for position in monitors.indices where monitors[position].state.phase == .pending {
            monitors[position].advance(to: now, &out)
        }
        return out
    }

    /// Acknowledges one alarm: active becomes acknowledged, returned becomes normal.
    ///
    /// - Parameter alarmKey: `rule|series|onset`; an unknown one, or one that needs no
    ///   acknowledgement, changes nothing.
    package mutating func acknowledge(alarmKey: String, at time: Timestamp) -> [AlarmTransition] {
        var out: [AlarmTransition] = []
        for position in monitors.indices {
            let state = monitors[position].state
            let prefix = "\(state.rule)|\(state.series)|"
            guard alarmKey.hasPrefix(prefix),
                let onset = Int64(alarmKey.dropFirst(prefix.count))
            else { continue }
            monitors[position].acknowledge(
                onset: Timestamp(milliseconds: onset), at: time, &out)
        }
        return out
    }

    /// The keys of the alarms that a person should see, in order of the rules.
    package var openAlarmKeys: [String] {
        monitors.flatMap { monitor in
            monitor.openOnsets.map {
                "\(monitor.state.rule)|\(monitor.state.series)|\($0.milliseconds)"
            }
        }
    }

    /// The limits to draw in the chart of a series.
    package func limitLines(for series: SeriesID) -> [AlarmLimitLine] {
        monitors.filter { $0.state.series == series }.map { monitor in
            let rule = monitor.rule
            return AlarmLimitLine(
                rule: rule.name, title: rule.title, severity: rule.severity.rawValue,
                above: rule.direction == .above ? rule.limit : nil,
                below: rule.direction == .below ? rule.limit : nil, unit: monitor.unit)
        }
    }

    /// Everything that decides what later inputs bring.
    package var state: AlarmMachineState {
        AlarmMachineState(lateScans: lateScans, monitors: monitors.map(\.state) + foreign)
    }

    /// Goes on from a stored state. What belongs to rules or series that are gone is kept aside and
    /// stored again, so that an alarm whose device comes back is still the same alarm.
    package mutating func restore(_ state: AlarmMachineState) {
        lateScans = state.lateScans
        foreign = []
        for stored in state.monitors {
            let position = monitors.firstIndex {
                $0.state.rule == stored.rule && $0.state.series == stored.series
            }
            if let position {
                monitors[position].restore(stored)
            } else if stored.phase.isOpen || !stored.returned.isEmpty {
                var kept = stored
                kept.window = nil
                foreign.append(kept)
            }
        }
    }
}

/// The memory of an `AlarmMachine`, to be stored with the cursor up to which it has seen the journal.
package struct AlarmMachineState: Hashable, Sendable, Codable {
    var lateScans: Int
    var monitors: [AlarmMonitor.State]
}
