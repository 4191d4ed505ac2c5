extension Migration {
    /// What people do with alarms, what is told of them, and more of what they rest on.
    ///
    /// `others` are the further series of a judgement (`OtherSeries`). A silence stands for one rule
    /// on one series, or on all (`rule|*`).
    static let alarmLife = Migration(
        identifier: "0009-alarm-life",
        sql: """
            ALTER TABLE alarm_transition ADD COLUMN note TEXT;
            ALTER TABLE alarm_transition ADD COLUMN word TEXT;
            ALTER TABLE alarm_transition ADD COLUMN others TEXT;
            DROP INDEX alarm_open;
            CREATE INDEX alarm_open ON alarm(onset, id) WHERE state IN
                ('active_unacknowledged', 'active_acknowledged', 'returned_unacknowledged',
                'latched');
            CREATE INDEX alarm_silent ON alarm(onset, id) WHERE state IN
                ('shelved', 'suppressed', 'out_of_service');
            CREATE TABLE instruction (
                id TEXT PRIMARY KEY,
                at INTEGER NOT NULL,
                actor TEXT NOT NULL,
                verb TEXT NOT NULL,
                subject TEXT NOT NULL,
                detail TEXT NOT NULL,
                note TEXT,
                changes INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX instruction_subject ON instruction(subject, at);
            CREATE TABLE silence (
                target TEXT PRIMARY KEY,
                state TEXT NOT NULL CHECK (state IN ('shelved', 'out_of_service')),
                since INTEGER NOT NULL,
                until INTEGER,
                actor TEXT NOT NULL,
                reason TEXT NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE hazard (
                id INTEGER PRIMARY KEY,
                alarm TEXT NOT NULL UNIQUE,
                state TEXT NOT NULL CHECK (state IN ('open', 'rectified', 'closed')),
                owner TEXT NOT NULL,
                deadline INTEGER NOT NULL,
                opened INTEGER NOT NULL,
                changed INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX hazard_unclosed ON hazard(deadline) WHERE state <> 'closed';
            CREATE TABLE hazard_step (
                id INTEGER PRIMARY KEY,
                hazard INTEGER NOT NULL REFERENCES hazard(id),
                at INTEGER NOT NULL,
                actor TEXT NOT NULL,
                step TEXT NOT NULL,
                deadline INTEGER,
                note TEXT,
                instruction TEXT NOT NULL UNIQUE
            ) STRICT;
            CREATE TABLE notice (
                feed TEXT NOT NULL,
                kind TEXT NOT NULL,
                subject TEXT NOT NULL,
                at INTEGER NOT NULL,
                alarms TEXT NOT NULL,
                total INTEGER NOT NULL,
                from_state TEXT,
                to_state TEXT,
                since INTEGER NOT NULL,
                PRIMARY KEY (feed, kind, subject, at)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX notice_at ON notice(at);
            """)
}
