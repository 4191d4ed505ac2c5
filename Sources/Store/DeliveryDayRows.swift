import EnergyAccounting
import GRDB
import Telemetry

/// How one item of the outbox stands; each is in one state at a time.
enum DeliveryState: String, Hashable, CaseIterable {
    case owed
    case accepted
    case rejected
    case expired

    /// nil for an item that has no row.
    static func of(_ item: OwedItem, _ db: Database) throws -> DeliveryState? {
        try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT \(sql) FROM outbox
                    WHERE uplink = ? AND kind = ? AND scope = ? AND start = ?
                    """),
            arguments: [item.uplink, item.kind, item.scope, item.start.milliseconds]
        ).flatMap(DeliveryState.init)
    }

    /// The state of a row of `outbox`.
    static let sql = """
        CASE WHEN revision_owed > revision_settled THEN 'owed'
            WHEN revision_sent = revision_settled THEN 'accepted'
            WHEN is_expired THEN 'expired' ELSE 'rejected' END
        """
}

/// The counts of each site day, moved in the transaction that moves an item.
///
/// What is counted is the difference between an item's row before and after a change. A replayed
/// effect leaves the row as it is, and so the counts: nothing is counted twice.
enum DeliveryDayRows {
    /// Changes an item of the outbox, and moves the counts of its day with it.
    static func following(
        _ item: OwedItem, _ calendar: SiteCalendar, _ db: Database, _ change: () throws -> Void
    ) throws {
        // A message to a feed is nothing that a platform waits for.
        if NoticeRecord.isReceiver(item.uplink) { return try change() }
        let before = try DeliveryState.of(item, db)
        try change()
        let after = try DeliveryState.of(item, db)
        if before != after { try move(item, from: before, to: after, calendar, db) }
    }

    private static func move(
        _ item: OwedItem, from before: DeliveryState?, to after: DeliveryState?,
        _ calendar: SiteCalendar, _ db: Database
    ) throws {
        func step(_ state: DeliveryState) -> Int {
            (after == state ? 1 : 0) - (before == state ? 1 : 0)
        }
        let steps = [before == nil ? 1 : 0, step(.accepted), step(.rejected), step(.expired)]
        let key: StatementArguments = [
            day(item.start, calendar).milliseconds, item.uplink, item.kind, item.scope,
        ]
        if before == nil {
            try db.cachedStatement(
                sql: """
                    INSERT INTO delivery_day
                        (day, uplink, kind, scope, owed, accepted, rejected, expired)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET owed = owed + excluded.owed,
                        accepted = accepted + excluded.accepted,
                        rejected = rejected + excluded.rejected,
                        expired = expired + excluded.expired
                    """
            ).execute(arguments: key + StatementArguments(steps))
        } else {
            // A day that retention has removed is not begun again by an item that was older.
            try db.cachedStatement(
                sql: """
                    UPDATE delivery_day SET owed = owed + ?, accepted = accepted + ?,
                        rejected = rejected + ?, expired = expired + ?
                    WHERE day = ? AND uplink = ? AND kind = ? AND scope = ?
                    """
            ).execute(arguments: StatementArguments(steps) + key)
        }
    }

    /// Counts one attempt with an item.
    static func countAttempt(
        _ item: OwedItem, _ calendar: SiteCalendar, _ db: Database
    ) throws {
        if NoticeRecord.isReceiver(item.uplink) { return }
        try db.cachedStatement(
            sql: """
                UPDATE delivery_day SET attempts = attempts + 1
                WHERE day = ? AND uplink = ? AND kind = ? AND scope = ?
                """
        ).execute(arguments: [
            day(item.start, calendar).milliseconds, item.uplink, item.kind, item.scope,
        ])
    }

    /// The first instant of the site day in which an item's bucket begins.
    private static func day(_ start: Timestamp, _ calendar: SiteCalendar) -> Timestamp {
        Bucket(.day, containing: start, calendar: calendar).start
    }

    /// Counts the items of a file from before this table, once; a later start finds the counts.
    static func fill(_ calendar: SiteCalendar, _ pool: DatabasePool) throws {
        let isDue = try pool.read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT NOT EXISTS (SELECT * FROM delivery_day) AND EXISTS
                        (SELECT * FROM outbox WHERE NOT \(isFeed))
                    """) ?? false
        }
        if isDue { try pool.write { try fill(calendar, $0) } }
    }

    private static let isFeed = "substr(uplink, 1, 5) = 'feed/'"

    private static func fill(_ calendar: SiteCalendar, _ db: Database) throws {
        let bounds = try Row.fetchOne(
            db, sql: "SELECT min(start), max(start) FROM outbox WHERE NOT \(isFeed)")
        guard let first = bounds?[0] as Int64?, let last = bounds?[1] as Int64? else { return }
        var day = Bucket(.day, containing: Timestamp(milliseconds: first), calendar: calendar)
        while day.start.milliseconds <= last {
            try db.cachedStatement(
                sql: """
                    INSERT INTO delivery_day (day, uplink, kind, scope, owed, accepted, rejected,
                        expired, attempts)
                    SELECT ?, uplink, kind, scope, count(*), sum(state = 'accepted'),
                        sum(state = 'rejected'), sum(state = 'expired'), sum(attempts)
                    FROM (SELECT uplink, kind, scope, attempts, \(DeliveryState.sql) AS state
                        FROM outbox WHERE start >= ? AND start < ? AND NOT \(isFeed))
                    GROUP BY uplink, kind, scope
                    """
            ).execute(arguments: [
                day.start.milliseconds, day.start.milliseconds, day.end.milliseconds,
            ])
            // Days without an item, as many as there are, are stepped over.
            let next = try Int64.fetchOne(
                db, sql: "SELECT min(start) FROM outbox WHERE start >= ? AND NOT \(isFeed)",
                arguments: [day.end.milliseconds])
            guard let next else { return }
            day = Bucket(.day, containing: Timestamp(milliseconds: next), calendar: calendar)
        }
    }

    /// Days that began before `cutoff`.
    static func trim(before cutoff: Timestamp, limit: Int, _ db: Database) throws -> Removal {
        var removal = Removal(.delivery, .age, items: 0)
        let bounds = try Row.fetchOne(
            db,
            sql: """
                SELECT min(day), max(day) FROM
                    (SELECT day FROM delivery_day WHERE day < ? ORDER BY day LIMIT ?)
                """, arguments: [cutoff.milliseconds, limit])
        guard let first = bounds?[0] as Int64?, let last = bounds?[1] as Int64? else {
            return removal
        }
        try db.execute(
            sql: """
                DELETE FROM delivery_day WHERE (day, uplink, kind, scope) IN (
                    SELECT day, uplink, kind, scope FROM delivery_day WHERE day < ?
                    ORDER BY day LIMIT ?)
                """, arguments: [cutoff.milliseconds, limit])
        removal.items = db.changesCount
        removal.first = Timestamp(milliseconds: first)
        removal.last = Timestamp(milliseconds: last) + Resolution.day.nominal
        return removal
    }
}

extension StoreReader {
    /// What became of the items of each site day: by platform, kind and scope.
    ///
    /// - Parameters:
    ///   - uplink: one platform; nil is all of them.
    ///   - from: the first day.
    ///   - last: the last day; it belongs to what is asked for.
    package func deliveryDays(
        uplink: String? = nil, from: CivilDate, through last: CivilDate
    ) async throws(StoreError) -> [DeliveryDay] {
        let calendar = shared.calendar
        let start = from.start(calendar: calendar).milliseconds
        let end = last.advanced(days: 1).start(calendar: calendar).milliseconds
        return try await read("read what platforms took by day") { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT uplink, scope, day, owed, accepted, rejected, expired, kind,
                            attempts
                        FROM delivery_day
                        WHERE day >= :start AND day < :end
                            AND (:uplink IS NULL OR uplink = :uplink)
                        ORDER BY day, uplink, kind, scope
                        """),
                arguments: ["start": start, "end": end, "uplink": uplink]
            ).map { row in
                DeliveryDay(
                    uplink: row[0], scope: row[1],
                    day: CivilDate(Timestamp(milliseconds: row[2]), calendar: calendar),
                    owed: row[3], accepted: row[4], rejected: row[5], expired: row[6],
                    kind: row[7], attempts: row[8])
            }
        }
    }
}
