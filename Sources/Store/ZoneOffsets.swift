import GRDB
import Telemetry

/// The site's offsets from UTC as rows, so that plain SQL can print local time.
enum ZoneOffsets {
    /// Writes them unless they are there already; a start changes nothing then.
    static func fix(_ calendar: SiteCalendar, _ pool: DatabasePool) throws {
        let wanted = calendar.offsets.map { [$0.at.milliseconds, Int64($0.offset)] }
        let stored = try pool.read { db in
            try Row.fetchAll(db, sql: "SELECT at, offset_seconds FROM zone_offset ORDER BY at")
                .map { [$0[0] as Int64, $0[1] as Int64] }
        }
        guard stored != wanted else { return }
        try pool.write { db in
            try db.execute(sql: "DELETE FROM zone_offset")
            for row in wanted {
                try db.execute(
                    sql: "INSERT INTO zone_offset (at, offset_seconds) VALUES (?, ?)",
                    arguments: [row[0], row[1]])
            }
        }
    }
}
