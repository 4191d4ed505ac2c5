import GRDB
import Telemetry

extension StoreWriter {
    /// Removes what is older than the policy keeps, one bounded step of it, and checkpoints the log.
    ///
    /// A journal row above the evaluation's cursor stays whatever its age, and so does the newest.
    package func housekeeping(
        now: Timestamp, policy: HousekeepingPolicy
    ) throws(StoreError) -> HousekeepingReport {
        let limit = max(1, policy.maximumRowsPerStep)
        var report = try write("housekeeping") { db in
            var report = HousekeepingReport()
            try Self.trimJournal(before: now - policy.rawRetention, limit, db, &report)
            for (resolution, retention) in policy.rollupRetention {
                try Self.prune(resolution, before: now - retention, limit, db, &report)
            }
            try Self.trimOutbox(before: now - policy.outboxRetention, limit, db, &report)
            try db.execute(
                sql: """
                    DELETE FROM attempt WHERE id IN (SELECT id FROM attempt
                        WHERE id <= (SELECT max(id) FROM attempt) - ? ORDER BY id LIMIT ?)
                    """, arguments: [max(0, policy.attemptsKept), limit])
            report.attempts = db.changesCount
            return report
        }
        report.hasMore =
            report.journalRows == limit || report.outboxRows == limit || report.attempts == limit
            || report.rollups.values.contains(limit)
        report.isCheckpointComplete = try checkpoint()
        return report
    }

    private static func trimJournal(
        before cutoff: Timestamp, _ limit: Int, _ db: Database, _ report: inout HousekeepingReport
    ) throws {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT seq, first_ms, last_ms FROM journal
                WHERE first_ms < :cutoff AND last_ms < :cutoff
                    AND seq <= ifnull((SELECT seq FROM cursor WHERE reader = :reader), 0)
                    AND seq < (SELECT max(seq) FROM journal)
                ORDER BY first_ms LIMIT :limit
                """,
            arguments: [
                "cutoff": cutoff.milliseconds, "reader": evaluationReader, "limit": limit,
            ])
        let delete = try db.cachedStatement(sql: "DELETE FROM journal WHERE seq = ?")
        for row in rows {
            try delete.execute(arguments: [row[0] as Int64])
            let first = Timestamp(milliseconds: row[1])
            let last = max(first, Timestamp(milliseconds: row[2]))
            let range = report.journalRange ?? first...last
            report.journalRange = min(range.lowerBound, first)...max(range.upperBound, last)
        }
        report.journalRows = rows.count
    }

    private static func prune(
        _ resolution: Resolution, before cutoff: Timestamp, _ limit: Int, _ db: Database,
        _ report: inout HousekeepingReport
    ) throws {
        let code = RollupRows.code(resolution)
        try db.execute(
            sql: """
                DELETE FROM rollup WHERE (resolution, start, series) IN (
                    SELECT resolution, start, series FROM rollup
                    WHERE resolution = ? AND start < ? ORDER BY start LIMIT ?)
                """, arguments: [code, cutoff.milliseconds, limit])
        if db.changesCount > 0 { report.rollups[resolution] = db.changesCount }
    }

    private static func trimOutbox(
        before cutoff: Timestamp, _ limit: Int, _ db: Database, _ report: inout HousekeepingReport
    ) throws {
        try db.execute(
            sql: """
                DELETE FROM outbox WHERE (uplink, kind, scope, start) IN (
                    SELECT uplink, kind, scope, start FROM outbox
                    WHERE start < ? AND revision_owed <= revision_settled
                    ORDER BY start LIMIT ?)
                """, arguments: [cutoff.milliseconds, limit])
        report.outboxRows = db.changesCount
    }

    /// Moves the log into the file without waiting for readers; a log that has grown is cut back.
    private func checkpoint() throws(StoreError) -> Bool {
        try shared.checkUsable("checkpoint the write-ahead log")
        let file = shared.file
        do {
            return try file.pool.writeWithoutTransaction { db in
                let result = try db.checkpoint(.passive)
                let isComplete = result.checkpointedFrameCount == result.walFrameCount
                if isComplete, StoreFile.size(file.path + "-wal") > StoreFile.walLimit {
                    try db.checkpoint(.truncate)
                }
                return isComplete
            }
        } catch {
            let error = StoreError("checkpoint the write-ahead log", error)
            // A reader in the way is no fault: the next step tries again.
            if error.code == .busy { return false }
            throw shared.noted(error)
        }
    }
}
