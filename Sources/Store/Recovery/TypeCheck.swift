import GRDB

/// Looks, before anything is taken for granted, that what a start reads has the types that its
/// STRICT tables promise: SQLite checks them on writing only, and a flipped bit changes them.
enum TypeCheck {
    private static let tables = [
        "device", "series", "scan_group", "boot", "fixed", "cursor", "evaluation_state", "journal",
    ]

    /// - Throws: `corrupt` naming the table.
    static func run(_ db: Database) throws {
        for table in tables {
            let columns = try Row.fetchAll(
                db, sql: "SELECT name, type, \"notnull\" OR pk > 0 FROM pragma_table_info(?)",
                arguments: [table])
            let faults = columns.compactMap { column -> String? in
                let name: String = column[0]
                let type: String = column[1]
                var allowed = type == "REAL" ? ["real", "integer"] : [type.lowercased()]
                if column[2] == false { allowed.append("null") }
                let list = allowed.map { "'\($0)'" }.joined(separator: ", ")
                return "typeof(\"\(name)\") NOT IN (\(list))"
            }
            let sql =
                "SELECT EXISTS (SELECT 1 FROM \(table) WHERE "
                + faults.joined(separator: " OR ") + ")"
            guard try Bool.fetchOne(db, sql: sql) == true else { continue }
            throw StoreError(
                .corrupt, "read the table \(table)",
                cause: "a row of \(table) holds values of types that it cannot hold",
                disposition: .stop)
        }
    }
}
