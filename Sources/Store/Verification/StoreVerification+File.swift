import GRDB
import Telemetry

extension StoreVerification {
    /// SQLite's own check, table by table with its indexes; journal and buckets are read row by row
    /// anyway, so for them it would only hold the log for as long as gigabytes take.
    func checkStructure(_ step: Step, _ report: inout VerificationReport) async throws {
        let tables = try await rows(
            "list the tables",
            """
            SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'
            """, [])
        for (index, table) in tables.enumerated() {
            guard let name = table[0].string else { continue }
            try await step.done(Double(index) / Double(max(1, tables.count)))
            if ["journal", "bucket"].contains(name) { continue }
            report.checked(.structure)
            let answers = try await ownCheck(name)
            for answer in answers where answer != "ok" {
                report.found(.structure, DataLoss(table: name, rows: 1, cause: answer))
            }
        }
    }

    private func ownCheck(_ table: String) async throws(StoreError) -> [String] {
        let quoted = table.replacing("'", with: "''")
        let answer = try await readable(
            "check \(table)", "PRAGMA integrity_check('\(quoted)')", [])
        return answer.damage.map { [$0] } ?? answer.rows.compactMap { $0.first?.string }
    }

    func checkSchema(_ report: inout VerificationReport) async throws {
        let known = Migration.all.map(\.identifier)
        let applied = Set(
            try await rows("read the migrations", "SELECT identifier FROM grdb_migrations", [])
                .compactMap { $0[0].string })
        for identifier in known {
            report.checked(.schema)
            if !applied.contains(identifier) {
                report.found(
                    .schema,
                    DataLoss(
                        table: "grdb_migrations", part: identifier, rows: 1,
                        cause: "a migration that has not run"))
            }
        }
        for identifier in applied.subtracting(known).sorted() {
            report.found(
                .schema,
                DataLoss(
                    table: "grdb_migrations", part: identifier, rows: 1,
                    cause: "a migration that this program does not know"))
        }
    }

    func checkRegistry(_ report: inout VerificationReport) async throws {
        let registry = try await reader.read("read the registry") { db in
            let counts = try ["device", "series", "scan_group"].map {
                try Int.fetchOne(db, sql: "SELECT count(*) FROM \($0)") ?? 0
            }
            let dangling = try ["series", "scan_group", "journal"].map { table in
                let column = table == "journal" ? "boot" : "device"
                let target = table == "journal" ? "boot" : "device"
                return (
                    table,
                    try Int.fetchOne(
                        db,
                        sql: """
                            SELECT count(*) FROM "\(table)"
                            WHERE "\(column)" NOT IN (SELECT number FROM "\(target)")
                            """) ?? 0
                )
            }
            return (counts.reduce(0, +), dangling)
        }
        report.checked(.registry, registry.0)
        for (table, count) in registry.1 where count > 0 {
            report.found(
                .registry,
                DataLoss(table: table, rows: count, cause: "rows that refer to a row that is gone"))
        }
    }

    func checkOutbox(_ report: inout VerificationReport) async throws {
        let counts = try await rows(
            "check the outbox",
            """
            SELECT uplink, count(*), sum(revision_sent > revision_settled
                OR revision_settled > revision_owed OR revision_owed < 0 OR revision_sent < -1
                OR attempts < 0), min(start), max(start)
            FROM outbox GROUP BY uplink
            """, [])
        for row in counts {
            report.checked(.outbox, Int(row[1].integer ?? 0))
            guard let bad = row[2].integer, bad > 0 else { continue }
            report.found(
                .outbox,
                DataLoss(
                    table: "outbox", part: row[0].string,
                    from: row[3].integer.map(Timestamp.init(milliseconds:)),
                    to: row[4].integer.map(Timestamp.init(milliseconds:)), rows: Int(bad),
                    cause: "items whose revisions contradict each other"))
        }
    }

    func checkAudit(_ report: inout VerificationReport) async throws {
        switch try await reader.verifyAudit() {
        case .intact(let entries): report.checked(.audit, entries)
        case .broken(let sequence):
            report.checked(.audit, Int(sequence))
            report.found(
                .audit,
                DataLoss(
                    table: "audit", part: "entry \(sequence)", rows: 1,
                    cause: "the chain is broken: an entry was changed, removed or inserted"))
        }
    }

    func checkAlarms(_ step: Step, _ report: inout VerificationReport) async throws {
        var last = Int64.min
        while true {
            let page = try await rows(
                "check the alarms",
                """
                SELECT a.id, a.key, a.rule || '|' || a.series || '|' || a.onset, a.state, a.onset,
                    t.to_state, t.at, a.series,
                    a.transition IS (SELECT max(n.id) FROM alarm_transition n WHERE n.alarm = a.id),
                    (SELECT count(*) FROM alarm_transition n WHERE n.alarm = a.id)
                FROM alarm a LEFT JOIN alarm_transition t ON t.id = a.transition
                WHERE a.id > ? ORDER BY a.id LIMIT \(Self.page)
                """, [last])
            for row in page {
                report.checked(.alarms, 1 + Int(row[9].integer ?? 0))
                let cause: String? =
                    if row[1] != row[2] {
                        "alarms whose key is not their rule, series and onset"
                    } else if row[8].integer != 1 {
                        "alarms that do not stand at their newest transition"
                    } else if row[3] != row[5] {
                        "alarms whose state is not that of their newest transition"
                    } else {
                        nil
                    }
                guard let cause else { continue }
                let onset = row[4].integer.map(Timestamp.init(milliseconds:))
                report.found(
                    .alarms,
                    DataLoss(
                        table: "alarm", device: row[7].string.flatMap(SeriesID.init)?.device.text,
                        part: row[1].string, from: onset, to: onset, rows: 1, cause: cause))
            }
            guard page.count == Self.page, let next = page.last?[0].integer else { break }
            last = next
            try await step.done(0.5)
        }
        let stray = try await reader.read("check the transitions") { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM alarm_transition
                    WHERE alarm NOT IN (SELECT id FROM alarm)
                    """) ?? 0
        }
        if stray > 0 {
            report.found(
                .alarms,
                DataLoss(table: "alarm_transition", rows: stray, cause: "transitions of no alarm"))
        }
    }
}
