import GRDB
import Telemetry

/// The newest reading of each series as rows, for people who open the file with `sqlite3`.
///
/// The gateway itself never reads them. They are written every few minutes, and only those
/// that have changed, so that they cost the flash next to nothing; a series' first one is not
/// kept waiting.
enum LatestRows {
    static let interval: Int64 = 300_000

    static func save(
        _ readings: [Int: LatestReading], _ db: Database
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO reading_latest (series, at, number, text, quality)
                VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET at = excluded.at, number = excluded.number,
                    text = excluded.text, quality = excluded.quality
                """)
        for (series, latest) in readings.sorted(by: { $0.key < $1.key }) {
            var text: String?
            if case .text(let word)? = latest.reading.value { text = word }
            try statement.execute(arguments: [
                series, latest.time.milliseconds, latest.reading.number, text,
                latest.reading.qualityWord,
            ])
        }
    }
}
