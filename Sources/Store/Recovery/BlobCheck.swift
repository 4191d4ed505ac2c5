import GRDB
import Telemetry

/// Whether a row's blob bears out that the row is what it looks like.
enum BlobCheck {
    /// The row of a table with its values by column; true for tables whose rows have no checksum.
    static func isSound(_ row: [DatabaseValue], of table: String) throws -> Bool {
        switch table {
        case "journal":
            guard row.count >= 9 else { return false }
            return (try? JournalCodec.decode(bytes(row[8]))) != nil
        case "bucket":
            guard row.count >= 7 else { return false }
            return StoredBucket.isSound(bytes(row[6]))
        default: return true
        }
    }

    /// Tells apart rows on stray pages that have the same types.
    static func canBe(_ record: PageRecord, of table: String) -> Bool {
        guard let values = record.values else { return false }
        switch (table, values.first, values.dropFirst().first) {
        case ("boot", _, .text(let name)): return isBootID(name)
        case ("device", _, .text(let name)): return !isBootID(name)
        case ("cursor", .text(let reader), _), ("evaluation_state", .text(let reader), _):
            return reader == evaluationReader
        case ("fixed", .text(let name), _): return name == "timezone"
        default: return true
        }
    }

    /// Linux gives each boot a UUID.
    static func isBootID(_ text: String) -> Bool {
        text.utf8.count == 36 && text.utf8.count { $0 == UInt8(ascii: "-") } == 4
    }

    private static func bytes(_ value: DatabaseValue) -> [UInt8] {
        Blob.fromDatabaseValue(value)?.bytes ?? []
    }
}
