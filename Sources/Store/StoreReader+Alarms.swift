import GRDB
import Telemetry

extension StoreReader {
    /// Alarms from the newest onset to the oldest; a breach that never became an alarm is none.
    ///
    /// - Parameters:
    ///   - openOnly: only those that a person should look at.
    ///   - cursor: goes on after this place of the list.
    package func alarms(
        openOnly: Bool = false, limit: Int = 100, before cursor: AlarmCursor? = nil
    ) async throws(StoreError) -> [AlarmRecord] {
        let open = """
            a.state IN ('active_unacknowledged', 'active_acknowledged', 'returned_unacknowledged',
                'latched')
            """
        let place = cursor ?? AlarmCursor(onset: Timestamp(milliseconds: .max), id: .max)
        return try await read("read the alarms") { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        \(AlarmRows.alarmColumns) WHERE \(openOnly ? open : "a.raised IS NOT NULL")
                            AND (a.onset, a.id) < (?, ?)
                        ORDER BY a.onset DESC, a.id DESC LIMIT ?
                        """), arguments: [place.onset.milliseconds, place.id, max(0, limit)]
            ).compactMap(AlarmRows.record)
        }
    }

    /// Every change of state of one alarm, at most 10,000, as they followed each other. What people
    /// do bears the gateway's time, everything else that of the data, so times may go back a little.
    package func transitions(alarmKey: String) async throws(StoreError) -> [AlarmTransition] {
        try await read("read the transitions of \(alarmKey)") { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        \(AlarmRows.transitionColumns)
                        WHERE a.key = ? ORDER BY t.id LIMIT 10000
                        """), arguments: [alarmKey]
            ).compactMap(AlarmRows.transition)
        }
    }

    /// The number of the newest change of any alarm; 0 before the first.
    package func newestAlarmChange() async throws(StoreError) -> Int64 {
        try await read("read the newest change of an alarm") { db in
            try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT max(id) FROM alarm_transition")) ?? 0
        }
    }

    /// Changes of alarms behind one of them, in their order: each alarm as it stood then.
    ///
    /// The coming and going of a breach that did not hold long enough is no change of an alarm.
    ///
    /// - Returns: without the alarm where its row cannot be read, so that what follows is found.
    package func alarmChanges(
        after id: Int64, limit: Int = 1000
    ) async throws(StoreError) -> [(id: Int64, alarm: AlarmRecord?)] {
        try await read("read the changes of alarms") { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        \(AlarmRows.changeColumns)
                        WHERE t.id > ? AND t.to_state <> 'pending'
                            AND NOT (t.from_state = 'pending' AND t.to_state = 'normal')
                        ORDER BY t.id LIMIT ?
                        """), arguments: [id, max(0, limit)]
            ).map { row in (id: row[22], alarm: AlarmRows.record(row)) }
        }
    }
}
