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
            try AuditRows.append(actor: actor, action: action, detail: detail, at: time, db)
        }
    }
}
