import GRDB
import Telemetry

/// The name under which the evaluation keeps its cursor.
let evaluationReader = "evaluation"

extension StoreWriter {
    /// Makes everything that the evaluation found durable in one transaction, or nothing of it.
    ///
    /// Applying the same effects again changes nothing: rollups give way only to a higher revision,
    /// transitions and owed items have deterministic keys. Seals need a checkpoint: only scans that
    /// its cursor includes are sealed, and journal rows go in the transaction that writes the bucket.
    package func apply(_ effects: EvaluationEffects) throws(StoreError) {
        if effects.isEmpty { return }
        let what = "apply effects up to journal row \(effects.checkpoint?.cursor ?? 0)"
        let (head, registry) = (shared.head.value, shared.registry.value)
        let damaged = shared.damage.value.causes.keys
        let calendar = shared.calendar
        let sealed = try commit(what) { db in
            let changed = try RollupRows.upsert(effects.rollups, db)
            for transition in effects.transitions { try AlarmRows.insert(transition, db) }
            for record in effects.instructions { try InstructionRows.insert(record, db) }
            for notice in effects.notices { try InstructionRows.insert(notice, db) }
            for record in effects.craneRecords { try CraneRows.insert(record, db) }
            for item in effects.owed { try OutboxRows.owe(item, changed, calendar, db) }
            guard let checkpoint = effects.checkpoint else { return [SealOutcome]() }
            try Self.save(checkpoint, db)
            var after = head
            var outcomes: [SealOutcome] = []
            for request in effects.seals {
                guard
                    let outcome = try Self.seal(
                        request, upTo: checkpoint.cursor, after, registry, db)
                else { continue }
                after.apply(outcome)
                outcomes.append(outcome)
            }
            if !outcomes.isEmpty {
                try Self.trimJournal(after, damaged: damaged, upTo: checkpoint.cursor, db)
            }
            return outcomes
        }
        // Only now: a reader that finds a scan neither here nor in a bucket would have lost it.
        shared.head.withValue { head in for outcome in sealed { head.apply(outcome) } }
        shared.effects.light(shared.effects.newest + 1)
        lookAtLog()
    }

    private static func save(_ checkpoint: EvaluationCheckpoint, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO cursor (reader, seq) VALUES (?, ?)
                ON CONFLICT DO UPDATE SET seq = excluded.seq
                """
        ).execute(arguments: [evaluationReader, checkpoint.cursor])
        try db.cachedStatement(
            sql: """
                INSERT INTO evaluation_state (reader, version, state) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET version = excluded.version, state = excluded.state
                """
        ).execute(arguments: [evaluationReader, checkpoint.version, Blob(checkpoint.state)])
    }
}
