import GRDB
import Telemetry

/// Makes a salvaged file consistent: nothing refers to a row that is lost, no number is given twice.
enum SalvageRepair {
    /// Sequences skipped behind the newest known one, because newer rows may be among the lost.
    private static let margin: Int64 = 100_000

    /// - Returns: whether the evaluation's state and cursor were both there.
    static func mend(_ db: Database) throws -> Bool {
        try registry(db)
        try alarms(db)
        let newest = try newestSequence(db)
        let isKept = try keepsCheckpoint(db)
        if !isKept {
            // From the first row of the journal: what has been stored, raised or sent before has
            // its key in the file and does nothing again; a bucket whose raw data is gone keeps
            // its rollup, because that counts more readings.
            try db.execute(sql: "DELETE FROM evaluation_state; DELETE FROM cursor")
        }
        try pin(newest, db)
        return isKept
    }

    private static func registry(_ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO device (number, name)
                    SELECT DISTINCT device, 'lost-' || device FROM series
                    UNION SELECT DISTINCT device, 'lost-' || device FROM scan_group;
                INSERT OR IGNORE INTO boot (number, boot_id, offset_ms)
                    SELECT DISTINCT boot, 'lost-' || boot, 0 FROM journal;
                """)
    }

    /// An alarm stands as its newest transition says; one without a transition says nothing.
    private static func alarms(_ db: Database) throws {
        try db.execute(
            sql: """
                DELETE FROM alarm_transition WHERE alarm NOT IN (SELECT id FROM alarm);
                UPDATE alarm SET
                    transition = (SELECT max(t.id) FROM alarm_transition t WHERE t.alarm = alarm.id)
                    WHERE transition IS NULL
                        OR transition NOT IN (SELECT id FROM alarm_transition);
                DELETE FROM alarm WHERE transition IS NULL;
                UPDATE alarm SET
                    state = (SELECT to_state FROM alarm_transition t WHERE t.id = transition),
                    raised = ifnull(raised, (SELECT min(at) FROM alarm_transition t
                        WHERE t.alarm = alarm.id AND t.to_state IN
                            ('active_unacknowledged', 'active_acknowledged',
                             'returned_unacknowledged', 'latched')));
                DELETE FROM hazard_step WHERE hazard NOT IN (SELECT id FROM hazard);
                """)
    }

    private static func newestSequence(_ db: Database) throws -> Int64 {
        return try Int64.fetchOne(
            db,
            sql: """
                SELECT max(ifnull((SELECT max(seq) FROM journal), 0),
                    ifnull((SELECT max(seq) FROM cursor), 0),
                    ifnull((SELECT max(sealed_seq) FROM scan_group), 0))
                """) ?? 0
    }

    private static func keepsCheckpoint(_ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM evaluation_state e JOIN cursor c USING (reader)
                    WHERE reader = ?)
                """, arguments: [evaluationReader]) ?? false
    }

    /// An idle tick far behind the newest known row, so that no sequence is ever used twice.
    private static func pin(_ newest: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO boot (boot_id, offset_ms) VALUES ('salvage', 0);
                INSERT INTO journal (seq, boot, monotonic_ms, wall_ms, trust, first_ms, last_ms,
                        deliveries, scans)
                    SELECT ?1, (SELECT number FROM boot WHERE boot_id = 'salvage'), 0, wall, 1,
                        wall, wall, NULL, ?2
                    FROM (SELECT ifnull((SELECT wall_ms FROM journal ORDER BY seq DESC LIMIT 1), 0)
                        AS wall);
                """, arguments: [newest &+ margin, Blob(JournalCodec.encode([]))])
    }
}
