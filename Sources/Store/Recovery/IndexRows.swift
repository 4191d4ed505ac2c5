import GRDB

/// Rows that are lost in their table but whose unique index still tells them.
///
/// What the index does not hold (periods, counter policies) comes back when the gateway registers
/// its groups; the numbers, which must never change, are in the index.
enum IndexRows {
    static let tables: Set<String> = ["device", "series", "scan_group", "boot", "alarm", "bucket"]

    /// Whether an entry of an unknown index can be one of this table's unique index.
    static func canBe(_ values: [PageValue], of table: String) -> Bool {
        switch (table, values.count) {
        case ("device", 2):
            if case .text(let name) = values[0] {
                return !BlobCheck.isBootID(name) && !name.contains("|") && name != evaluationReader
            }
        case ("boot", 2):
            if case .text(let name) = values[0] { return BlobCheck.isBootID(name) }
        case ("alarm", 2):
            if case .text(let key) = values[0] { return key.count(where: { $0 == "|" }) >= 2 }
        case ("series", 5), ("scan_group", 5):
            if case .text(let kind) = values[2], case .integer = values[0] {
                let isSeries = ["gauge", "counter", "state", "text"].contains(kind)
                return isSeries == (table == "series")
            }
        case ("bucket", 3):
            return values.allSatisfy { if case .integer = $0 { true } else { false } }
        default: break
        }
        return false
    }

    /// - Returns: whether a row was missing and is there now.
    static func insert(_ entry: [PageValue], _ table: String, _ db: Database) throws -> Bool {
        var values: [any DatabaseValueConvertible] = []
        for value in entry {
            switch value {
            case .integer(let number): values.append(number)
            case .text(let text): values.append(text)
            default: return false
            }
        }
        guard let sql = statement(table, values.count) else { return false }
        if table == "alarm" {
            guard let key = values[0] as? String, let parts = AlarmKey(key) else { return false }
            values = [key, values[1], parts.rule, parts.series, parts.onset]
        }
        do {
            try db.execute(sql: sql, arguments: StatementArguments(values))
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            return false
        }
        return db.changesCount > 0
    }

    private static func statement(_ table: String, _ count: Int) -> String? {
        switch (table, count) {
        case ("device", 2): "INSERT OR IGNORE INTO device (name, number) VALUES (?, ?)"
        case ("boot", 2): "INSERT OR IGNORE INTO boot (boot_id, number, offset_ms) VALUES (?, ?, 0)"
        case ("series", 5):
            """
            INSERT OR IGNORE INTO series (device, point, kind, unit, number, counter_resets,
                is_urgent)
            VALUES (?1, ?2, ?3, ?4, ?5, iif(?3 = 'counter', 'never', NULL), 0)
            """
        case ("scan_group", 5):
            """
            INSERT OR IGNORE INTO scan_group (device, interface, name, columns, number, is_polled,
                lateness_ms, is_current)
            VALUES (?, ?, ?, ?, ?, 0, 30000, 0)
            """
        case ("alarm", 2):
            """
            INSERT OR IGNORE INTO alarm (key, id, rule, series, onset, state)
            VALUES (?, ?, ?, ?, ?, 'normal')
            """
        default: nil
        }
    }
}

/// The parts of `rule|series|onset`.
private struct AlarmKey {
    var rule: String
    var series: String
    var onset: Int64

    init?(_ key: String) {
        let parts = key.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count >= 3, let onset = Int64(parts[parts.count - 1]) else { return nil }
        self.onset = onset
        series = String(parts[parts.count - 2])
        rule = parts.dropLast(2).joined(separator: "|")
    }
}
