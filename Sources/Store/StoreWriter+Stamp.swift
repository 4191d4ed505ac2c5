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
}
