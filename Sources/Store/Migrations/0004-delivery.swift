extension Migration {
    /// What is owed to whom, what was tried, and what became of it.
    ///
    /// An item is owed while `revision_owed` exceeds `revision_settled`; the partial index holds
    /// only those, so that a year of delivered items costs the reporting loop nothing.
    static let delivery = Migration(
        identifier: "0004-delivery",
        sql: """
            CREATE TABLE outbox (
                uplink TEXT NOT NULL,
                kind TEXT NOT NULL,
                scope TEXT NOT NULL,
                start INTEGER NOT NULL,
                revision_owed INTEGER NOT NULL,
                revision_sent INTEGER NOT NULL DEFAULT -1,
                revision_settled INTEGER NOT NULL DEFAULT -1,
                due INTEGER NOT NULL,
                attempted INTEGER,
                attempts INTEGER NOT NULL DEFAULT 0,
                reason TEXT,
                PRIMARY KEY (uplink, kind, scope, start)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX outbox_owed ON outbox(uplink, start)
                WHERE revision_owed > revision_settled;
            CREATE INDEX outbox_start ON outbox(start);
            CREATE TABLE attempt (
                id INTEGER PRIMARY KEY,
                at INTEGER NOT NULL,
                uplink TEXT NOT NULL,
                kind TEXT NOT NULL,
                scope TEXT NOT NULL,
                start INTEGER NOT NULL,
                revision INTEGER NOT NULL,
                outcome TEXT NOT NULL
                    CHECK (outcome IN ('accepted', 'retry', 'rejected', 'expired')),
                reason TEXT
            ) STRICT;
            CREATE TABLE uplink_total (
                uplink TEXT PRIMARY KEY,
                accepted INTEGER NOT NULL DEFAULT 0,
                retry INTEGER NOT NULL DEFAULT 0,
                rejected INTEGER NOT NULL DEFAULT 0,
                expired INTEGER NOT NULL DEFAULT 0,
                last_outcome TEXT NOT NULL,
                last_reason TEXT,
                last_at INTEGER NOT NULL,
                last_accepted_at INTEGER
            ) STRICT, WITHOUT ROWID;
            """)
}
