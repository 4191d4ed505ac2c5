import Telemetry

/// One bucket of one scan group: rows in order of (time, sequence), unique in it.
package struct BucketRows: Hashable, Sendable {
    /// The most rows that a bucket may have.
    package static let maximumRows = 1 << 20
    /// The most readings, rows × columns, that a bucket may have.
    package static let maximumReadings = 1 << 24

    package var times: [Timestamp]
    package var sequences: [UInt16]
    package var flags: [ScanFlags]
    /// One column for each series of the group, in the group's order.
    package var columns: [BucketColumn]

    package init(
        times: [Timestamp], sequences: [UInt16], flags: [ScanFlags], columns: [BucketColumn]
    ) {
        self.times = times
        self.sequences = sequences
        self.flags = flags
        self.columns = columns
    }

    /// How many rows there are.
    package var count: Int { times.count }

    /// The rows of `scans` in their order, each of `width` readings; a shorter scan is filled up
    /// with `absent`, a longer one cut.
    package init(scans: [Scan], width: Int) {
        times = scans.map(\.time)
        sequences = scans.map(\.sequence)
        flags = scans.map(\.flags)
        columns = (0..<max(0, width)).map { column in
            BucketColumn(
                scans.map { scan in
                    column < scan.readings.count ? scan.readings[column] : .bad(.absent)
                })
        }
    }

    /// The row as a scan of `group`.
    package func scan(at row: Int, of group: ScanGroup.ID) -> Scan {
        Scan(
            group: group, time: times[row], sequence: sequences[row], flags: flags[row],
            readings: columns.map { $0.reading(at: row) })
    }

    /// All rows as scans of `group`, the same bit for bit as those that went in.
    package func scans(of group: ScanGroup.ID) -> [Scan] {
        times.indices.map { scan(at: $0, of: group) }
    }
}
