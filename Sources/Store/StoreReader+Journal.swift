import GRDB
import Telemetry

extension StoreReader {
    /// The journal rows after a sequence, in order, at least one when there is a sound one.
    ///
    /// Damaged rows are left out and counted (`damagedRows()`). Scans of an untrusted clock bear their
    /// true times; before the first row of a boot whose times nothing maps yet, the answer ends.
    /// - Parameters:
    ///   - maximumRows: rows of one answer.
    ///   - maximumBytes: bytes of blobs after which an answer ends.
    ///   - withDeliveries: false leaves them out, for a reader of scans alone.
    package func journal(
        after sequence: Int64, maximumRows: Int = 256, maximumBytes: Int = 1 << 20,
        withDeliveries: Bool = true
    ) async throws(StoreError) -> [JournalRow] {
        var after = sequence
        while true {
            let page = try await journalPage(after, maximumRows, maximumBytes)
            let rows = page.compactMap { decoded($0, withDeliveries) }
            guard rows.isEmpty, let last = page.last else { return rows }
            after = last.sequence
        }
    }

    private struct StoredRow: Sendable {
        var sequence: Int64
        var clock: ClockReading
        var time: RowTime
        var deliveries: [UInt8]?
        var scans: [UInt8]
    }

    private func journalPage(
        _ after: Int64, _ maximumRows: Int, _ maximumBytes: Int
    ) async throws(StoreError) -> [StoredRow] {
        try await read("read the journal after row \(after)") { db in
            let cursor = try Row.fetchCursor(
                db.cachedStatement(
                    sql: """
                        SELECT j.seq, b.boot_id, j.monotonic_ms, j.wall_ms, j.trust, j.deliveries,
                            j.scans, j.boot, j.trust, b.offset_ms, b.is_estimated
                        FROM journal j JOIN boot b ON b.number = j.boot
                        WHERE j.seq > ? ORDER BY j.seq LIMIT ?
                        """), arguments: [after, max(1, maximumRows)])
            var rows: [StoredRow] = []
            var bytes = 0
            while bytes < maximumBytes || rows.isEmpty, let row = try cursor.next() {
                let stored = StoredRow(
                    sequence: row[0],
                    clock: ClockReading(
                        bootID: row[1], monotonic: row[2], wall: Timestamp(milliseconds: row[3]),
                        isTrusted: row[4]),
                    time: RowTime(row, from: 7),
                    deliveries: row.hasNull(atIndex: 5) ? nil : row.bytes(5), scans: row.bytes(6))
                if !stored.time.isTrusted, stored.time.offset == nil { break }
                bytes += stored.scans.count + (stored.deliveries?.count ?? 0)
                rows.append(stored)
            }
            return rows
        }
    }

    private func decoded(_ row: StoredRow, _ withDeliveries: Bool) -> JournalRow? {
        let registry = shared.registry.value
        do throws(Damage) {
            return JournalRow(
                sequence: row.sequence, clock: row.clock,
                scans: try JournalCodec.decode(row.scans).compactMap {
                    row.time.mapped($0, registry.group($0.group))
                },
                deliveries: withDeliveries ? sound(row.deliveries, of: row.sequence) : [])
        } catch {
            note(error, in: row.sequence)
            return nil
        }
    }

    /// Scans do not suffer for damaged deliveries: these only guard against a redelivery.
    private func sound(_ deliveries: [UInt8]?, of sequence: Int64) -> [DeliveryMark] {
        do throws(Damage) {
            return try DeliveriesCodec.decode(deliveries)
        } catch {
            note(error, in: sequence)
            return []
        }
    }

    func note(_ damage: Damage, in sequence: Int64) {
        shared.damage.withValue { $0.add(sequence, cause: damage.description) }
    }

    /// The newest QoS 1 messages of a link that were committed, oldest of them first.
    ///
    /// Looks at no more than the newest 20,000 journal rows.
    package func recentDeliveries(
        link: String, limit: Int
    ) async throws(StoreError) -> [DeliveryMark] {
        let stored = try await read("read the deliveries of \(link)") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT seq, deliveries FROM
                        (SELECT seq, deliveries FROM journal ORDER BY seq DESC LIMIT 20000)
                    WHERE deliveries IS NOT NULL ORDER BY seq DESC LIMIT ?
                    """, arguments: [max(1, limit)]
            ).map { (sequence: $0[0] as Int64, blob: $0.bytes(1)) }
        }
        var marks: [DeliveryMark] = []
        for row in stored where marks.count < limit {
            marks = sound(row.blob, of: row.sequence).filter { $0.link == link } + marks
        }
        return Array(marks.suffix(max(0, limit)))
    }
}
