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
                db,
                sql: """
                    \(AlarmRows.alarmColumns)
                    WHERE \(openOnly ? open : "a.raised IS NOT NULL") AND (a.onset, a.id) < (?, ?)
                    ORDER BY a.onset DESC, a.id DESC LIMIT ?
                    """, arguments: [place.onset.milliseconds, place.id, max(0, limit)]
            ).compactMap(AlarmRows.record)
        }
    }

    /// Every change of state of one alarm, at most 10,000, as they followed each other. What people
    /// do bears the gateway's time, everything else that of the data, so times may go back a little.
    package func transitions(alarmKey: String) async throws(StoreError) -> [AlarmTransition] {
        try await read("read the transitions of \(alarmKey)") { db in
            try Row.fetchAll(
                db,
                sql: """
                    \(AlarmRows.transitionColumns)
                    WHERE a.key = ? ORDER BY t.id LIMIT 10000
                    """, arguments: [alarmKey]
            ).compactMap(AlarmRows.transition)
        }
    }
}
