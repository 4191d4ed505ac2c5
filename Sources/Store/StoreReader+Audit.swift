import GRDB
import Telemetry

extension StoreReader {
    /// Entries of the audit chain after a sequence, in order.
    package func audit(
        after sequence: Int64 = 0, limit: Int = 100
    ) async throws(StoreError) -> [AuditEntry] {
        try await auditPage(sequence, limit).map(\.entry)
    }

    /// Walks the whole chain, page by page, and stops at the first entry that does not fit.
    package func verifyAudit() async throws(StoreError) -> AuditVerdict {
        var previous = AuditChain.origin
        var sequence: Int64 = 0
        while true {
            let page = try await auditPage(sequence, 500)
            for (entry, storedPrevious) in page {
                let hash = AuditChain.hash(
                    previous: previous, sequence: entry.sequence, time: entry.time,
                    actor: entry.actor, action: entry.action, detail: entry.detail)
                guard entry.sequence == sequence + 1, storedPrevious == previous,
                    entry.hash == hash
                else { return .broken(atSequence: sequence + 1) }
                (previous, sequence) = (hash, entry.sequence)
            }
            if page.isEmpty { return .intact(entries: Int(sequence)) }
        }
    }

    private func auditPage(
        _ sequence: Int64, _ limit: Int
    ) async throws(StoreError) -> [(entry: AuditEntry, previous: [UInt8])] {
        try await read("read the audit chain") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT seq, at, actor, action, detail, hash, previous FROM audit
                    WHERE seq > ? ORDER BY seq LIMIT ?
                    """, arguments: [sequence, max(0, limit)]
            ).map { row in
                (
                    AuditEntry(
                        sequence: row[0], time: Timestamp(milliseconds: row[1]), actor: row[2],
                        action: row[3], detail: row[4], hash: row.bytes(5)),
                    row.bytes(6)
                )
            }
        }
    }
}
