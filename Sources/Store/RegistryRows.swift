import GRDB
import Telemetry

/// The registry as rows: `device`, `series`, `scan_group`.
enum RegistryRows {
    static func load(_ db: Database) throws -> Registry {
        var series: [Int: Series] = [:]
        let sql = """
            SELECT s.number, d.name, s.point, s.kind, s.unit, s.counter_modulus, s.counter_resets,
                   s.is_urgent
            FROM series s JOIN device d ON d.number = s.device
            """
        for row in try Row.fetchAll(db, sql: sql) {
            let number: Int = row[0]
            let resets: String? = row[6]
            series[number] = Series(
                number: number, id: SeriesID(device: DeviceID(row[1]), point: PointKey(row[2])),
                kind: SeriesKind(rawValue: row[3]) ?? .gauge, unit: row[4],
                counter: resets.map {
                    CounterPolicy(
                        modulus: row[5], resets: CounterPolicy.Resets(rawValue: $0) ?? .never)
                }, isUrgent: row[7])
        }
        var current: [ScanGroup] = []
        var superseded: [ScanGroup] = []
        let groups = """
            SELECT g.number, d.name, g.interface, g.name, g.columns, g.period_ms, g.is_polled,
                   g.lateness_ms, g.is_current
            FROM scan_group g JOIN device d ON d.number = g.device ORDER BY g.number
            """
        for row in try Row.fetchAll(db, sql: groups) {
            let period: Int64? = row[5]
            let group = ScanGroup(
                id: ScanGroup.ID(row[0]), device: DeviceID(row[1]), interface: row[2],
                name: row[3], series: numbers(row[4]).compactMap { series[$0] },
                period: period.map { .milliseconds($0) }, isPolled: row[6],
                lateness: .milliseconds(row[7] as Int64))
            if row[8] { current.append(group) } else { superseded.append(group) }
        }
        return Registry(groups: current, superseded: superseded)
    }

    /// Gives numbers to a group and its series; what is known already keeps its number.
    static func register(_ group: ScanGroup, _ db: Database) throws -> ScanGroup {
        var numbered = group
        let device = try deviceNumber(group.device, db)
        for index in numbered.series.indices {
            let own = group.series[index].id.device
            let owner = own == group.device ? device : try deviceNumber(own, db)
            numbered.series[index].number = try seriesNumber(group.series[index], of: owner, db)
        }
        let columns = "[" + numbered.series.map { "\($0.number)" }.joined(separator: ",") + "]"
        let identity: StatementArguments = [device, group.interface, group.name]
        let known = try Int.fetchOne(
            db,
            sql: """
                SELECT number FROM scan_group
                WHERE device = ? AND interface = ? AND name = ? AND columns = ?
                """, arguments: identity + [columns])
        try db.execute(
            sql: """
                UPDATE scan_group SET is_current = 0
                WHERE device = ? AND interface = ? AND name = ? AND is_current = 1
                    AND number IS NOT ?
                """, arguments: identity + [known])
        let values: StatementArguments = [
            group.period?.milliseconds, group.isPolled, group.lateness.milliseconds,
        ]
        if let known {
            try db.execute(
                sql: """
                    UPDATE scan_group
                    SET period_ms = ?, is_polled = ?, lateness_ms = ?, is_current = 1
                    WHERE number = ?
                    """, arguments: values + [known])
            numbered.id = ScanGroup.ID(known)
        } else {
            try db.execute(
                sql: """
                    INSERT INTO scan_group (period_ms, is_polled, lateness_ms, is_current,
                        device, interface, name, columns)
                    VALUES (?, ?, ?, 1, ?, ?, ?, ?)
                    """, arguments: values + identity + [columns])
            numbered.id = ScanGroup.ID(Int(db.lastInsertedRowID))
        }
        return numbered
    }

    private static func deviceNumber(_ device: DeviceID, _ db: Database) throws -> Int {
        let select = "SELECT number FROM device WHERE name = ?"
        if let known = try Int.fetchOne(db, sql: select, arguments: [device.text]) { return known }
        try db.execute(sql: "INSERT INTO device (name) VALUES (?)", arguments: [device.text])
        return Int(db.lastInsertedRowID)
    }

    /// The number of (device, point, kind, unit); how a counter falls may change under it.
    private static func seriesNumber(
        _ series: Series, of device: Int, _ db: Database
    ) throws -> Int {
        let policy: StatementArguments = [
            series.counter?.modulus, series.counter?.resets.rawValue, series.isUrgent,
        ]
        let known = try Int.fetchOne(
            db,
            sql: """
                SELECT number FROM series
                WHERE device = ? AND point = ? AND kind = ? AND unit = ?
                """,
            arguments: [device, series.id.point.text, series.kind.rawValue, series.unit])
        if let known {
            try db.execute(
                sql: """
                    UPDATE series SET counter_modulus = ?, counter_resets = ?, is_urgent = ?
                    WHERE number = ?
                    """, arguments: policy + [known])
            return known
        }
        try db.execute(
            sql: """
                INSERT INTO series (counter_modulus, counter_resets, is_urgent, device, point,
                    kind, unit)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: policy + [
                device, series.id.point.text, series.kind.rawValue, series.unit,
            ])
        return Int(db.lastInsertedRowID)
    }

    /// `[1,2,3]` as numbers; what is no number is left out.
    private static func numbers(_ columns: String) -> [Int] {
        columns.split { "[], ".contains($0) }.compactMap { Int($0) }
    }
}
