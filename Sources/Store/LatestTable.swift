import Telemetry

/// The newest reading of every column of every group, by time of the data.
struct LatestTable: Sendable {
    private struct Entry: Sendable {
        var newest: Timestamp
        /// Those of the newest scan, shared with it.
        var readings: [Reading]
        /// The last good values of the columns whose newest reading is bad.
        var good: [Int: (time: Timestamp, value: Value)] = [:]

        func good(_ column: Int) -> (time: Timestamp, value: Value)? {
            readings[column].value.map { (newest, $0) } ?? good[column]
        }
    }

    private var groups: [ScanGroup.ID: Entry] = [:]

    /// Takes a scan in; an older one than the newest of its group changes nothing.
    mutating func add(_ scan: Scan) {
        var entry = Entry(newest: scan.time, readings: scan.readings)
        if let before = groups[scan.group] {
            guard scan.time >= before.newest, before.readings.count == scan.readings.count else {
                return
            }
            for (column, reading) in scan.readings.enumerated() {
                if case .bad = reading { entry.good[column] = before.good(column) }
            }
        }
        groups[scan.group] = entry
    }

    /// The time of the newest scan of a group; nil when none is remembered.
    func newest(of group: ScanGroup.ID) -> Timestamp? { groups[group]?.newest }

    /// By series number; where two groups hold a series, the newer reading.
    func bySeries(_ registry: Registry) -> [Int: LatestReading] {
        var result: [Int: LatestReading] = [:]
        for group in registry.superseded + registry.groups {
            guard let entry = groups[group.id] else { continue }
            for (column, series) in group.series.enumerated()
            where column < entry.readings.count {
                var reading = LatestReading(time: entry.newest, reading: entry.readings[column])
                (reading.goodTime, reading.goodValue) =
                    entry.good(column).map { ($0.time, $0.value) } ?? (nil, nil)
                if let other = result[series.number], other.time > reading.time { continue }
                result[series.number] = reading
            }
        }
        return result
    }
}
