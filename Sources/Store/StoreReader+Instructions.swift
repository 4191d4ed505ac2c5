import GRDB
import Telemetry

extension StoreReader {
    /// One alarm by its key; nil when there is none.
    package func alarm(key: String) async throws(StoreError) -> AlarmRecord? {
        try await read("read the alarm \(key)") { db in
            try Self.alarm(key, db)
        }
    }

    /// What was asked for under an id; nil when nothing was, or it is not acted upon yet.
    package func instruction(id: String) async throws(StoreError) -> InstructionRecord? {
        try await read("read the instruction \(id)") { db in
            try Row.fetchOne(
                db, sql: "\(Self.instructionColumns) WHERE id = ?", arguments: [id]
            ).map(Self.instruction)
        }
    }

    /// What people did about a subject (an alarm's key, `rule|series`), oldest first, at most 1,000.
    package func instructions(
        subject: String
    ) async throws(StoreError) -> [InstructionRecord] {
        try await read("read the instructions of \(subject)") { db in
            try Row.fetchAll(
                db, sql: "\(Self.instructionColumns) WHERE subject = ? ORDER BY at, id LIMIT 1000",
                arguments: [subject]
            ).map(Self.instruction)
        }
    }

    /// What is shelved or out of service at an instant, by its target.
    package func silences(at now: Timestamp) async throws(StoreError) -> [SilenceRecord] {
        try await read("read what is shelved") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT target, state, since, until, actor, reason FROM silence
                    WHERE until IS NULL OR until > ? ORDER BY target
                    """, arguments: [now.milliseconds]
            ).compactMap { row in
                guard let state = AlarmState(rawValue: row[1]) else { return nil }
                return SilenceRecord(
                    target: row[0], state: state, since: Timestamp(milliseconds: row[2]),
                    until: (row[3] as Int64?).map(Timestamp.init(milliseconds:)), actor: row[4],
                    reason: row[5])
            }
        }
    }

    /// Hazards by their deadline, with every step.
    ///
    /// - Parameters:
    ///   - alarm: only the one made of this alarm.
    ///   - openOnly: only those that are not closed.
    package func hazards(
        alarm: String? = nil, openOnly: Bool = false, limit: Int = 200
    ) async throws(StoreError) -> [HazardRecord] {
        try await read("read the hazards") { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT id, alarm, state, owner, deadline, opened, changed FROM hazard
                    WHERE (?1 IS NULL OR alarm = ?1) \(openOnly ? "AND state <> 'closed'" : "")
                    ORDER BY deadline, id LIMIT ?2
                    """, arguments: [alarm, max(0, limit)])
            return try rows.map { row in
                let key: String = row[1]
                return HazardRecord(
                    alarm: key, state: row[2], owner: row[3],
                    deadline: Timestamp(milliseconds: row[4]),
                    opened: Timestamp(milliseconds: row[5]),
                    changed: Timestamp(milliseconds: row[6]),
                    steps: try Self.steps(hazard: row[0], alarm: key, owner: row[3], db))
            }
        }
    }

    private static func steps(
        hazard: Int64, alarm: String, owner: String, _ db: Database
    ) throws -> [HazardStep] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT step, at, actor, deadline, note FROM hazard_step WHERE hazard = ?
                ORDER BY at, id LIMIT 1000
                """, arguments: [hazard]
        ).compactMap { row in
            guard let kind = HazardStep.Kind(rawValue: row[0]) else { return nil }
            return HazardStep(
                alarm: alarm, kind: kind, time: Timestamp(milliseconds: row[1]), actor: row[2],
                owner: kind == .opened ? owner : nil,
                deadline: (row[3] as Int64?).map(Timestamp.init(milliseconds:)), note: row[4])
        }
    }

    /// The messages that a feed is owed and may be sent now, in their order, with the alarms that
    /// they list: each as it stood at the change that is told, or as it stands now.
    ///
    /// One look at the store for all of it, because somebody waits, and a storm asks for many.
    ///
    /// - Returns: without a message for an item whose message is no longer kept.
    package func owedNotices(
        feed: String, now: Timestamp, limit: Int
    ) async throws(StoreError) -> [OwedNotice] {
        try await read("read what \(feed) is told") { db in
            try Self.owedItems(
                NoticeRecord.receiver(feed), now, .zero, Timestamp(milliseconds: 0), live: true,
                inOrder: true, limit, db
            ).map { item in
                guard let notice = try Self.notice(feed, item, db) else {
                    return OwedNotice(item: item, notice: nil, alarms: [])
                }
                return OwedNotice(
                    item: item, notice: notice,
                    alarms: try notice.alarms.compactMap { try Self.told($0, notice, db) })
            }
        }
    }

    private static func notice(
        _ feed: String, _ item: OwedItem, _ db: Database
    ) throws -> NoticeRecord? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT alarms, total, from_state, to_state, since FROM notice
                    WHERE feed = ? AND kind = ? AND subject = ? AND at = ?
                    """), arguments: [feed, item.kind, item.scope, item.start.milliseconds]
        ).map { row in
            let alarms: String = row[0]
            return NoticeRecord(
                feed: feed, kind: item.kind, subject: item.scope, time: item.start,
                alarms: alarms.split(separator: "\n").map(String.init), total: row[1],
                from: (row[2] as String?).flatMap(AlarmState.init(rawValue:)),
                to: (row[3] as String?).flatMap(AlarmState.init(rawValue:)),
                since: Timestamp(milliseconds: row[4]))
        }
    }

    private static func told(
        _ key: String, _ notice: NoticeRecord, _ db: Database
    ) throws -> AlarmRecord? {
        if let to = notice.to {
            let row = try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        \(AlarmRows.changeColumns)
                        WHERE a.key = ? AND t.at = ? AND t.to_state = ?
                        ORDER BY t.id DESC LIMIT 1
                        """), arguments: [key, notice.time.milliseconds, to.rawValue])
            if let alarm = row.flatMap(AlarmRows.record) { return alarm }
        }
        return try alarm(key, db)
    }

    private static func alarm(_ key: String, _ db: Database) throws -> AlarmRecord? {
        try Row.fetchOne(
            db.cachedStatement(sql: "\(AlarmRows.alarmColumns) WHERE a.key = ?"), arguments: [key]
        ).flatMap(AlarmRows.record)
    }

    private static let instructionColumns =
        "SELECT id, at, actor, verb, subject, detail, note, changes FROM instruction"

    private static func instruction(_ row: Row) -> InstructionRecord {
        InstructionRecord(
            id: row[0], time: Timestamp(milliseconds: row[1]), actor: row[2], verb: row[3],
            subject: row[4], detail: row[5], note: row[6], changes: row[7])
    }
}
