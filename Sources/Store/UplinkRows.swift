import GRDB
import Telemetry

/// Bytes that went to a platform.
package struct UplinkTraffic: Hashable, Sendable {
    package var uplink: String
    package var bytes: Int64

    package init(uplink: String, bytes: Int64) {
        self.uplink = uplink
        self.bytes = bytes
    }
}

/// What platforms have set, and what they cost, as rows.
enum UplinkRows {
    static func keep(
        _ setting: PlatformSetting, of uplink: String, at now: Timestamp, _ db: Database
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO uplink_setting (uplink, scope, name, value, at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET value = excluded.value, at = excluded.at
                """
        ).execute(arguments: [
            uplink, setting.scope, setting.name, setting.value, now.milliseconds,
        ])
    }

    static func add(
        _ traffic: UplinkTraffic, at now: Timestamp, _ calendar: SiteCalendar, _ db: Database
    ) throws {
        let day = Bucket(.day, containing: now, calendar: calendar).start
        try db.cachedStatement(
            sql: """
                INSERT INTO uplink_traffic (uplink, day, bytes) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes
                """
        ).execute(arguments: [traffic.uplink, day.milliseconds, traffic.bytes])
    }
}

extension StoreWriter {
    /// Keeps what a platform has set; it outlives connection and restart.
    package func keep(
        _ setting: PlatformSetting, of uplink: String, at now: Timestamp
    ) throws(StoreError) {
        try write("keep what \(uplink) has set") { db in
            try UplinkRows.keep(setting, of: uplink, at: now, db)
        }
    }
}

extension StoreReader {
    /// What a platform has set, newest value of each name, in order of scope and name.
    package func platformSettings(
        of uplink: String
    ) async throws(StoreError) -> [PlatformSetting] {
        try await read("read what \(uplink) has set") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT scope, name, value FROM uplink_setting WHERE uplink = ?
                    ORDER BY scope, name
                    """, arguments: [uplink]
            ).map { PlatformSetting(scope: $0[0], name: $0[1], value: $0[2]) }
        }
    }

    /// Bytes that went to a platform on the site days from `from` up to `to`.
    package func traffic(
        uplink: String, from: Timestamp, to: Timestamp
    ) async throws(StoreError) -> Int64 {
        try await read("read what \(uplink) has cost") { db in
            try Int64.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT ifnull(sum(bytes), 0) FROM uplink_traffic
                        WHERE uplink = ? AND day >= ? AND day < ?
                        """),
                arguments: [uplink, from.milliseconds, to.milliseconds]) ?? 0
        }
    }

    /// The calendar by which the store cuts days.
    package var calendar: SiteCalendar { shared.calendar }
}
