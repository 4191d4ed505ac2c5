import GRDB
import Telemetry

/// Rollups as rows: sums and increases rounded once to doubles, the bucket by its start.
enum RollupRows {
    static let columns = """
        series, start, count, bad, expected, sum, min, max, first, last, increase, estimated, revision
        """

    /// The code of a resolution in the file: its nominal length in minutes.
    static func code(_ resolution: Resolution) -> Int64 {
        resolution.nominal.milliseconds / 60_000
    }

    /// Stores a rollup unless the same or a higher revision is there.
    static func upsert(_ record: RollupRecord, _ db: Database) throws {
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

    /// Reads a row of `columns`; first and last bear the bucket's start, their times are not kept.
    static func record(
        _ row: Row, _ resolution: Resolution, _ calendar: SiteCalendar
    ) -> RollupRecord {
        let start = Timestamp(milliseconds: row[1])
        let timed = { (value: Double?) in value.map { Rollup.Timed(time: start, value: $0) } }
        var sum = ExactSum()
        if let stored: Double = row[5] { sum.add(stored) }
        let increase: Double? = row[10]
        let rollup = Rollup(
            count: row[2], bad: row[3], expected: row[4], sum: sum, minimum: row[6],
            maximum: row[7], first: timed(row[8]), last: timed(row[9]),
            increase: increase.flatMap { ScaledInteger(rounding: $0) }, isEstimated: row[11])
        return RollupRecord(
            series: row[0],
            bucket: Bucket(resolution, containing: start, calendar: calendar), rollup: rollup,
            revision: row[12])
    }
}
