import Alarms
import Store
import Telemetry

/// Plays a period of the past against rules, as if they had watched it: what would have been an
/// alarm, and when.
///
/// The same fold as the gateway's own, over the stored scans, so that what it finds is what would
/// have been found. Nothing is written. What people did then is not repeated: an alarm that nobody
/// acknowledges stays in the list until it returns, and shelving is left out.
package struct AlarmReplay: Sendable {
    /// One alarm that was found.
    package struct Found: Hashable, Sendable {
        package var key: AlarmKey
        package var severity: String
        /// When it became an alarm, and when it returned; nil: it still stood at the end.
        package var raised: Timestamp
        package var returned: Timestamp?
        /// What it rested on when it was raised.
        package var evidence: AlarmEvidence
    }

    private let reader: StoreReader
    private let site: BoundSite

    package init(reader: StoreReader, site: BoundSite) {
        self.reader = reader
        self.site = site
    }

    /// Readings that are looked at before `from`, so that windows are full when it begins.
    private static let lead = Duration.seconds(86_400)
    /// One step of the fold: rows of the journal are about that long.
    private static let step = Duration.seconds(10)
    /// So much of every group is read at once.
    private static let page = Duration.seconds(21_600)

    /// - Parameters:
    ///   - rules: those to play; what is not enabled is left out.
    ///   - onProgress: told the share that is done, 0 to 1.
    /// - Throws: `StoreError`, `CancellationError`.
    package func run(
        _ rules: [AlarmRule], from: Timestamp, to: Timestamp,
        onProgress: (Double) -> Void = { _ in }
    ) async throws -> [Found] {
        let groups = try await reader.registry().groups
        var machine = EvaluationMachine(
            groups: groups,
            alarms: AlarmFold(rules: rules, site: site.alarmSite(groups: groups)),
            calendar: site.calendar, selections: OwedSelections([]), keepsMinutes: false)
        var found = FoundAlarms(from: from)
        var time = from - Self.lead
        var sequence: Int64 = 0
        while time < to {
            try Task.checkCancellation()
            let end = min(time + Self.page, to)
            var scans: [Scan] = []
            for group in groups {
                scans += try await reader.scans(group: group.id, from: time, to: end, limit: .max)
            }
            scans.sort { ($0.time, $0.group, $0.sequence) < ($1.time, $1.group, $1.sequence) }
            var next = scans.startIndex
            while time < end {
                let until = min(time + Self.step, end)
                var row: [Scan] = []
                while next < scans.endIndex, scans[next].time < until {
                    row.append(scans[next])
                    next += 1
                }
                sequence += 1
                let clock = ClockReading(
                    bootID: "replay", monotonic: until.milliseconds, wall: until, isTrusted: true)
                machine.handle(
                    JournalRow(sequence: sequence, clock: clock, scans: row, deliveries: []))
                machine.forgetDue()
                found.take(machine.takeEffects().transitions)
                time = until
            }
            onProgress(Double((time - from).milliseconds) / Double((to - from).milliseconds))
        }
        onProgress(1)
        return found.alarms
    }
}

/// Alarms as their transitions make them.
private struct FoundAlarms {
    let from: Timestamp
    private(set) var alarms: [AlarmReplay.Found] = []
    private var places: [AlarmKey: Int] = [:]

    init(from: Timestamp) { self.from = from }

    mutating func take(_ changes: [AlarmTransition]) {
        for change in changes {
            let key = AlarmKey(rule: change.rule, series: change.series, onset: change.onset)
            switch change.to {
            case .activeUnacknowledged where places[key] == nil && change.time >= from:
                places[key] = alarms.count
                alarms.append(
                    AlarmReplay.Found(
                        key: key, severity: change.severity, raised: change.time, returned: nil,
                        evidence: change.evidence))
            case .returnedUnacknowledged, .normal, .latched:
                if let place = places[key], alarms[place].returned == nil {
                    alarms[place].returned = change.time
                }
            default: continue
            }
        }
    }
}
