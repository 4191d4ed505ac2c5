extension Migration {
    /// What became of the items of each site day, platform by platform, kept when the items are not.
    ///
    /// `day` is the day's first instant in the site's zone. An item counts once, as it stands now:
    /// what is neither accepted, rejected nor expired is still owed. `is_expired` tells items that
    /// were given up from those that were refused; of older rows the attempts tell, or that there
    /// were none. The counts of older items are made at the next start, which knows the calendar.
    static let deliveryDays = Migration(
        identifier: "0011-delivery-days",
        sql: """
            CREATE TABLE delivery_day (
                day INTEGER NOT NULL,
                uplink TEXT NOT NULL,
                scope TEXT NOT NULL,
                owed INTEGER NOT NULL,
                accepted INTEGER NOT NULL,
                rejected INTEGER NOT NULL,
                expired INTEGER NOT NULL,
                PRIMARY KEY (day, uplink, scope)
            ) STRICT, WITHOUT ROWID;
            ALTER TABLE outbox ADD COLUMN is_expired INTEGER NOT NULL DEFAULT 0;
            UPDATE outbox SET is_expired = 1
            WHERE revision_owed <= revision_settled AND revision_sent < revision_settled
                AND (attempted IS NULL OR (uplink, kind, scope, start, revision_settled) IN
                    (SELECT uplink, kind, scope, start, revision FROM attempt
                    WHERE outcome = 'expired'));
            """)
}
