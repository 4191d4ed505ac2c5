extension Migration {
    /// Several kinds of item for one platform, what platforms have set, and what they cost.
    ///
    /// The days of `delivery_day` are told by kind from now on; before there was one kind for each
    /// platform, and the attempts of those days were not counted. An item that several parts make up
    /// has to know the highest revision that anybody may have seen.
    static let uplinks = Migration(
        identifier: "0014-uplinks",
        sql: """
            CREATE TABLE delivery_day_by_kind (
                day INTEGER NOT NULL,
                uplink TEXT NOT NULL,
                kind TEXT NOT NULL,
                scope TEXT NOT NULL,
                owed INTEGER NOT NULL,
                accepted INTEGER NOT NULL,
                rejected INTEGER NOT NULL,
                expired INTEGER NOT NULL,
                attempts INTEGER NOT NULL DEFAULT 0,
                PRIMARY KEY (day, uplink, kind, scope)
            ) STRICT, WITHOUT ROWID;
            INSERT INTO delivery_day_by_kind
                (day, uplink, kind, scope, owed, accepted, rejected, expired)
                SELECT day, uplink, ifnull(
                    (SELECT kind FROM outbox WHERE outbox.uplink = delivery_day.uplink
                        AND outbox.scope = delivery_day.scope ORDER BY start DESC LIMIT 1),
                    'rollup/15min'), scope, owed, accepted, rejected, expired
                FROM delivery_day;
            DROP TABLE delivery_day;
            ALTER TABLE delivery_day_by_kind RENAME TO delivery_day;
            ALTER TABLE outbox ADD COLUMN revision_tried INTEGER NOT NULL DEFAULT -1;
            UPDATE outbox SET revision_tried =
                iif(attempts > 0, revision_owed, max(revision_sent, revision_settled));
            CREATE TABLE uplink_setting (
                uplink TEXT NOT NULL,
                scope TEXT NOT NULL,
                name TEXT NOT NULL,
                value TEXT NOT NULL,
                at INTEGER NOT NULL,
                PRIMARY KEY (uplink, scope, name)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE uplink_traffic (
                uplink TEXT NOT NULL,
                day INTEGER NOT NULL,
                bytes INTEGER NOT NULL,
                PRIMARY KEY (uplink, day)
            ) STRICT, WITHOUT ROWID;
            """)
}
