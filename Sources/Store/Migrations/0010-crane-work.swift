extension Migration {
    /// Lifts, overloads and near misses of cranes, each by its deterministic key.
    ///
    /// The columns are what people ask for; `body` is the whole record as JSON.
    static let craneWork = Migration(
        identifier: "0010-crane-work",
        sql: """
            CREATE TABLE crane_record (
                key TEXT PRIMARY KEY,
                kind TEXT NOT NULL CHECK (kind IN ('lift', 'overload', 'near_miss')),
                crane TEXT NOT NULL,
                start INTEGER NOT NULL,
                finish INTEGER NOT NULL,
                peak_load_t REAL,
                peak_moment_percent REAL,
                greatest_wind_m_s REAL,
                overloads INTEGER NOT NULL,
                backfill INTEGER NOT NULL,
                body TEXT NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX crane_record_start ON crane_record(kind, start);
            """)
}
