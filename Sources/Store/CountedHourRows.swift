import GRDB
import Telemetry

/// Hours of counters, packed by series beside the rows that they are made from.
///
/// A year of hours of a hundred meters is a million rows; packed it is read in milliseconds. The rows
/// stay what counts: a pack holds exactly those of its stretch that begin before `until`, and goes
/// with the transaction that changes one of them. Housekeeping makes it anew once a day.
enum CountedHourRows {
    /// One pack as it shall be.
    struct Pack: Sendable {
        var start: Int64
        var series: Int
        var until: Int64
        /// nil: the rows do not fit a pack, and are read as they are.
        var data: [UInt8]?
    }

    /// What one step found on a reader's connection.
    struct Plan: Sendable {
        var packs: [Pack] = []
        /// The stretch in which the next step goes on; nil when all is packed.
        var next: Int64?
    }

    /// Series that are packed in one step, and stretches that one step looks at.
    private static let seriesPerStep = 128
    private static let stretchesPerStep = 64

    /// Looks for packs that are missing, damaged or end before `until`.
    ///
    /// - Parameters:
    ///   - series: of the counters, in ascending order.
    ///   - place: the stretch to begin with; nil for the first.
    static func plan(
        _ series: [Int], from place: Int64?, until: Int64, _ db: Database
    ) throws -> Plan {
        let first = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT min(start) FROM rollup WHERE resolution = 60"))
        guard let first, !series.isEmpty else { return Plan() }
        var stretch = max(place ?? .min, CountedHours.stretch(first))
        for _ in 0..<stretchesPerStep {
            guard stretch < until else { return Plan() }
            let end = min(until, stretch &+ CountedHours.length)
            let whole = Set(try stored(stretch, db).filter { $0.until >= end }.map(\.series))
            let missing = series.filter { !whole.contains($0) }.prefix(seriesPerStep)
            if !missing.isEmpty {
                let rows = try rows(Array(missing), stretch, end, db)
                let packs = missing.map { series in
                    Pack(
                        start: stretch, series: series, until: end,
                        data: CountedHours(rows[series] ?? [], stretch: stretch)?.bytes)
                }
                return Plan(packs: packs, next: stretch)
            }
            stretch &+= CountedHours.length
        }
        return Plan(next: stretch)
    }

    private static func rows(
        _ series: [Int], _ from: Int64, _ to: Int64, _ db: Database
    ) throws -> [Int: [CountedHours.Row]] {
        let list = series.map(String.init).joined(separator: ",")
        let cursor = try Row.fetchCursor(
            db,
            sql: """
                SELECT series, start, count, expected, increase, estimated FROM rollup
                WHERE resolution = 60 AND start >= ? AND start < ? AND series IN (\(list))
                ORDER BY start
                """, arguments: [from, to])
        var rows: [Int: [CountedHours.Row]] = [:]
        while let row = try cursor.next() {
            rows[row[0], default: []].append(
                CountedHours.Row(
                    start: row[1], count: row[2], expected: row[3], increase: row[4],
                    isEstimated: row[5]))
        }
        return rows
    }

    static func write(_ packs: [Pack], _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO counted_hours (start, series, until, codec, data)
                VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (start, series) DO UPDATE
                    SET until = excluded.until, codec = excluded.codec, data = excluded.data
                """)
        for pack in packs {
            try statement.execute(arguments: [
                pack.start, pack.series, pack.until,
                pack.data == nil ? unfit : Int(CountedHours.version), Blob(pack.data ?? []),
            ])
        }
    }

    /// The codec of a pack whose rows do not fit one.
    private static let unfit = 0

    /// Forgets the pack that holds an hour which changes now.
    static func forget(series: Int, at start: Int64, _ db: Database) throws {
        try db.cachedStatement(
            sql: "DELETE FROM counted_hours WHERE start = ? AND series = ? AND until > ?"
        ).execute(arguments: [CountedHours.stretch(start), series, start])
    }

    /// Forgets the packs of the stretches that hold hours between two instants, which go now.
    static func forget(from first: Int64, through last: Int64, _ db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM counted_hours WHERE start BETWEEN ? AND ?")
            .execute(arguments: [CountedHours.stretch(first), CountedHours.stretch(last)])
    }

    /// The packs of a stretch that can be read.
    struct Stored: Sendable {
        var series: Int
        var until: Int64
        /// nil: its rows do not fit one.
        var hours: CountedHours?
    }

    /// - Parameter series: only of these; nil for all.
    static func stored(
        _ stretch: Int64, of series: Set<Int>? = nil, _ db: Database
    ) throws -> [Stored] {
        let cursor = try Row.fetchCursor(
            db.cachedStatement(
                sql: "SELECT series, until, codec, data FROM counted_hours WHERE start = ?"),
            arguments: [stretch])
        var found: [Stored] = []
        while let row = try cursor.next() {
            let number: Int = row[0]
            guard series?.contains(number) ?? true else { continue }
            if row[2] as Int == unfit {
                found.append(Stored(series: number, until: row[1], hours: nil))
            } else if let hours = try? CountedHours(row.bytes(3)) {
                // A damaged pack is as good as none: the rows are there.
                found.append(Stored(series: number, until: row[1], hours: hours))
            }
        }
        return found
    }
}
