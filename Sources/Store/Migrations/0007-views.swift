extension Migration {
    /// Tables and views for people who open the file with `sqlite3`: plain names, units, local time.
    ///
    /// `zone_offset` is filled at every start from the site's calendar, `reading_latest` every few
    /// minutes. docs/formats/store.md describes the views.
    static let views = Migration(
        identifier: "0007-views",
        sql: """
            CREATE TABLE zone_offset (
                at INTEGER PRIMARY KEY,
                offset_seconds INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE reading_latest (
                series INTEGER PRIMARY KEY REFERENCES series(number),
                at INTEGER NOT NULL,
                number REAL,
                text TEXT,
                quality TEXT NOT NULL
            ) STRICT;

            CREATE VIEW energy_hourly AS
            \(energy(of: 60, as: "local_hour", "%Y-%m-%d %H:%M"));

            CREATE VIEW energy_daily AS
            \(energy(of: 1440, as: "local_date", "%Y-%m-%d"));

            CREATE VIEW rollup_15min AS
            \(rollups(of: 15));

            CREATE VIEW rollup_hourly AS
            \(rollups(of: 60));

            CREATE VIEW rollup_daily AS
            \(rollups(of: 1440));

            CREATE VIEW readings_latest AS
            SELECT d.name AS device, s.point, l.number AS value, l.text, s.unit, l.quality,
                \(local("l.at", "%Y-%m-%d %H:%M:%S")) AS local_time,
                \(utc("l.at")) AS utc_time,
                CAST(strftime('%s', 'now') AS INTEGER) - l.at / 1000 AS age_seconds
            FROM reading_latest l
            JOIN series s ON s.number = l.series JOIN device d ON d.number = s.device;

            CREATE VIEW alarm_history AS
            SELECT a.rule, a.series, a.state, n.severity,
                \(local("a.onset", "%Y-%m-%d %H:%M:%S")) AS local_onset,
                \(local("a.raised", "%Y-%m-%d %H:%M:%S")) AS local_raised,
                \(local("c.cleared", "%Y-%m-%d %H:%M:%S")) AS local_cleared,
                (c.cleared - a.onset) / 1000 AS duration_seconds,
                c.highest_value, c.lowest_value, n.limit_value, n.unit,
                \(utc("a.onset")) AS utc_onset
            FROM alarm a
            JOIN alarm_transition n ON n.id = a.transition
            JOIN (
                SELECT alarm, max(value) AS highest_value, min(value) AS lowest_value,
                    min(CASE WHEN to_state IN ('normal', 'returned_unacknowledged')
                        THEN at END) AS cleared
                FROM alarm_transition GROUP BY alarm
            ) c ON c.alarm = a.id
            WHERE a.raised IS NOT NULL;
            """)

    /// The increase of every counter of energy in buckets of so many nominal minutes.
    private static func energy(of minutes: Int, as name: String, _ format: String) -> String {
        """
        SELECT d.name AS device, s.point,
            \(local("r.start", format)) AS \(name),
            \(utc("r.start")) AS utc_start,
            r.increase AS increase_kwh,
            \(coverage) AS coverage_percent,
            r.estimated AS is_estimated
        FROM rollup r
        JOIN series s ON s.number = r.series JOIN device d ON d.number = s.device
        WHERE r.resolution = \(minutes) AND s.kind = 'counter' AND s.unit = 'kWh'
        """
    }

    private static func rollups(of minutes: Int) -> String {
        """
        SELECT d.name AS device, s.point, s.unit,
            \(local("r.start", "%Y-%m-%d %H:%M")) AS local_start,
            \(utc("r.start")) AS utc_start,
            CASE WHEN r.count > 0 THEN r.sum / r.count END AS mean,
            r.min, r.max, r.first, r.last, r.increase,
            r.count AS good_readings, r.bad AS bad_readings, r.expected AS expected_readings,
            \(coverage) AS coverage_percent,
            r.estimated AS is_estimated, r.revision
        FROM rollup r
        JOIN series s ON s.number = r.series JOIN device d ON d.number = s.device
        WHERE r.resolution = \(minutes)
        """
    }

    /// NULL when nobody has said how many readings should have come.
    private static let coverage = """
        CASE WHEN r.expected > 0 THEN round(min(100.0, 100.0 * r.count / r.expected), 1) END
        """

    /// The site's civil time of a column of milliseconds.
    private static func local(_ column: String, _ format: String) -> String {
        """
        strftime('\(format)', \(column) / 1000 + (SELECT offset_seconds FROM zone_offset
                WHERE at <= \(column) ORDER BY at DESC LIMIT 1), 'unixepoch')
        """
    }

    private static func utc(_ column: String) -> String {
        "strftime('%Y-%m-%dT%H:%M:%SZ', \(column) / 1000, 'unixepoch')"
    }
}
