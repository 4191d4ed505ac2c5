import GRDB

/// How the rows of one of our tables look on a page, so that a row can be told without its table.
struct TableShape {
    struct Column {
        var name: String
        var type: String
        var isRequired: Bool
        var hasDefault: Bool
    }

    let name: String
    /// In the order of the record: of a table without rowid the primary key comes first.
    let columns: [Column]
    let hasRowID: Bool
    /// The column that is the rowid; its place in the record holds NULL.
    let alias: Int?

    /// The tables of a file that has just been made.
    static func all(_ db: Database) throws -> [TableShape] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT name, wr FROM pragma_table_list
                WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'
                    AND name NOT LIKE 'grdb%'
                """
        ).map { try TableShape(name: $0[0], hasRowID: $0[1] == 0, db) }
    }

    private init(name: String, hasRowID: Bool, _ db: Database) throws {
        self.name = name
        self.hasRowID = hasRowID
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT name, type, "notnull" OR (pk > 0 AND NOT :rowid), dflt_value IS NOT NULL, pk
                FROM pragma_table_info(:table) ORDER BY iif(:rowid OR pk = 0, 1000, pk), cid
                """, arguments: ["table": name, "rowid": hasRowID])
        columns = rows.map {
            Column(name: $0[0], type: $0[1], isRequired: $0[2], hasDefault: $0[3])
        }
        let keys = rows.indices.filter { rows[$0][4] as Int > 0 }
        alias = hasRowID && keys.count == 1 && columns[keys[0]].type == "INTEGER" ? keys[0] : nil
    }

    /// The row's values by column, those that an older schema did not have left out; nil when it
    /// cannot be a row of this table.
    func fit(_ record: PageRecord) -> [DatabaseValue]? {
        guard let values = record.values, !values.isEmpty, values.count <= columns.count,
            (record.rowID != nil) == hasRowID,
            columns[values.count...].allSatisfy({ !$0.isRequired || $0.hasDefault })
        else { return nil }
        var row: [DatabaseValue] = []
        for (index, value) in values.enumerated() {
            if index == alias {
                guard value == .null, let rowID = record.rowID else { return nil }
                row.append(rowID.databaseValue)
            } else if let fitted = columns[index].fit(value) {
                row.append(fitted)
            } else {
                return nil
            }
        }
        return row
    }

    func insertion(of count: Int) -> String {
        let names = columns.prefix(count).map { "\"\($0.name)\"" }.joined(separator: ", ")
        let marks = repeatElement("?", count: count).joined(separator: ", ")
        return "INSERT OR IGNORE INTO \"\(name)\" (\(names)) VALUES (\(marks))"
    }
}

extension TableShape.Column {
    /// The value if a STRICT table could hold it here. Whole doubles are stored as integers.
    fileprivate func fit(_ value: PageValue) -> DatabaseValue? {
        switch (value, type) {
        case (.null, _): isRequired ? nil : .null
        case (.integer(let number), "REAL"): Double(number).databaseValue
        case (.integer(let number), "INTEGER"): number.databaseValue
        case (.real(let number), "REAL"): number.databaseValue
        case (.text(let text), "TEXT"): text.databaseValue
        case (.blob(let bytes), "BLOB"): Blob(bytes).databaseValue
        default: nil
        }
    }
}
