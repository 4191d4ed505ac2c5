import GRDB
import Telemetry

/// A finished record of a crane's work as it is stored.
package struct StoredCraneRecord: Hashable, Sendable {
    /// What was recorded.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case lift, overload
        case nearMiss = "near_miss"
    }

    /// With the kind in front: `lift|crane-1|1795305600000`.
    package var key: String
    package var kind: Kind
    package var crane: DeviceID
    package var start: Timestamp
    package var end: Timestamp
    /// Tonnes.
    package var peakLoad: Double?
    /// Percent of the rated moment.
    package var peakMoment: Double?
    /// Metres per second.
    package var greatestWind: Double?
    package var overloads: Int
    package var isBackfill: Bool
    /// The whole record as JSON.
    package var body: String

    package init(
        key: String, kind: Kind, crane: DeviceID, start: Timestamp, end: Timestamp,
        peakLoad: Double?, peakMoment: Double?, greatestWind: Double?, overloads: Int,
        isBackfill: Bool, body: String
    ) {
        self.key = key
        self.kind = kind
        self.crane = crane
        self.start = start
        self.end = end
        self.peakLoad = peakLoad
        self.peakMoment = peakMoment
        self.greatestWind = greatestWind
        self.overloads = overloads
        self.isBackfill = isBackfill
        self.body = body
    }
}

/// Records of cranes as rows.
enum CraneRows {
    /// Stores a record; one that is there already does nothing.
    static func insert(_ record: StoredCraneRecord, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO crane_record (key, kind, crane, start, finish, peak_load_t,
                    peak_moment_percent, greatest_wind_m_s, overloads, backfill, body)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [
            record.key, record.kind.rawValue, record.crane.text, record.start.milliseconds,
            record.end.milliseconds, record.peakLoad, record.peakMoment, record.greatestWind,
            record.overloads, record.isBackfill, record.body,
        ])
    }
}

extension StoreReader {
    /// Records of one kind that began in `[from, to)`, oldest first.
    ///
    /// - Parameter crane: nil: of every crane.
    package func craneRecords(
        _ kind: StoredCraneRecord.Kind, crane: DeviceID? = nil, from: Timestamp, to: Timestamp,
        limit: Int = 10_000
    ) async throws(StoreError) -> [StoredCraneRecord] {
        try await read("read what cranes did") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT key, crane, start, finish, peak_load_t, peak_moment_percent,
                        greatest_wind_m_s, overloads, backfill, body
                    FROM crane_record
                    WHERE kind = ?1 AND start >= ?2 AND start < ?3 AND (?4 IS NULL OR crane = ?4)
                    ORDER BY start, key LIMIT ?5
                    """,
                arguments: [
                    kind.rawValue, from.milliseconds, to.milliseconds, crane?.text, max(0, limit),
                ]
            ).map { row in
                StoredCraneRecord(
                    key: row[0], kind: kind, crane: DeviceID(row[1]),
                    start: Timestamp(milliseconds: row[2]), end: Timestamp(milliseconds: row[3]),
                    peakLoad: row[4], peakMoment: row[5], greatestWind: row[6], overloads: row[7],
                    isBackfill: row[8], body: row[9])
            }
        }
    }
}
