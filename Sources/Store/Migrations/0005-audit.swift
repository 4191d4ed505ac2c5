extension Migration {
    /// The audit chain: each row carries the hash of the one before.
    static let audit = Migration(
        identifier: "0005-audit",
        sql: """
            CREATE TABLE audit (
                seq INTEGER PRIMARY KEY,
                at INTEGER NOT NULL,
                actor TEXT NOT NULL,
                action TEXT NOT NULL,
                detail TEXT NOT NULL,
                previous BLOB NOT NULL,
                hash BLOB NOT NULL
            ) STRICT;
            """)
}
