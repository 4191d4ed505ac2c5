import Telemetry

/// The newest reading of every column of every group, by time of the data.
struct LatestTable: Sendable {
    private struct Entry: Sendable {
        var newest: Timestamp
        var columns: [LatestReading?]
    }

    private var groups: [ScanGroup.ID: Entry] = [:]

    /// Takes a scan in; an older one than the newest of its group changes nothing.
    mutating func add(_ scan: Scan) {
        var entry =
            groups.removeValue(forKey: scan.group)
            ?? Entry(newest: scan.time, columns: Array(repeating: nil, count: scan.readings.count))
        defer { groups[scan.group] = entry }
        guard scan.time >= entry.newest, entry.columns.count == scan.readings.count else { return }
        entry.newest = scan.time
        for (index, reading) in scan.readings.enumerated() {
            entry.columns[index] = LatestReading(
                time: scan.time, reading: reading, previous: entry.columns[index])
        }
    }

    /// The time of the newest scan of a group; nil when none is remembered.
    func newest(of group: ScanGroup.ID) -> Timestamp? { groups[group]?.newest }

    /// By series number; where two groups hold a series, the newer reading.
    func bySeries(_ registry: Registry) -> [Int: LatestReading] {
        var result: [Int: LatestReading] = [:]
        for group in registry.superseded + registry.groups {
            guard let entry = groups[group.id] else { continue }
            for (series, reading) in zip(group.series, entry.columns) {
                guard let reading else { continue }
                if let other = result[series.number], other.time > reading.time { continue }
                result[series.number] = reading
            }
        }
        return result
    }
}
