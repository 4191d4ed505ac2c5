import GRDB
import Telemetry

/// Deletes by age, oldest first, so many rows at a time. Each call runs inside a transaction.
enum RetentionRows {
    /// Blobs of at most so many bytes are deleted in one transaction: SQLite walks their pages.
    static let maximumBytes = 4 << 20

    /// The oldest buckets of all groups whose end is not after `cutoff`.
    ///
    /// - Parameter enough: bytes of blobs after which no more need to go.
    /// - Returns: what went, and the bytes of the blobs.
    static func trimBuckets(
        before cutoff: Timestamp, acknowledgedUntil: Timestamp?, limit: Int,
        enough: Int = .max, reason: RemovalReason, _ db: Database
    ) throws -> (removal: Removal, bytes: Int) {
        var removal = Removal(.raw, reason, items: 0)
        var bytes = 0
        let delete = try db.cachedStatement(sql: "DELETE FROM bucket WHERE id = ?")
        for bucket in try oldestBuckets(before: cutoff, limit, db) {
            guard bytes < min(maximumBytes, enough) else { break }
            try delete.execute(arguments: [bucket.id])
            bytes += bucket.bytes
            let end = Timestamp(milliseconds: bucket.end)
            removal.add(
                Removal(
                    .raw, reason, items: bucket.rows,
                    owed: acknowledgedUntil.map { end > $0 } ?? false ? bucket.rows : 0,
                    first: Timestamp(milliseconds: bucket.start), last: end))
        }
        return (removal, bytes)
    }

    private struct OldBucket {
        var id: Int64
        var start: Int64
        var end: Int64
        var rows: Int
        var bytes: Int
    }

    /// There is no index by time alone, because each bucket would pay for it: a look at the first
    /// buckets of each group costs a few microseconds, and a site has some hundred groups.
    private static func oldestBuckets(
        before cutoff: Timestamp, _ limit: Int, _ db: Database
    ) throws -> [OldBucket] {
        let groups = try Int64.fetchAll(db, sql: "SELECT number FROM scan_group")
        let each = max(1, min(limit, 4_096 / max(1, groups.count)))
        let select = try db.cachedStatement(
            sql: """
                SELECT id, start, end, rows, length(data) FROM bucket
                WHERE scan_group = ? AND start < ? AND end <= ? ORDER BY start LIMIT ?
                """)
        var found: [OldBucket] = []
        // Beyond the last bucket of a group that has more, the order of all is not known.
        var horizon = Int64.max
        for group in groups {
            let rows = try Row.fetchAll(
                select, arguments: [group, cutoff.milliseconds, cutoff.milliseconds, each])
            if rows.count == each, let last = rows.last { horizon = min(horizon, last[1]) }
            found += rows.map {
                OldBucket(id: $0[0], start: $0[1], end: $0[2], rows: $0[3], bytes: $0[4])
            }
        }
        let ordered = found.filter { $0.start <= horizon }.sorted {
            ($0.start, $0.id) < ($1.start, $1.id)
        }
        return Array(ordered.prefix(max(1, limit)))
    }

    /// Rollup rows of a resolution that start before `cutoff`.
    static func trimRollups(
        _ resolution: Resolution, before cutoff: Timestamp, limit: Int, reason: RemovalReason,
        _ db: Database
    ) throws -> Removal {
        var removal = Removal(RemovedClass(resolution), reason, items: 0)
        let code = RollupRows.code(resolution)
        let starts = try Row.fetchAll(
            db,
            sql: """
                SELECT start, count(*) FROM (
                    SELECT start FROM rollup WHERE resolution = ? AND start < ?
                    ORDER BY start LIMIT ?)
                GROUP BY start ORDER BY start
                """, arguments: [code, cutoff.milliseconds, limit])
        guard let first: Int64 = starts.first?[0], let last: Int64 = starts.last?[0] else {
            return removal
        }
        try db.execute(
            sql: """
                DELETE FROM rollup WHERE (resolution, start, series) IN (
                    SELECT resolution, start, series FROM rollup
                    WHERE resolution = ? AND start < ? ORDER BY start LIMIT ?)
                """, arguments: [code, cutoff.milliseconds, limit])
        removal.items = db.changesCount
        if resolution == .hour { try CountedHourRows.forget(from: first, through: last, db) }
        removal.first = Timestamp(milliseconds: first)
        removal.last = Timestamp(milliseconds: last) + resolution.nominal
        return removal
    }

    /// Packed days that end before `cutoff`, whole or not at all.
    static func trimPacks(
        before cutoff: Timestamp, limit: Int, reason: RemovalReason, _ db: Database
    ) throws -> Removal {
        var removal = Removal(.quarterHour, reason, items: 0)
        let day = RollupPack.dayLength
        let end = cutoff - .milliseconds(day)
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT id, start, rows FROM rollup_pack
                WHERE resolution = 15 AND start <= ? ORDER BY start LIMIT ?
                """, arguments: [end.milliseconds, limit])
        let delete = try db.cachedStatement(sql: "DELETE FROM rollup_pack WHERE id = ?")
        for row in rows {
            try delete.execute(arguments: [row[0] as Int64])
            let start = Timestamp(milliseconds: row[1])
            removal.add(
                Removal(
                    .quarterHour, reason, items: row[2], first: start,
                    last: start + .milliseconds(day)))
        }
        return removal
    }

    /// Settled items whose bucket began before `cutoff`; what is owed stays, however old.
    static func trimOutbox(
        before cutoff: Timestamp, limit: Int, _ db: Database
    ) throws -> Removal {
        var removal = Removal(.outbox, .age, items: 0)
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT uplink, kind, scope, start FROM outbox
                WHERE start < ? AND revision_owed <= revision_settled ORDER BY start LIMIT ?
                """, arguments: [cutoff.milliseconds, limit])
        let delete = try db.cachedStatement(
            sql: "DELETE FROM outbox WHERE uplink = ? AND kind = ? AND scope = ? AND start = ?")
        for row in rows {
            let start: Int64 = row[3]
            try delete.execute(arguments: [
                row[0] as String, row[1] as String, row[2] as String, start,
            ])
            let time = Timestamp(milliseconds: start)
            removal.add(Removal(.outbox, .age, items: 1, first: time, last: time))
        }
        // What a feed was told of goes with what it was owed, and never before it.
        try db.cachedStatement(
            sql: """
                DELETE FROM notice WHERE (feed, kind, subject, at) IN
                    (SELECT feed, kind, subject, at FROM notice n WHERE at < ? AND NOT EXISTS
                        (SELECT 1 FROM outbox o WHERE o.uplink = 'feed/' || n.feed
                            AND o.kind = n.kind AND o.scope = n.subject AND o.start = n.at)
                    LIMIT ?)
                """
        ).execute(arguments: [cutoff.milliseconds, limit])
        return removal
    }

    /// Records of cranes that began before `cutoff`.
    static func trimCraneRecords(
        before cutoff: Timestamp, limit: Int, _ db: Database
    ) throws -> Removal {
        var removal = Removal(.crane, .age, items: 0)
        let delete = try db.cachedStatement(sql: "DELETE FROM crane_record WHERE key = ?")
        for kind in StoredCraneRecord.Kind.allCases {
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT key, start FROM crane_record WHERE kind = ? AND start < ?
                    ORDER BY start LIMIT ?
                    """,
                arguments: [kind.rawValue, cutoff.milliseconds, limit - removal.items])
            for row in rows {
                try delete.execute(arguments: [row[0] as String])
                let time = Timestamp(milliseconds: row[1])
                removal.add(Removal(.crane, .age, items: 1, first: time, last: time))
            }
        }
        return removal
    }

    /// All but the newest attempts.
    static func trimAttempts(keeping kept: Int, limit: Int, _ db: Database) throws -> Removal {
        try db.execute(
            sql: """
                DELETE FROM attempt WHERE id IN (SELECT id FROM attempt
                    WHERE id <= (SELECT max(id) FROM attempt) - ? ORDER BY id LIMIT ?)
                """, arguments: [max(0, kept), limit])
        return Removal(.attempt, .age, items: db.changesCount)
    }
}

/// The totals of what went, which outlive every restart.
enum RemovedTotals {
    static func add(_ removals: [Removal], _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO removed (class, reason, items, owed, first_ms, last_ms)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET items = items + excluded.items,
                    owed = owed + excluded.owed,
                    first_ms = min(ifnull(first_ms, excluded.first_ms), excluded.first_ms),
                    last_ms = max(ifnull(last_ms, excluded.last_ms), excluded.last_ms)
                """)
        for removal in removals where removal.items > 0 {
            try statement.execute(arguments: [
                removal.kind.rawValue, removal.reason.rawValue, removal.items, removal.owed,
                removal.first?.milliseconds, removal.last?.milliseconds,
            ])
        }
    }

    static func load(_ db: Database) throws -> [Removal] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT class, reason, items, owed, first_ms, last_ms FROM removed
                ORDER BY class, reason
                """
        ).compactMap { row in
            guard let kind = RemovedClass(rawValue: row[0]),
                let reason = RemovalReason(rawValue: row[1])
            else { return nil }
            return Removal(
                kind, reason, items: row[2], owed: row[3],
                first: (row[4] as Int64?).map(Timestamp.init(milliseconds:)),
                last: (row[5] as Int64?).map(Timestamp.init(milliseconds:)))
        }
    }
}
