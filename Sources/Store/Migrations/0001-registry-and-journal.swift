extension Migration {
    /// The registry, whose numbers never change their meaning, and the journal.
    ///
    /// `deliveries` stands before `scans`, so that it can be read without walking the pages of
    /// the longer blob. Two indexes find the rows that touch a range of scan times: nearly all rows
    /// span less than a minute, and the partial index holds the others.
    static let registryAndJournal = Migration(
        identifier: "0001-registry-and-journal",
        sql: """
            PRAGMA application_id = \(applicationID);
            CREATE TABLE device (
                number INTEGER PRIMARY KEY,
                name TEXT NOT NULL UNIQUE
            ) STRICT;
            CREATE TABLE series (
                number INTEGER PRIMARY KEY,
                device INTEGER NOT NULL REFERENCES device(number),
                point TEXT NOT NULL,
                kind TEXT NOT NULL CHECK (kind IN ('gauge', 'counter', 'state', 'text')),
                unit TEXT NOT NULL,
                counter_modulus REAL,
                counter_resets TEXT,
                is_urgent INTEGER NOT NULL,
                UNIQUE (device, point, kind, unit)
            ) STRICT;
            CREATE TABLE scan_group (
                number INTEGER PRIMARY KEY,
                device INTEGER NOT NULL REFERENCES device(number),
                interface TEXT NOT NULL,
                name TEXT NOT NULL,
                columns TEXT NOT NULL,
                period_ms INTEGER,
                is_polled INTEGER NOT NULL,
                lateness_ms INTEGER NOT NULL,
                is_current INTEGER NOT NULL,
                UNIQUE (device, interface, name, columns)
            ) STRICT;
            CREATE UNIQUE INDEX scan_group_current ON scan_group(device, interface, name)
                WHERE is_current = 1;
            CREATE TABLE boot (
                number INTEGER PRIMARY KEY,
                boot_id TEXT NOT NULL UNIQUE
            ) STRICT;
            CREATE TABLE journal (
                seq INTEGER PRIMARY KEY,
                boot INTEGER NOT NULL REFERENCES boot(number),
                monotonic_ms INTEGER NOT NULL,
                wall_ms INTEGER NOT NULL,
                trust INTEGER NOT NULL,
                first_ms INTEGER NOT NULL,
                last_ms INTEGER NOT NULL,
                deliveries BLOB,
                scans BLOB NOT NULL
            ) STRICT;
            CREATE INDEX journal_time ON journal(first_ms);
            CREATE INDEX journal_long ON journal(last_ms) WHERE last_ms - first_ms > 60000;
            CREATE TABLE fixed (
                name TEXT PRIMARY KEY,
                value TEXT NOT NULL
            ) STRICT, WITHOUT ROWID;
            """)
}
