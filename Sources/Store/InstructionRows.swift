import GRDB
import Telemetry

/// Instructions, silences, hazards and notices as rows.
enum InstructionRows {
    /// Notes an instruction, what follows from it, and its place in the audit chain; one whose id is
    /// there already does nothing.
    static func insert(_ record: InstructionRecord, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO instruction (id, at, actor, verb, subject, detail, note, changes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
                """
        ).execute(arguments: [
            record.id, record.time.milliseconds, record.actor, record.verb, record.subject,
            record.detail, record.note, record.changes,
        ])
        guard db.changesCount > 0 else { return }
        switch record.effect {
        case .none: break
        case .silence(let silence): try insert(silence, db)
        case .unsilence(let target): try removeSilences(of: target, db)
        case .hazard(let step): try insert(step, of: record.id, db)
        }
        let words = [record.subject, record.detail, record.note ?? ""].filter { !$0.isEmpty }
        try AuditRows.append(
            actor: record.actor, action: "alarm.\(record.verb)",
            detail: words.joined(separator: " "), at: record.time, db)
    }

    private static func insert(_ silence: SilenceRecord, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO silence (target, state, since, until, actor, reason)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                silence.target, silence.state.rawValue, silence.since.milliseconds,
                silence.until?.milliseconds, silence.actor, silence.reason,
            ])
    }

    private static func removeSilences(of target: String, _ db: Database) throws {
        guard target.hasSuffix("|*") else {
            return try db.execute(sql: "DELETE FROM silence WHERE target = ?", arguments: [target])
        }
        let prefix = String(target.dropLast())
        try db.execute(
            sql: "DELETE FROM silence WHERE substr(target, 1, ?) = ?",
            arguments: [prefix.count, prefix])
    }

    private static func insert(
        _ step: HazardStep, of instruction: String, _ db: Database
    ) throws {
        let state =
            switch step.kind {
            case .opened, .reopened: "open"
            case .rectified: "rectified"
            case .closed: "closed"
            }
        if step.kind == .opened {
            try db.execute(
                sql: """
                    INSERT INTO hazard (alarm, state, owner, deadline, opened, changed)
                    VALUES (?, 'open', ?, ?, ?, ?) ON CONFLICT (alarm) DO NOTHING
                    """,
                arguments: [
                    step.alarm, step.owner ?? "", step.deadline?.milliseconds ?? 0,
                    step.time.milliseconds, step.time.milliseconds,
                ])
        }
        // A step without a hazard has nothing to stand on.
        guard
            let hazard = try Int64.fetchOne(
                db, sql: "SELECT id FROM hazard WHERE alarm = ?", arguments: [step.alarm])
        else { return }
        try db.execute(
            sql: """
                UPDATE hazard SET state = ?, changed = ?, deadline = ifnull(?, deadline),
                    owner = ifnull(?, owner) WHERE id = ?
                """,
            arguments: [
                state, step.time.milliseconds, step.deadline?.milliseconds, step.owner, hazard,
            ])
        try db.execute(
            sql: """
                INSERT INTO hazard_step (hazard, at, actor, step, deadline, note, instruction)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                hazard, step.time.milliseconds, step.actor, step.kind.rawValue,
                step.deadline?.milliseconds, step.note, instruction,
            ])
    }

    /// Stores a message; one that is there already does nothing.
    static func insert(_ notice: NoticeRecord, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO notice (feed, kind, subject, at, alarms, total, from_state, to_state,
                    since)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [
            notice.feed, notice.kind, notice.subject, notice.time.milliseconds,
            notice.alarms.joined(separator: "\n"), notice.total, notice.from?.rawValue,
            notice.to?.rawValue, notice.since.milliseconds,
        ])
    }
}
