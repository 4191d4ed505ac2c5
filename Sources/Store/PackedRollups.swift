import GRDB
import Telemetry

/// Quarters move from rows into packs, one block of one day at a time.
enum PackedRollups {
    /// Where packing stands in the order of (start, series); the next step goes on from here.
    struct Place: Hashable, Sendable {
        var start = Int64.min
        var series = 0
    }

    /// What one step found on a reader's connection: the writer only has to write it.
    struct Plan: Sendable {
        var pack: Pack?
        /// nil: nothing more to pack.
        var next: Place?
        /// Packs that could not be read; their late rows stay beside them.
        var damaged: [Int64] = []
    }

    /// One pack as it shall be, and the rows that it holds from then on.
    struct Pack: Sendable {
        var day: Int64
        var block: Int
        var rows: Int
        var data: [UInt8]
        var packed: [RollupRow]
        /// Rows of the block that stay; nearly always none, and then whole stretches are deleted.
        var isWhole: Bool
    }

    /// Blocks that are looked at in one step and left as they are.
    private static let mostSkipped = 64

    /// Looks for the first block at or after `place` whose day is over by `cutoff`.
    ///
    /// - Parameter merges: whether late rows beside a pack are packed with it, which writes the
    ///   whole pack anew; otherwise such blocks are left for later.
    static func plan(
        from place: Place, before cutoff: Timestamp, merges: Bool, _ db: Database
    ) throws -> Plan {
        var plan = Plan(next: place)
        for _ in 0..<mostSkipped {
            guard let place = plan.next,
                let row = try Row.fetchOne(
                    db.cachedStatement(
                        sql: """
                            SELECT start, series FROM rollup
                            WHERE resolution = 15 AND (start, series) >= (?, ?)
                            ORDER BY start, series LIMIT 1
                            """), arguments: [place.start, place.series])
            else { return Plan(damaged: plan.damaged) }
            let (start, series): (Int64, Int) = (row[0], row[1])
            let (day, block) = (RollupPack.day(start), RollupPack.block(series))
            guard day <= cutoff.milliseconds &- RollupPack.dayLength else {
                return Plan(damaged: plan.damaged)
            }
            plan.next = Place(start: start, series: (block + 1) * RollupPack.seriesPerBlock)
            let stored = try load(day: day, block: block, db)
            if stored != nil, !merges { continue }
            let fresh = try rows(day, block, db)
            do throws(Damage) {
                plan.pack = try pack(day, block, fresh, over: try stored?.pack.get())
            } catch {
                if let id = stored?.id { plan.damaged.append(id) }
                continue
            }
            if plan.pack != nil { return plan }
        }
        return plan
    }

    /// The rows of a block of a day.
    private static func rows(
        _ day: Int64, _ block: Int, _ db: Database
    ) throws -> [RollupRow] {
        let select = try db.cachedStatement(
            sql: """
                SELECT \(RollupRows.columns) FROM rollup
                WHERE resolution = 15 AND start = ? AND series BETWEEN ? AND ?
                """)
        let bounds = bounds(block)
        var rows: [RollupRow] = []
        for slot in 0..<Int64(RollupPack.slots) {
            let start = day &+ slot * RollupPack.slotLength
            rows += try Row.fetchAll(select, arguments: [start, bounds.low, bounds.high])
                .map(RollupRows.row)
        }
        return rows
    }

    private static func bounds(_ block: Int) -> (low: Int, high: Int) {
        let low = block * RollupPack.seriesPerBlock
        return (low, low + RollupPack.seriesPerBlock - 1)
    }

    private static func pack(
        _ day: Int64, _ block: Int, _ fresh: [RollupRow], over stored: RollupPack?
    ) throws(Damage) -> Pack? {
        // What cannot be packed stays a row, and with it nothing else has to.
        let packable = fresh.filter(RollupPack.holds)
        guard !packable.isEmpty else { return nil }
        var rows = packable
        if let stored {
            var packed: [RollupRow] = []
            for series in stored.series { packed += try stored.rows(of: series) }
            rows = overlay(packed, with: packable)
        }
        return Pack(
            day: day, block: block, rows: rows.count, data: RollupPack.encode(rows),
            packed: packable, isWhole: packable.count == fresh.count)
    }

    /// Writes the pack and removes its rows; no rollup may have been stored since the plan.
    static func write(_ pack: Pack, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO rollup_pack (resolution, start, block, rows, codec, data)
                VALUES (15, ?, ?, ?, ?, ?)
                ON CONFLICT (resolution, start, block) DO UPDATE
                    SET rows = excluded.rows, codec = excluded.codec, data = excluded.data
                """
        ).execute(arguments: [
            pack.day, pack.block, pack.rows, RollupPack.version, Blob(pack.data),
        ])
        guard pack.isWhole else {
            let delete = try db.cachedStatement(
                sql: "DELETE FROM rollup WHERE resolution = 15 AND start = ? AND series = ?")
            for row in pack.packed { try delete.execute(arguments: [row.start, row.series]) }
            return
        }
        let bounds = bounds(pack.block)
        let delete = try db.cachedStatement(
            sql: """
                DELETE FROM rollup
                WHERE resolution = 15 AND start = ? AND series BETWEEN ? AND ?
                """)
        for start in Set(pack.packed.map(\.start)) {
            try delete.execute(arguments: [start, bounds.low, bounds.high])
        }
    }

    /// The rows of both; of one series and quarter the higher revision, the packed one when equal.
    static func overlay(_ packed: [RollupRow], with rows: [RollupRow]) -> [RollupRow] {
        struct Key: Hashable { var start: Int64, series: Int }
        var result: [Key: RollupRow] = [:]
        for row in packed { result[Key(start: row.start, series: row.series)] = row }
        for row in rows {
            let key = Key(start: row.start, series: row.series)
            if let other = result[key], other.revision >= row.revision { continue }
            result[key] = row
        }
        return result.values.sorted { ($0.start, $0.series) < ($1.start, $1.series) }
    }

    /// One pack by its day and block; nil when there is none.
    static func load(
        day: Int64, block: Int, _ db: Database
    ) throws -> (id: Int64, pack: Result<RollupPack, Damage>)? {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT id, data FROM rollup_pack
                    WHERE resolution = 15 AND start = ? AND block = ?
                    """), arguments: [day, block])
        return row.map { row in
            (row[0], parse(row.bytes(1), day: day, block: block))
        }
    }

    static func parse(_ bytes: [UInt8], day: Int64, block: Int) -> Result<RollupPack, Damage> {
        do throws(Damage) {
            return .success(try RollupPack(bytes, day: day, block: block))
        } catch {
            return .failure(error)
        }
    }
}

/// The revisions of packed quarters, for one transaction that stores rollups.
struct PackedRevisions {
    private struct Key: Hashable { var day: Int64, series: Int }

    /// The first instant after the newest packed day: live quarters lie behind it and cost nothing.
    private let end: Int64
    private var known: [Key: [Int64: Int]] = [:]

    init(_ db: Database) throws {
        let newest = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT max(start) FROM rollup_pack WHERE resolution = 15"))
        end = newest.map { $0 &+ RollupPack.dayLength } ?? .min
    }

    /// The revision in the pack; nil when the quarter is not packed or its pack is damaged.
    mutating func revision(of series: Int, at start: Int64, _ db: Database) throws -> Int? {
        guard start < end else { return nil }
        let key = Key(day: RollupPack.day(start), series: series)
        if let revisions = known[key] { return revisions[start] }
        var revisions: [Int64: Int] = [:]
        if let found = try PackedRollups.load(
            day: key.day, block: RollupPack.block(series), db),
            case .success(let pack) = found.pack, let rows = try? pack.rows(of: series)
        {
            for row in rows { revisions[row.start] = row.revision }
        }
        known[key] = revisions
        return revisions[start]
    }
}
