import GRDB
import Telemetry

/// A boot whose readings lie under monotonic time, and nobody has said which time of day that was.
package struct UnstampedBoot: Hashable, Sendable {
    package var bootID: String
    /// The monotonic time of its newest commit, in milliseconds.
    package var newestMonotonic: Int64
    /// The newest time of day that was committed before its first row; nil when none was.
    package var storedBefore: Timestamp?

    package init(bootID: String, newestMonotonic: Int64, storedBefore: Timestamp?) {
        self.bootID = bootID
        self.newestMonotonic = newestMonotonic
        self.storedBefore = storedBefore
    }
}

extension StoreReader {
    /// The boots whose readings lie under monotonic time, in the order of their rows.
    package func unstampedBoots() async throws(StoreError) -> [UnstampedBoot] {
        try await read("look for boots without a time of day") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT b.boot_id, max(j.monotonic_ms), min(j.seq),
                        (SELECT max(t.wall_ms) FROM journal t WHERE t.trust = 1 AND t.seq <
                            (SELECT min(f.seq) FROM journal f WHERE f.boot = b.number))
                    FROM boot b JOIN journal j ON j.boot = b.number
                    WHERE b.offset_ms IS NULL AND j.trust = 0
                    GROUP BY b.number ORDER BY 3
                    """
            ).map { row in
                UnstampedBoot(
                    bootID: row[0], newestMonotonic: row[1],
                    storedBefore: (row[3] as Int64?).map(Timestamp.init(milliseconds:)))
            }
        }
    }
}
