extension Migration {
    /// Sealed buckets, how far each group is sealed, and the mapping of each boot's time.
    ///
    /// A scan of a group is sealed when its journal row is not above `sealed_seq` and its time lies
    /// before `sealed_until`. Rows of an untrusted clock hold monotonic times; `offset_ms` maps them.
    /// Rows of the boots before this step were stamped with the wall clock, so their offset is 0.
    /// Journal rows are found by sequence only from here on: two indexes less to write each commit.
    static let buckets = Migration(
        identifier: "0006-buckets",
        sql: """
            CREATE TABLE bucket (
                id INTEGER PRIMARY KEY,
                scan_group INTEGER NOT NULL REFERENCES scan_group(number),
                start INTEGER NOT NULL,
                end INTEGER NOT NULL,
                rows INTEGER NOT NULL,
                codec INTEGER NOT NULL,
                data BLOB NOT NULL,
                UNIQUE (scan_group, start)
            ) STRICT;
            CREATE TABLE bucket_quarantine (
                id INTEGER PRIMARY KEY,
                scan_group INTEGER NOT NULL,
                start INTEGER NOT NULL,
                end INTEGER NOT NULL,
                rows INTEGER NOT NULL,
                codec INTEGER NOT NULL,
                data BLOB NOT NULL,
                cause TEXT NOT NULL
            ) STRICT;
            ALTER TABLE scan_group ADD COLUMN sealed_seq INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE scan_group
                ADD COLUMN sealed_until INTEGER NOT NULL DEFAULT -9223372036854775808;
            ALTER TABLE boot ADD COLUMN offset_ms INTEGER;
            ALTER TABLE boot ADD COLUMN is_estimated INTEGER NOT NULL DEFAULT 0;
            UPDATE boot SET offset_ms = 0;
            DROP INDEX journal_time;
            DROP INDEX journal_long;
            """)
}
