import GRDB
import Telemetry

/// Alarms and their transitions as rows.
enum AlarmRows {
    /// Stores a transition, and its state as the alarm's; one that is there already does nothing.
    static func insert(_ transition: AlarmTransition, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO alarm (key, rule, series, onset, state) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (key) DO NOTHING
                """
        ).execute(arguments: [
            transition.alarmKey, transition.rule, transition.series.description,
            transition.onset.milliseconds, transition.from.rawValue,
        ])
        let select = try db.cachedStatement(sql: "SELECT id FROM alarm WHERE key = ?")
        guard let alarm = try Int64.fetchOne(select, arguments: [transition.alarmKey]) else {
            return
        }
        let evidence = transition.evidence
        try db.cachedStatement(
            sql: """
                INSERT INTO alarm_transition (alarm, at, from_state, to_state, rule_version,
                    severity, value, unit, limit_value, window_start, window_end, samples,
                    coverage, backfill, actor, note, word, others)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (alarm, at, from_state, to_state) DO NOTHING
                """
        ).execute(arguments: [
            alarm, transition.time.milliseconds, transition.from.rawValue,
            transition.to.rawValue, transition.ruleVersion, transition.severity, evidence.value,
            evidence.unit, evidence.limit, evidence.windowStart.milliseconds,
            evidence.windowEnd.milliseconds, evidence.samples, evidence.coverage,
            transition.isBackfill, transition.actor, transition.note, evidence.word,
            OtherSeries.text(evidence.others),
        ])
        guard db.changesCount > 0 else { return }
        try db.cachedStatement(
            sql: """
                UPDATE alarm SET state = ?, transition = ?, raised = ifnull(raised, ?)
                WHERE id = ?
                """
        ).execute(arguments: [
            transition.to.rawValue, db.lastInsertedRowID,
            transition.to.isOpen ? transition.time.milliseconds : nil, alarm,
        ])
    }

    static let alarmColumns = """
        SELECT a.id, a.key, a.rule, a.series, a.onset, a.raised, a.state,
            t.at, t.rule_version, t.severity, t.value, t.unit, t.limit_value, t.window_start,
            t.window_end, t.samples, t.coverage, t.word, t.others, t.backfill, t.actor, t.note
        FROM alarm a JOIN alarm_transition t ON t.id = a.transition
        """

    /// As `alarmColumns`, of any change: the alarm as it stood then, and the number of the change.
    static let changeColumns = """
        SELECT a.id, a.key, a.rule, a.series, a.onset, a.raised, t.to_state,
            t.at, t.rule_version, t.severity, t.value, t.unit, t.limit_value, t.window_start,
            t.window_end, t.samples, t.coverage, t.word, t.others, t.backfill, t.actor, t.note, t.id
        FROM alarm_transition t JOIN alarm a ON a.id = t.alarm
        """

    static func record(_ row: Row) -> AlarmRecord? {
        let name: String = row[3]
        guard let series = SeriesID(name), let state = AlarmState(rawValue: row[6]) else {
            return nil
        }
        let onset = Timestamp(milliseconds: row[4])
        let raised: Int64? = row[5]
        return AlarmRecord(
            id: row[0], key: row[1], rule: row[2], ruleVersion: row[8], severity: row[9],
            series: series, onset: onset, raised: raised.map(Timestamp.init) ?? onset,
            state: state, changed: Timestamp(milliseconds: row[7]), evidence: evidence(row, at: 10),
            isBackfill: row[19], actor: row[20], note: row[21])
    }

    static let transitionColumns = """
        SELECT a.rule, a.series, a.onset, t.from_state, t.to_state, t.at, t.rule_version,
            t.severity, t.backfill, t.value, t.unit, t.limit_value, t.window_start, t.window_end,
            t.samples, t.coverage, t.word, t.others, t.actor, t.note
        FROM alarm a JOIN alarm_transition t ON t.alarm = a.id
        """

    static func transition(_ row: Row) -> AlarmTransition? {
        let name: String = row[1]
        guard let series = SeriesID(name), let from = AlarmState(rawValue: row[3]),
            let to = AlarmState(rawValue: row[4])
        else { return nil }
        return AlarmTransition(
            rule: row[0], ruleVersion: row[6], severity: row[7], series: series,
            onset: Timestamp(milliseconds: row[2]), from: from, to: to,
            time: Timestamp(milliseconds: row[5]), evidence: evidence(row, at: 9),
            isBackfill: row[8], actor: row[18], note: row[19])
    }

    /// Nine columns from `value` on. SQLite has no NaN: it stores NULL for it.
    private static func evidence(_ row: Row, at index: Int) -> AlarmEvidence {
        let value: Double? = row[index]
        let limit: Double? = row[index + 2]
        return AlarmEvidence(
            value: value ?? .nan, unit: row[index + 1], limit: limit ?? .nan,
            windowStart: Timestamp(milliseconds: row[index + 3]),
            windowEnd: Timestamp(milliseconds: row[index + 4]), samples: row[index + 5],
            coverage: row[index + 6], word: row[index + 7],
            others: OtherSeries.list(row[index + 8]))
    }
}

/// The further series of a judgement as one text: a line each, its fields apart by TAB.
///
///     series TAB unit TAB value, or nothing TAB word, or nothing
enum OtherSeries {
    /// nil for none.
    static func text(_ others: [AlarmEvidence.Other]) -> String? {
        if others.isEmpty { return nil }
        return others.map { other in
            [
                other.series.description, other.unit, other.value.map { "\($0)" } ?? "",
                other.word ?? "",
            ].joined(separator: "\t")
        }.joined(separator: "\n")
    }

    static func list(_ text: String?) -> [AlarmEvidence.Other] {
        (text ?? "").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 4, let series = SeriesID(String(fields[0])) else { return nil }
            return AlarmEvidence.Other(
                series: series, value: Double(fields[2]),
                word: fields[3].isEmpty ? nil : String(fields[3]), unit: String(fields[1]))
        }
    }
}
