import GRDB
import Telemetry

/// The audit chain as rows.
enum AuditRows {
    /// Appends an entry that carries the hash of the newest one.
    @discardableResult
    static func append(
        actor: String, action: String, detail: String, at time: Timestamp, _ db: Database
    ) throws -> AuditEntry {
        let newest = try Row.fetchOne(
            db, sql: "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        let previous = newest?.bytes(1) ?? AuditChain.origin
        let sequence = (newest?[0] as Int64? ?? 0) + 1
        let hash = AuditChain.hash(
            previous: previous, sequence: sequence, time: time, actor: actor,
            action: action, detail: detail)
        try db.execute(
            sql: """
                INSERT INTO audit (seq, at, actor, action, detail, previous, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                sequence, time.milliseconds, actor, action, detail, Blob(previous), Blob(hash),
            ])
        return AuditEntry(
            sequence: sequence, time: time, actor: actor, action: action, detail: detail,
            hash: hash)
    }
}
