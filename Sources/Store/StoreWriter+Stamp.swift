import GRDB
import Telemetry

extension StoreWriter {
    /// Makes known, once and durably, how the monotonic times of a boot map to the wall clock.
    ///
    /// Scans that were committed with an untrusted clock of that boot get their true times: they
    /// enter the head, and `journal(after:)` goes on over their rows. A mapping is never changed.
    /// - Parameters:
    ///   - offset: wall time minus monotonic time, in milliseconds.
    ///   - isEstimated: the mapping is a guess; scans get the flag `timeEstimated`.
    package func stamp(
        bootID: String, offset: Int64, isEstimated: Bool
    ) throws(StoreError) {
        let known = try write("stamp boot \(bootID)") { db in
            let boot = try Self.boot(bootID, db)
            try db.execute(
                sql: """
                    UPDATE boot SET offset_ms = ?, is_estimated = ?
                    WHERE number = ? AND offset_ms IS NULL
                    """, arguments: [offset, isEstimated, boot.boot])
            return try Self.boot(bootID, db)
        }
        boots[bootID] = known
        var time = known
        time.isTrusted = false
        let registry = shared.registry.value
        let released = shared.head.withValue { [time] head in
            let held = head.takeUnstamped(boot: time.boot)
            for item in held {
                head.take(item.scan, sequence: item.sequence, item.body[...], time, registry)
            }
            return held
        }
        shared.latest.withValue { [time] latest in
            for item in released {
                var scan = item.scan
                scan.readings = JournalCodec.readings(of: item.body, at: 0) ?? []
                if let mapped = time.mapped(scan, registry.group(scan.group)) {
                    latest.add(mapped)
                }
            }
        }
        // Whoever follows the journal may go on over the rows that waited.
        shared.commits.ring()
    }

    /// The boots with rows of an untrusted clock that nothing maps yet, oldest first, with the
    /// newest known wall time that was committed before each; nil when there is none.
    package func unstampedBoots() throws(StoreError) -> [UnstampedBoot] {
        try write("look for unstamped boots") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT b.boot_id, min(j.seq), max(j.monotonic_ms),
                        (SELECT max(iif(t.trust, t.wall_ms, t.monotonic_ms + o.offset_ms))
                            FROM journal t JOIN boot o ON o.number = t.boot
                            WHERE (t.trust OR o.offset_ms IS NOT NULL) AND t.seq <
                                (SELECT min(f.seq) FROM journal f WHERE f.boot = b.number))
                    FROM boot b JOIN journal j ON j.boot = b.number
                    WHERE b.offset_ms IS NULL AND j.trust = 0
                    GROUP BY b.number ORDER BY 2
                    """
            ).map { row in
                UnstampedBoot(
                    bootID: row[0], firstSequence: row[1], newestMonotonic: row[2],
                    newestBefore: (row[3] as Int64?).map(Timestamp.init(milliseconds:)))
            }
        }
    }
}

/// A run of the kernel that committed scans before its clock was known.
package struct UnstampedBoot: Hashable, Sendable {
    package var bootID: String
    package var firstSequence: Int64
    /// The monotonic time of its newest row, in milliseconds.
    package var newestMonotonic: Int64
    /// The newest trusted wall time in the journal before it; nil without one.
    package var newestBefore: Timestamp?
}
