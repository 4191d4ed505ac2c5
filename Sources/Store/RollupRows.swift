import GRDB
import Telemetry

/// One stored rollup as its columns are, before it becomes a `RollupRecord`.
struct RollupRow: Hashable, Sendable {
    var series: Int
    var start: Int64
    var count: Int
    var bad: Int
    var expected: Int?
    var sum: Double?
    var minimum: Double?
    var maximum: Double?
    var first: Double?
    var last: Double?
    var increase: Double?
    var isEstimated: Bool
    var revision: Int

    /// The record; first and last bear the bucket's start, their times are not kept.
    func record(_ resolution: Resolution, _ calendar: SiteCalendar) -> RollupRecord {
        let start = Timestamp(milliseconds: start)
        let timed = { (value: Double?) in value.map { Rollup.Timed(time: start, value: $0) } }
        var exact = ExactSum()
        if let sum { exact.add(sum) }
        let rollup = Rollup(
            count: count, bad: bad, expected: expected, sum: exact, minimum: minimum,
            maximum: maximum, first: timed(first), last: timed(last),
            increase: increase.flatMap { ScaledInteger(rounding: $0) }, isEstimated: isEstimated)
        return RollupRecord(
            series: series, bucket: Bucket(resolution, containing: start, calendar: calendar),
            rollup: rollup, revision: revision)
    }
}

/// Rollups as rows: sums and increases rounded once to doubles, the bucket by its start.
enum RollupRows {
    static let columns = """
        series, start, count, bad, expected, sum, min, max, first, last, increase, estimated, revision
        """

    /// The code of a resolution in the file: its nominal length in minutes.
    static func code(_ resolution: Resolution) -> Int64 {
        resolution.nominal.milliseconds / 60_000
    }

    /// Stores each rollup unless the same or a higher revision is there, as a row or packed.
    ///
    /// - Returns: the rows that are new or hold something else than before.
    @discardableResult
    static func upsert(
        _ records: [RollupRecord], _ db: Database
    ) throws -> Set<OwedItem.Part> {
        var changed: Set<OwedItem.Part> = []
        var packs = try PackedRevisions(db)
        for record in records {
            if record.bucket.resolution == .quarterHour,
                let packed = try packs.revision(
                    of: record.series, at: record.bucket.start.milliseconds, db),
                packed >= record.revision
            {
                continue
            }
            try store(record, db)
            if db.changesCount > 0 {
                changed.insert(
                    OwedItem.Part(
                        resolution: record.bucket.resolution, start: record.bucket.start,
                        series: record.series))
            }
            if record.bucket.resolution == .hour {
                try CountedHourRows.forget(
                    series: record.series, at: record.bucket.start.milliseconds, db)
            }
        }
        return changed
    }

    private static func store(_ record: RollupRecord, _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO rollup (resolution, start, series, count, bad, expected, sum, min,
                    max, first, last, increase, estimated, revision)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET count = excluded.count, bad = excluded.bad,
                    expected = excluded.expected, sum = excluded.sum, min = excluded.min,
                    max = excluded.max, first = excluded.first, last = excluded.last,
                    increase = excluded.increase, estimated = excluded.estimated,
                    revision = excluded.revision
                WHERE excluded.revision > rollup.revision
                """)
        let rollup = record.rollup
        try statement.execute(arguments: [
            code(record.bucket.resolution), record.bucket.start.milliseconds, record.series,
            rollup.count, rollup.bad, rollup.expected,
            rollup.first == nil ? nil : rollup.sum.value,
            rollup.minimum, rollup.maximum, rollup.first?.value, rollup.last?.value,
            rollup.increase?.double, rollup.isEstimated, record.revision,
        ])
    }

    /// Reads a row of `columns`.
    static func row(_ row: Row) -> RollupRow {
        RollupRow(
            series: row[0], start: row[1], count: row[2], bad: row[3], expected: row[4],
            sum: row[5], minimum: row[6], maximum: row[7], first: row[8], last: row[9],
            increase: row[10], isEstimated: row[11], revision: row[12])
    }
}
