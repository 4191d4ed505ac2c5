import GRDB
import Telemetry

/// The items of one kind and one scope.
package struct OwedLane: Hashable, Sendable {
    package var kind: String
    package var scope: String

    package init(kind: String, scope: String) {
        self.kind = kind
        self.scope = scope
    }
}

extension StoreReader {
    /// What an uplink is owed and may be sent now, oldest bucket first.
    ///
    /// - Parameters:
    ///   - correctionSpacing: a revision that was accepted is not corrected again before so long
    ///     after the last attempt.
    ///   - liveSince: buckets from here on are live, earlier ones the backlog.
    ///   - live: which of the two is asked for.
    ///   - spans: how long the periods of a kind are, where they differ: `liveSince` is then
    ///     compared with their ends; of a kind that is not named it is compared with the starts.
    ///   - resting: lanes that are left out, because an item of theirs has to wait.
    ///   - inOrder: leaves out what stands behind an earlier item of its scope that may not be sent
    ///     yet. The onset at the end of a scope does not count: all alarms of one rule on one series
    ///     go in their order.
    package func owedItems(
        uplink: String, now: Timestamp, correctionSpacing: Duration, liveSince: Timestamp,
        live: Bool, spans: [String: Duration] = [:], resting: Set<OwedLane> = [],
        inOrder: Bool = false, limit: Int
    ) async throws(StoreError) -> [OwedItem] {
        try await read("read what is owed to \(uplink)") { db in
            try Self.owedItems(
                uplink, now, correctionSpacing, liveSince, live: live, spans: spans,
                resting: resting, inOrder: inOrder, limit, db)
        }
    }

    static func owedItems(
        _ uplink: String, _ now: Timestamp, _ correctionSpacing: Duration, _ liveSince: Timestamp,
        live: Bool, spans: [String: Duration] = [:], resting: Set<OwedLane> = [], inOrder: Bool,
        _ limit: Int, _ db: Database
    ) throws -> [OwedItem] {
        let order =
            """
            AND NOT EXISTS (SELECT 1 FROM outbox e INDEXED BY outbox_owed
                WHERE e.uplink = outbox.uplink AND e.revision_owed > e.revision_settled
                    AND e.start < outbox.start AND e.due > :now
                    AND rtrim(e.scope, '0123456789') = rtrim(outbox.scope, '0123456789'))
            """
        var arguments: StatementArguments = [
            "uplink": uplink, "since": liveSince.milliseconds, "now": now.milliseconds,
            "spaced": (now - correctionSpacing).milliseconds, "limit": max(0, limit),
        ]
        // Without it a month's backlog would be looked through for the few that are live.
        var bound = ""
        if live {
            let longest = spans.values.max() ?? .zero
            bound = "AND start >= :earliest"
            arguments += ["earliest": (liveSince - longest).milliseconds]
        }
        var spanOf: [String] = []
        for (index, (kind, span)) in spans.sorted(by: { $0.key < $1.key }).enumerated() {
            spanOf.append("WHEN :kind\(index) THEN \(span.milliseconds)")
            arguments += ["kind\(index)": kind]
        }
        let end =
            spanOf.isEmpty
            ? "start" : "start + CASE kind \(spanOf.joined(separator: " ")) ELSE 0 END"
        var isAwake = ""
        for (index, lane) in resting.enumerated() {
            isAwake += " AND NOT (kind = :restingKind\(index) AND scope = :restingScope\(index))"
            arguments += ["restingKind\(index)": lane.kind, "restingScope\(index)": lane.scope]
        }
        return try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT kind, scope, start, revision_owed, due FROM outbox
                    WHERE uplink = :uplink AND revision_owed > revision_settled
                        \(bound) AND \(end) \(live ? ">=" : "<") :since AND due <= :now
                        AND (revision_sent < 0 OR attempted IS NULL OR attempted <= :spaced)
                        \(isAwake) \(inOrder ? order : "")
                    ORDER BY start, kind, scope LIMIT :limit
                    """),
            arguments: arguments
        ).map { row in
            OwedItem(
                uplink: uplink, kind: row[0], scope: row[1],
                start: Timestamp(milliseconds: row[2]), revision: row[3],
                due: Timestamp(milliseconds: row[4]))
        }
    }

    /// How an uplink stands; all zero for one that nothing is known of.
    package func uplinkStatus(uplink: String) async throws(StoreError) -> UplinkStatus {
        try await read("read the status of \(uplink)") { db in
            var status = UplinkStatus(uplink: uplink)
            let owed = try Row.fetchOne(
                db,
                sql: """
                    SELECT count(*), min(start) FROM outbox INDEXED BY outbox_owed
                    WHERE uplink = ? AND revision_owed > revision_settled
                    """, arguments: [uplink])
            if let owed {
                status.owed = owed[0]
                status.oldestOwed = (owed[1] as Int64?).map(Timestamp.init(milliseconds:))
            }
            let total = try Row.fetchOne(
                db,
                sql: """
                    SELECT accepted, retry, rejected, expired, last_outcome, last_reason, last_at,
                        last_accepted_at
                    FROM uplink_total WHERE uplink = ?
                    """, arguments: [uplink])
            guard let total else { return status }
            status.accepted = total[0]
            status.retried = total[1]
            status.rejected = total[2]
            status.expired = total[3]
            status.lastOutcome = total[4]
            status.lastReason = total[5]
            status.lastTime = Timestamp(milliseconds: total[6])
            status.lastAccepted = (total[7] as Int64?).map(Timestamp.init(milliseconds:))
            return status
        }
    }
}
