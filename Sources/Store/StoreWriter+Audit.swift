import GRDB
import Telemetry

extension StoreWriter {
    /// Appends one entry to the audit chain.
    ///
    /// - Parameters:
    ///   - actor: who did it.
    ///   - action: what was done, for example `configuration.changed`.
    ///   - detail: the change itself, as text.
    @discardableResult
    package func appendAudit(
        actor: String, action: String, detail: String, at time: Timestamp
    ) throws(StoreError) -> AuditEntry {
        try write("append to the audit chain") { db in
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
}
