import Telemetry

/// The good readings of a group's counters around a run of buckets.
struct CounterReadings {
    private var columns: [Int: [Rollup.Timed]] = [:]

    init(
        of group: ScanGroup, before: [Int: Rollup.Timed], scans: [Scan],
        after: [Int: Rollup.Timed]
    ) {
        for column in group.series.indices where group.series[column].counter != nil {
            var readings = before[column].map { [$0] } ?? []
            for scan in scans {
                guard let reading = scan.timed(column) else { continue }
                if let last = readings.last, last.time == reading.time {
                    readings[readings.count - 1] = last.lowest(reading)
                } else {
                    readings.append(reading)
                }
            }
            columns[column] = readings + (after[column].map { [$0] } ?? [])
        }
    }

    /// By column; nil unless every counter has one.
    func last(before time: Timestamp) -> [Int: Rollup.Timed]? {
        let found = columns.compactMapValues { $0.last { $0.time < time } }
        return found.count == columns.count ? found : nil
    }

    /// By column; nil unless every counter has one.
    func first(from time: Timestamp) -> [Int: Rollup.Timed]? {
        let found = columns.compactMapValues { $0.first { $0.time >= time } }
        return found.count == columns.count ? found : nil
    }

    func last(before time: Timestamp, _ column: Int) -> Rollup.Timed? {
        columns[column]?.last { $0.time < time }
    }

    func first(from time: Timestamp, _ column: Int) -> Rollup.Timed? {
        columns[column]?.first { $0.time >= time }
    }
}
