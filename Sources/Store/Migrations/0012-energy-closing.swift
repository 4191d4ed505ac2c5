extension Migration {
    /// Statements that were closed, each once; its hash stands in the audit chain too.
    static let energyClosing = Migration(
        identifier: "0012-energy-closing",
        sql: """
            CREATE TABLE energy_closing (
                kind TEXT NOT NULL,
                period TEXT NOT NULL,
                closed_at INTEGER NOT NULL,
                actor TEXT NOT NULL,
                hash BLOB NOT NULL,
                body BLOB NOT NULL,
                PRIMARY KEY (kind, period)
            ) STRICT, WITHOUT ROWID;
            """)
}
