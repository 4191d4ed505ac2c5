import GRDB
import Telemetry

/// Journal rows that were not to be read, turned into ranges of time.
struct LostJournalRows {
    /// Rowids behind pages that are lost: above the first, up to the second.
    var spans: [(above: Int64, upTo: Int64)] = []
    private var rows: [(sequence: Int64, first: Int64?, last: Int64?)] = []

    mutating func add(_ record: PageRecord) {
        guard let sequence = record.rowID else { return }
        var range: (Int64?, Int64?) = (nil, nil)
        if let values = record.values, values.count >= 7, case .integer(let first) = values[5],
            case .integer(let last) = values[6], first <= last
        {
            range = (first, last)
        }
        rows.append((sequence, range.0, range.1))
    }

    func losses(_ db: Database) throws -> [DataLoss] {
        var losses: [DataLoss] = []
        for row in rows {
            // A row that came back from a stray page is not lost.
            if try Self.exists(above: row.sequence - 1, upTo: row.sequence, db) { continue }
            let around = try Self.neighbours(above: row.sequence - 1, upTo: row.sequence, db)
            losses.append(
                Self.loss(
                    row.first ?? around.from, row.last.map { $0 + 1 } ?? around.to, rows: 1,
                    "journal rows that cannot be decoded"))
        }
        for span in spans where try Self.exists(above: span.above, upTo: span.upTo, db) == false {
            let around = try Self.neighbours(above: span.above, upTo: span.upTo, db)
            let count = span.upTo.subtractingReportingOverflow(span.above)
            let isKnown = span.above != .min && span.upTo != .max && !count.overflow
            losses.append(
                Self.loss(
                    around.from, around.to, rows: isKnown ? Int(count.partialValue) : 0,
                    "journal pages that cannot be read"))
        }
        return losses
    }

    private static func loss(_ from: Int64?, _ to: Int64?, rows: Int, _ cause: String) -> DataLoss {
        DataLoss(
            table: "journal", from: from.map(Timestamp.init(milliseconds:)),
            to: to.map(Timestamp.init(milliseconds:)), rows: rows, cause: cause)
    }

    private static func exists(
        above: Int64, upTo: Int64, _ db: Database
    ) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM journal WHERE seq > ? AND seq <= ?)",
            arguments: [above, upTo]) ?? false
    }

    private static func neighbours(
        above: Int64, upTo: Int64, _ db: Database
    ) throws -> (from: Int64?, to: Int64?) {
        let from = try Int64.fetchOne(
            db, sql: "SELECT wall_ms FROM journal WHERE seq <= ? ORDER BY seq DESC LIMIT 1",
            arguments: [above])
        let to = try Int64.fetchOne(
            db, sql: "SELECT wall_ms FROM journal WHERE seq > ? ORDER BY seq LIMIT 1",
            arguments: [upTo])
        return (from, to)
    }
}

/// Buckets that their index knows and nobody has.
enum LostBuckets {
    struct Entry: Hashable {
        var group: Int64
        var start: Int64
    }

    /// - Parameter entries: of the unique index: group, start, rowid.
    static func missing(_ entries: [[PageValue]], _ db: Database) throws -> [Entry] {
        let find = try db.cachedStatement(
            sql: "SELECT 1 FROM bucket WHERE scan_group = ? AND start = ?")
        var missing: Set<Entry> = []
        for entry in entries {
            guard entry.count == 3, case .integer(let group) = entry[0],
                case .integer(let start) = entry[1],
                try Int.fetchOne(find, arguments: [group, start]) == nil
            else { continue }
            missing.insert(Entry(group: group, start: start))
        }
        return missing.sorted { ($0.group, $0.start) < ($1.group, $1.start) }
    }

    /// A bucket spans at most so long; where the next one begins is known better.
    private static let longest: Int64 = 6 * 3_600_000

    static func losses(_ missing: [Entry], _ db: Database) throws -> [DataLoss] {
        let names = try GroupNames(db)
        let next = try db.cachedStatement(
            sql: "SELECT min(start) FROM bucket WHERE scan_group = ? AND start > ?")
        return try missing.indices.map { index in
            let entry = missing[index]
            var end = entry.start &+ longest
            if let stored = try Int64.fetchOne(next, arguments: [entry.group, entry.start]) {
                end = min(end, stored)
            }
            if index + 1 < missing.count, missing[index + 1].group == entry.group {
                end = min(end, missing[index + 1].start)
            }
            let name = names[entry.group]
            return DataLoss(
                table: "bucket", device: name?.device, part: name?.part,
                from: Timestamp(milliseconds: entry.start), to: Timestamp(milliseconds: end),
                rows: 1, cause: "buckets that cannot be read")
        }
    }
}

/// The names of scan groups by number, for reports.
struct GroupNames {
    private var names: [Int64: (device: String, part: String)] = [:]

    init(_ db: Database) throws {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT g.number, d.name, g.interface || '/' || g.name
                FROM scan_group g JOIN device d ON d.number = g.device
                """)
        for row in rows {
            guard let number = Int64.fromDatabaseValue(row[0]),
                let device = String.fromDatabaseValue(row[1]),
                let part = String.fromDatabaseValue(row[2])
            else { continue }
            names[number] = (device, part)
        }
    }

    subscript(group: Int64) -> (device: String, part: String)? { names[group] }
}
