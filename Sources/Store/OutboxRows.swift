import GRDB
import Telemetry

/// Owed items, attempts and totals as rows.
enum OutboxRows {
    /// Notes that an item is owed; a correction raises the revision and never brings `due` forward.
    ///
    /// An item of several parts has no revision of its own accord: it rises when a part has changed
    /// (`changed`) since the item was tried or given up. Folding the same rows again changes none.
    static func owe(
        _ item: OwedItem, _ changed: Set<OwedItem.Part> = [], _ calendar: SiteCalendar,
        _ db: Database
    ) throws {
        if let part = item.part {
            try DeliveryDayRows.following(item, calendar, db) {
                try owePart(item, raises: changed.contains(part), db)
            }
            return
        }
        try DeliveryDayRows.following(item, calendar, db) {
            try db.cachedStatement(
                sql: """
                    INSERT INTO outbox (uplink, kind, scope, start, revision_owed, due)
                    VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET
                        due = iif(excluded.revision_owed > revision_owed,
                            max(due, excluded.due), due),
                        revision_owed = max(revision_owed, excluded.revision_owed)
                    """
            ).execute(arguments: [
                item.uplink, item.kind, item.scope, item.start.milliseconds, item.revision,
                item.due.milliseconds,
            ])
        }
    }

    /// Notes that an item is owed, if it has never been.
    static func oweOnce(_ item: OwedItem, _ calendar: SiteCalendar, _ db: Database) throws {
        try DeliveryDayRows.following(item, calendar, db) {
            try owePart(item, raises: false, db)
        }
    }

    private static func owePart(_ item: OwedItem, raises: Bool, _ db: Database) throws {
        let conflict =
            raises
            ? """
            DO UPDATE SET revision_owed = revision_owed + 1, due = max(due, excluded.due)
                WHERE revision_owed <= max(revision_tried, revision_settled)
            """ : "DO NOTHING"
        try db.cachedStatement(
            sql: """
                INSERT INTO outbox (uplink, kind, scope, start, revision_owed, due)
                VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT \(conflict)
                """
        ).execute(arguments: [
            item.uplink, item.kind, item.scope, item.start.milliseconds, item.due.milliseconds,
        ])
    }

    /// Owes an item again that was settled, or for the first time.
    ///
    /// - Returns: whether it was not owed before.
    static func oweAgain(
        _ item: OwedItem, reason: String, at now: Timestamp, _ calendar: SiteCalendar,
        _ db: Database
    ) throws -> Bool {
        var isNew = false
        try DeliveryDayRows.following(item, calendar, db) {
            try db.cachedStatement(
                sql: """
                    INSERT INTO outbox (uplink, kind, scope, start, revision_owed, due, reason)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET revision_sent = -1, revision_settled = -1,
                        is_expired = 0, attempted = NULL, due = excluded.due,
                        reason = excluded.reason
                    WHERE revision_owed <= revision_settled
                    """
            ).execute(arguments: [
                item.uplink, item.kind, item.scope, item.start.milliseconds, item.revision,
                now.milliseconds, reason,
            ])
            isNew = db.changesCount > 0
        }
        return isNew
    }

    /// Settles the revision of one attempt. A revision that is settled already stays as it is.
    static func settle(
        _ settlement: Settlement, at now: Timestamp, _ calendar: SiteCalendar, _ db: Database
    ) throws {
        var isCounted = false
        try DeliveryDayRows.following(settlement.item, calendar, db) {
            isCounted = try settle(settlement, at: now, db)
        }
        if isCounted { try DeliveryDayRows.countAttempt(settlement.item, calendar, db) }
    }

    /// - Returns: whether the attempt was about a revision that was still owed.
    private static func settle(
        _ settlement: Settlement, at now: Timestamp, _ db: Database
    ) throws -> Bool {
        let item = settlement.item
        if case .expired(let why) = settlement.outcome {
            try expire(item, reason: why, at: now, db)
            return false
        }
        let change: String
        let word: String
        var reason: String?
        var due: Int64?
        switch settlement.outcome {
        case .accepted:
            word = "accepted"
            change = """
                revision_sent = :revision, revision_settled = :revision, is_expired = 0,
                reason = NULL,
                """
        case .retry(let after, let why):
            word = "retry"
            reason = why
            due = (now + after).milliseconds
            change = "due = :due, reason = :reason,"
        case .rejected(let why):
            word = "rejected"
            reason = why
            change = "revision_settled = :revision, is_expired = 0, reason = :reason,"
        case .expired: return false
        }
        let arguments: StatementArguments = [
            "uplink": item.uplink, "kind": item.kind, "scope": item.scope,
            "start": item.start.milliseconds, "revision": item.revision,
            "now": now.milliseconds,
        ]
        var all = arguments
        if change.contains(":due") { all += ["due": due] }
        if change.contains(":reason") { all += ["reason": reason] }
        try db.cachedStatement(
            sql: """
                UPDATE outbox SET \(change) attempted = :now, attempts = attempts + 1,
                    revision_tried = max(revision_tried, :revision)
                WHERE uplink = :uplink AND kind = :kind AND scope = :scope AND start = :start
                    AND revision_settled < :revision
                """
        ).execute(arguments: all)
        guard db.changesCount > 0 else { return false }
        try note(item, word, reason, at: now, db)
        return true
    }

    /// Gives up what can no longer be sent, and counts it.
    private static func expire(
        _ item: OwedItem, reason: String, at now: Timestamp, _ db: Database
    ) throws {
        try db.cachedStatement(
            sql: """
                UPDATE outbox SET revision_settled = ?, is_expired = 1, reason = ?
                WHERE uplink = ? AND kind = ? AND scope = ? AND start = ? AND revision_settled < ?
                """
        ).execute(arguments: [
            item.revision, reason, item.uplink, item.kind, item.scope, item.start.milliseconds,
            item.revision,
        ])
        guard db.changesCount > 0 else { return }
        try note(item, "expired", reason, at: now, db)
    }

    /// One row in `attempt`, one more in the uplink's total. `word` is a column's name.
    private static func note(
        _ item: OwedItem, _ word: String, _ reason: String?, at now: Timestamp, _ db: Database
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO attempt (at, uplink, kind, scope, start, revision, outcome, reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            now.milliseconds, item.uplink, item.kind, item.scope, item.start.milliseconds,
            item.revision, word, reason,
        ])
        let accepted = word == "accepted" ? now.milliseconds : nil
        try db.cachedStatement(
            sql: """
                INSERT INTO uplink_total (uplink, \(word), last_outcome, last_reason, last_at,
                    last_accepted_at)
                VALUES (?, 1, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET \(word) = \(word) + 1,
                    last_outcome = excluded.last_outcome, last_reason = excluded.last_reason,
                    last_at = excluded.last_at,
                    last_accepted_at = ifnull(excluded.last_accepted_at, last_accepted_at)
                """
        ).execute(arguments: [item.uplink, word, reason, now.milliseconds, accepted])
    }
}
