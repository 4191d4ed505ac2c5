import GRDB
import Telemetry

extension StoreReader {
    /// The rollups of a series whose buckets begin in `from` ..< `to`, in order of time.
    ///
    /// - Parameter limit: the earliest so many.
    package func rollups(
        series: Int, resolution: Resolution, from: Timestamp, to: Timestamp, limit: Int = 50_000
    ) async throws(StoreError) -> [RollupRecord] {
        var records: [RollupRecord] = []
        var next: Timestamp? = from
        while let start = next, start < to, records.count < limit {
            let page = try await rollupPage(
                series, resolution, from: start, to: to,
                limit: min(limit - records.count, Self.bucketsPerPage))
            records += page.records
            next = page.next
        }
        return records
    }

    /// Buckets looked up in one transaction.
    private static let bucketsPerPage = 2_000

    /// The key has the bucket before the series, which spares the disk. One series is therefore
    /// read bucket by bucket: a lookup for each, and a jump to the next one that exists at a gap.
    private func rollupPage(
        _ series: Int, _ resolution: Resolution, from: Timestamp, to: Timestamp, limit: Int
    ) async throws(StoreError) -> (records: [RollupRecord], next: Timestamp?) {
        let calendar = shared.calendar
        let code = RollupRows.code(resolution)
        return try await read("read the \(resolution.rawValue) rollups of series \(series)") { db in
            let lookUp = try db.cachedStatement(
                sql: """
                    SELECT \(RollupRows.columns) FROM rollup
                    WHERE resolution = ? AND start = ? AND series = ?
                    """)
            let jump = try db.cachedStatement(
                sql: "SELECT min(start) FROM rollup WHERE resolution = ? AND start >= ?")
            var records: [RollupRecord] = []
            var place: Int64? = try Int64.fetchOne(jump, arguments: [code, from.milliseconds])
            for _ in 0..<max(1, limit) {
                guard let start = place, start < to.milliseconds else { return (records, nil) }
                if let row = try Row.fetchOne(lookUp, arguments: [code, start, series]) {
                    let record = RollupRows.record(row, resolution, calendar)
                    records.append(record)
                    place = max(start &+ 1, record.bucket.end.milliseconds)
                } else {
                    place = try Int64.fetchOne(jump, arguments: [code, start &+ 1])
                }
            }
            return (records, place.map(Timestamp.init(milliseconds:)))
        }
    }

    /// The rollups of every series of a group for the bucket that begins at `start`.
    package func rollups(
        group: ScanGroup.ID, start: Timestamp, resolution: Resolution
    ) async throws(StoreError) -> [RollupRecord] {
        guard let group = shared.registry.value.group(group) else { return [] }
        let calendar = shared.calendar
        return try await read("read the rollups of group \(group.id)") { db in
            let lookUp = try db.cachedStatement(
                sql: """
                    SELECT \(RollupRows.columns) FROM rollup
                    WHERE resolution = ? AND start = ? AND series = ?
                    """)
            let code = RollupRows.code(resolution)
            return try group.series.compactMap { series in
                try Row.fetchOne(lookUp, arguments: [code, start.milliseconds, series.number])
                    .map { RollupRows.record($0, resolution, calendar) }
            }
        }
    }
}
