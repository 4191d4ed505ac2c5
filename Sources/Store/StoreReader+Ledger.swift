import GRDB
import Telemetry

/// What became of the items of one kind whose periods begin within one hour.
package struct DeliveryHour: Hashable, Sendable {
    package var kind: String
    /// The first instant of the hour, in UTC's grid.
    package var start: Timestamp
    package var owed: Int
    package var accepted: Int
    package var rejected: Int
    package var expired: Int

    /// Neither accepted nor settled otherwise.
    package var open: Int { owed - accepted - rejected - expired }
}

/// Why items were set aside or given up, and how many.
package struct DeliveryReason: Hashable, Sendable {
    package var kind: String
    /// `rejected` or `expired`.
    package var outcome: String
    package var reason: String
    package var count: Int
    /// The starts of the first and the last period.
    package var first: Timestamp
    package var last: Timestamp
}

extension StoreReader {
    /// What became of the items of one platform, hour by hour, as far back as the outbox reaches.
    ///
    /// - Parameters:
    ///   - from: of the first hour.
    ///   - to: the first instant after the last.
    package func deliveryHours(
        uplink: String, from: Timestamp, to: Timestamp
    ) async throws(StoreError) -> [DeliveryHour] {
        try await read("read what \(uplink) took by the hour") { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT kind, start - start % 3600000 AS hour, count(*),
                            sum(state = 'accepted'), sum(state = 'rejected'),
                            sum(state = 'expired')
                        FROM (SELECT kind, start, \(DeliveryState.sql) AS state FROM outbox
                            WHERE uplink = ? AND start >= ? AND start < ?)
                        GROUP BY kind, hour ORDER BY hour, kind
                        """),
                arguments: [uplink, from.milliseconds, to.milliseconds]
            ).map { row in
                DeliveryHour(
                    kind: row[0], start: Timestamp(milliseconds: row[1]), owed: row[2],
                    accepted: row[3], rejected: row[4], expired: row[5])
            }
        }
    }

    /// Why items of one platform were refused or given up, the most frequent reason first.
    package func deliveryReasons(
        uplink: String, from: Timestamp, to: Timestamp, limit: Int = 100
    ) async throws(StoreError) -> [DeliveryReason] {
        try await read("read why \(uplink) did not take items") { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT kind, state, ifnull(reason, ''), count(*), min(start), max(start)
                        FROM (SELECT kind, start, reason, \(DeliveryState.sql) AS state FROM outbox
                            WHERE uplink = ? AND start >= ? AND start < ?)
                        WHERE state IN ('rejected', 'expired')
                        GROUP BY kind, state, reason ORDER BY count(*) DESC, kind, reason LIMIT ?
                        """),
                arguments: [uplink, from.milliseconds, to.milliseconds, max(0, limit)]
            ).map { row in
                DeliveryReason(
                    kind: row[0], outcome: row[1], reason: row[2], count: row[3],
                    first: Timestamp(milliseconds: row[4]), last: Timestamp(milliseconds: row[5]))
            }
        }
    }

    /// How many items of one platform were settled since an instant, by outcome; for rates.
    package func attempts(
        uplink: String, since: Timestamp
    ) async throws(StoreError) -> [String: Int] {
        try await read("count the attempts of \(uplink)") { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT outcome, count(*) FROM attempt WHERE uplink = ? AND at >= ?
                    GROUP BY outcome
                    """, arguments: [uplink, since.milliseconds])
            return Dictionary(
                rows.map { ($0[0] as String, $0[1] as Int) }, uniquingKeysWith: { $0 + $1 })
        }
    }

    /// The starts of the stored rollups of a series, in order.
    package func rollupStarts(
        series: Int, resolution: Resolution, from: Timestamp, to: Timestamp
    ) async throws(StoreError) -> [Timestamp] {
        try await rollups(series: series, resolution: resolution, from: from, to: to)
            .map(\.bucket.start)
    }
}

extension StoreWriter {
    /// Owes items again that were settled, each as it is now, and those that were never owed.
    ///
    /// - Parameters:
    ///   - items: of which a row is made where there is none.
    ///   - reason: stands in the ledger until the platform has answered.
    /// - Returns: how many are owed now that were not before.
    package func oweAgain(
        _ items: [OwedItem], reason: String, at now: Timestamp
    ) throws(StoreError) -> Int {
        if items.isEmpty { return 0 }
        let calendar = shared.calendar
        let count = try commit("owe \(items.count) items again") { db in
            var count = 0
            for item in items {
                if try OutboxRows.oweAgain(item, reason: reason, at: now, calendar, db) {
                    count += 1
                }
            }
            return count
        }
        shared.effects.light(shared.effects.newest + 1)
        return count
    }
}

extension StoreReader {
    /// The items of one platform whose periods begin within a range, owed or not, in order.
    package func outboxItems(
        uplink: String, from: Timestamp, to: Timestamp, after: OwedItem? = nil, limit: Int
    ) async throws(StoreError) -> [OwedItem] {
        try await read("read the outbox of \(uplink)") { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT kind, scope, start, revision_owed, due FROM outbox
                        WHERE uplink = :uplink AND start >= :from AND start < :to
                            AND (:start IS NULL OR (start, kind, scope) > (:start, :kind, :scope))
                        ORDER BY start, kind, scope LIMIT :limit
                        """),
                arguments: [
                    "uplink": uplink, "from": from.milliseconds, "to": to.milliseconds,
                    "start": after?.start.milliseconds, "kind": after?.kind,
                    "scope": after?.scope, "limit": max(0, limit),
                ]
            ).map { row in
                OwedItem(
                    uplink: uplink, kind: row[0], scope: row[1],
                    start: Timestamp(milliseconds: row[2]), revision: row[3],
                    due: Timestamp(milliseconds: row[4]))
            }
        }
    }
}
