import Foundation
import GRDB
import Telemetry

// Salvage does not ask SQLite for the rows of a damaged file: it reads the pages itself. So there is
// one way, whatever is broken, the damaged file and its log stay as they were found, and a row is
// lost only with the page that held it.
//
//     1. each table's tree is walked from its root in the schema (PageWalker)
//     2. where a tree has gaps, rows are taken from pages that hang on no tree, told by their shape
//     3. rows of the registry and alarms that are lost still stand in the table's unique index
//     4. journal rows and buckets count only with a valid checksum

/// Takes everything readable out of a damaged file into a new one.
struct Salvage {
    /// The order of copying: what is small and cannot be had again comes first.
    private static let order = [
        "fixed", "device", "series", "scan_group", "boot", "cursor", "evaluation_state", "audit",
        "alarm", "alarm_transition", "instruction", "silence", "hazard", "hazard_step",
        "crane_record", "notice",
        "outbox", "uplink_total", "uplink_setting", "uplink_traffic", "delivery_day", "journal",
        "rollup", "bucket",
    ]

    private let walker: PageWalker
    private let db: Database
    private let shapes: [TableShape]
    private let progress: (Double) -> Void
    private var roots: [String: Int] = [:]
    private var indexRoots: [(table: String, root: Int, isAutomatic: Bool)] = []
    private(set) var report = SalvageReport()
    private var incomplete: Set<String> = []
    private var entries: [String: [[PageValue]]] = [:]
    var lostJournal = LostJournalRows()

    /// - Parameter db: an empty store outside of a transaction.
    static func run(
        _ image: SQLiteImage, into db: Database, progress: @escaping (Double) -> Void
    ) throws -> SalvageReport {
        var salvage = try Salvage(image, db, progress)
        try db.execute(sql: "BEGIN")
        do {
            try salvage.copy()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            salvage.report.isCutShort = true
        }
        try salvage.mend()
        try db.execute(sql: "COMMIT")
        return salvage.report
    }

    private init(
        _ image: SQLiteImage, _ db: Database, _ progress: @escaping (Double) -> Void
    ) throws {
        walker = PageWalker(image)
        self.db = db
        self.progress = progress
        let order = { (shape: TableShape) in
            Self.order.firstIndex(of: shape.name) ?? Self.order.count
        }
        // Packed hours are made anew from the rows that could be saved.
        shapes = try TableShape.all(db).filter { $0.name != "counted_hours" }
            .sorted { (order($0), $0.name) < (order($1), $1.name) }
        report.tables = shapes.map { SalvageReport.Table(name: $0.name) }
    }

    private mutating func copy() throws {
        readSchema()
        for (index, shape) in shapes.enumerated() {
            try copyTree(of: shape, index)
            progress(Double(index + 1) / Double(shapes.count + 2))
        }
        walkIndexes()
        try copyOrphans()
        progress(Double(shapes.count + 1) / Double(shapes.count + 2))
        for (table, rows) in entries { try restore(table, fromIndex: rows) }
    }

    /// The roots of tables and indexes: rows of the table whose root is page 1.
    private mutating func readSchema() {
        var found: [(type: String, name: String, table: String, root: Int)] = []
        _ = walker.walk(root: 1, isTable: true) { record in
            guard let values = record.values, values.count >= 4,
                case .text(let type) = values[0], case .text(let name) = values[1],
                case .text(let table) = values[2], case .integer(let root) = values[3], root > 1
            else { return }
            found.append((type, name, table, Int(clamping: root)))
        }
        for item in found {
            if item.type == "table" {
                roots[item.name] = item.root
            } else if item.type == "index" {
                indexRoots.append(
                    (item.table, item.root, item.name.hasPrefix("sqlite_autoindex")))
            }
        }
    }

    private mutating func copyTree(of shape: TableShape, _ index: Int) throws {
        guard let root = roots[shape.name] else {
            incomplete.insert(shape.name)
            return
        }
        let gaps = try walker.walk(root: root, isTable: shape.hasRowID) { record in
            if try insert(record, shape, index) == .unfit {
                report.tables[index].lost += 1
                incomplete.insert(shape.name)
                if shape.name == "journal" { lostJournal.add(record) }
            }
        }
        if shape.name == "journal" { lostJournal.spans += gaps.spans }
        report.tables[index].lostPages += gaps.pages
        if !gaps.isIntact { incomplete.insert(shape.name) }
    }

    private enum Outcome { case kept, known, unfit }

    private mutating func insert(
        _ record: PageRecord, _ shape: TableShape, _ index: Int
    ) throws -> Outcome {
        guard let row = shape.fit(record) else { return .unfit }
        guard try BlobCheck.isSound(row, of: shape.name) else { return .unfit }
        if shape.name == "bucket", try overlaps(row) { return .known }
        do {
            try db.cachedStatement(sql: shape.insertion(of: row.count))
                .execute(arguments: StatementArguments(row))
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            return .unfit
        }
        guard db.changesCount > 0 else { return .known }
        report.tables[index].kept += 1
        return .kept
    }

    /// Whether a bucket of the same group is there already for a part of the same time.
    private func overlaps(_ row: [DatabaseValue]) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT ifnull((SELECT "end" FROM bucket WHERE scan_group = ? AND start < ?
                        ORDER BY start DESC LIMIT 1) > ?, 0)
                    """), arguments: [row[1], row[3], row[2]]) ?? false
    }

    /// Marks the pages of the indexes as met, and keeps what may replace lost rows.
    private mutating func walkIndexes() {
        for index in indexRoots {
            let isWanted =
                index.isAutomatic && IndexRows.tables.contains(index.table)
                && incomplete.contains(index.table)
            _ = walker.walk(root: index.root, isTable: false) { record in
                guard isWanted, let values = record.values else { return }
                entries[index.table, default: []].append(values)
            }
        }
    }

    /// Rows on pages that no tree leads to, for the tables that miss some.
    private mutating func copyOrphans() throws {
        let wanted = shapes.indices.filter { incomplete.contains(shapes[$0].name) }
        if wanted.isEmpty { return }
        try walker.orphans { record, isTable in
            for index in wanted where shapes[index].hasRowID == isTable {
                guard BlobCheck.canBe(record, of: shapes[index].name) else { continue }
                if try insert(record, shapes[index], index) != .unfit { return }
            }
            guard !isTable, let values = record.values else { return }
            for table in IndexRows.tables.sorted()
            where incomplete.contains(table) && IndexRows.canBe(values, of: table) {
                entries[table, default: []].append(values)
            }
        }
    }

    private mutating func restore(_ table: String, fromIndex rows: [[PageValue]]) throws {
        guard let index = shapes.firstIndex(where: { $0.name == table }) else { return }
        if table == "bucket" {
            let missing = try LostBuckets.missing(rows, db)
            report.tables[index].lost = missing.count
            report.losses += try LostBuckets.losses(missing, db)
            return
        }
        var restored = 0
        for row in rows where try IndexRows.insert(row, table, db) { restored += 1 }
        report.tables[index].kept += restored
        report.tables[index].lost = max(0, report.tables[index].lost - restored)
    }

    /// Makes the new file consistent in itself.
    private mutating func mend() throws {
        report.losses += try lostJournal.losses(db)
        report.keptCheckpoint = try SalvageRepair.mend(db)
        for index in shapes.indices {
            let table = report.tables[index]
            report.tables[index].kept =
                try Int.fetchOne(db, sql: "SELECT count(*) FROM \"\(table.name)\"") ?? 0
            guard table.lost + table.lostPages > 0, table.name != "journal",
                table.name != "bucket" || !report.losses.contains(where: { $0.table == "bucket" })
            else { continue }
            let pages = table.lostPages > 0 ? "\(table.lostPages) pages cannot be read" : ""
            report.losses.append(
                DataLoss(
                    table: table.name, rows: table.lost,
                    cause: pages.isEmpty ? "rows that are no rows of this table" : pages))
        }
        report.losses = DataLoss.joined(report.losses)
    }
}
