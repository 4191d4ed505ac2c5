extension Migration {
    /// What counters counted by the hour, once more, packed by series: made from the hours, and
    /// made anew whenever one of them changes.
    static let countedHours = Migration(
        identifier: "0013-counted-hours",
        sql: """
            CREATE TABLE counted_hours (
                id INTEGER PRIMARY KEY,
                start INTEGER NOT NULL,
                series INTEGER NOT NULL,
                until INTEGER NOT NULL,
                codec INTEGER NOT NULL,
                data BLOB NOT NULL,
                UNIQUE (start, series)
            ) STRICT;
            """)
}
