extension Migration {
    /// Alarms by their deterministic key, and every change of their state.
    static let alarms = Migration(
        identifier: "0003-alarms",
        sql: """
            CREATE TABLE alarm (
                id INTEGER PRIMARY KEY,
                key TEXT NOT NULL UNIQUE,
                rule TEXT NOT NULL,
                series TEXT NOT NULL,
                onset INTEGER NOT NULL,
                raised INTEGER,
                state TEXT NOT NULL,
                transition INTEGER
            ) STRICT;
            CREATE INDEX alarm_onset ON alarm(onset, id) WHERE raised IS NOT NULL;
            CREATE INDEX alarm_open ON alarm(onset, id) WHERE state IN
                ('active_unacknowledged', 'active_acknowledged', 'returned_unacknowledged');
            CREATE TABLE alarm_transition (
                id INTEGER PRIMARY KEY,
                alarm INTEGER NOT NULL REFERENCES alarm(id),
                at INTEGER NOT NULL,
                from_state TEXT NOT NULL,
                to_state TEXT NOT NULL,
                rule_version TEXT NOT NULL,
                severity TEXT NOT NULL,
                value REAL,
                unit TEXT NOT NULL,
                limit_value REAL,
                window_start INTEGER NOT NULL,
                window_end INTEGER NOT NULL,
                samples INTEGER NOT NULL,
                coverage REAL,
                backfill INTEGER NOT NULL,
                actor TEXT,
                UNIQUE (alarm, at, from_state, to_state)
            ) STRICT;
            """)
}
