extension Migration {
    /// What the evaluation folds: rollups in order of time, its state, and its cursor.
    static let rollupsAndEvaluation = Migration(
        identifier: "0002-rollups-and-evaluation",
        sql: """
            CREATE TABLE rollup (
                resolution INTEGER NOT NULL,
                start INTEGER NOT NULL,
                series INTEGER NOT NULL,
                count INTEGER NOT NULL,
                bad INTEGER NOT NULL,
                expected INTEGER,
                sum REAL,
                min REAL,
                max REAL,
                first REAL,
                last REAL,
                increase REAL,
                estimated INTEGER NOT NULL,
                revision INTEGER NOT NULL,
                PRIMARY KEY (resolution, start, series)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE cursor (
                reader TEXT PRIMARY KEY,
                seq INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE evaluation_state (
                reader TEXT PRIMARY KEY REFERENCES cursor(reader),
                version INTEGER NOT NULL,
                state BLOB NOT NULL
            ) STRICT;
            """)
}
