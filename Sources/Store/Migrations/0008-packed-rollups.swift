extension Migration {
    /// Quarters of past days as one blob for each day and 64 series, and what retention remembers:
    /// the clock by which age is judged, and what was removed, by class and reason.
    static let packedRollups = Migration(
        identifier: "0008-packed-rollups",
        sql: """
            CREATE TABLE rollup_pack (
                id INTEGER PRIMARY KEY,
                resolution INTEGER NOT NULL,
                start INTEGER NOT NULL,
                block INTEGER NOT NULL,
                rows INTEGER NOT NULL,
                codec INTEGER NOT NULL,
                data BLOB NOT NULL,
                UNIQUE (resolution, start, block)
            ) STRICT;
            CREATE TABLE retention_clock (
                id INTEGER PRIMARY KEY CHECK (id = 1),
                at INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE removed (
                class TEXT NOT NULL,
                reason TEXT NOT NULL,
                items INTEGER NOT NULL,
                owed INTEGER NOT NULL,
                first_ms INTEGER,
                last_ms INTEGER,
                PRIMARY KEY (class, reason)
            ) STRICT, WITHOUT ROWID;
            """)
}
