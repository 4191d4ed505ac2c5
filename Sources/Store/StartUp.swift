import BucketCodec
import GRDB
import Telemetry

/// What a start reads: the registry, the unsealed part of the journal, and the newest readings.
///
/// Nothing of it grows with the age of the data: sealing bounds the journal.
struct StartUp: Sendable {
    /// So many of the newest scans of a group make its newest readings.
    private static let newestScans = 16

    var registry = Registry()
    var newest: Int64 = 0
    var latest = LatestTable()
    var damage = DamageLedger()
    var head = Head()

    static func load(_ db: Database) throws -> StartUp {
        var start = StartUp()
        try TypeCheck.run(db)
        start.registry = try RegistryRows.load(db)
        // A cursor can stand above the journal when it has been emptied.
        start.newest =
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT max(ifnull((SELECT max(seq) FROM journal), 0),
                               ifnull((SELECT max(seq) FROM cursor), 0))
                    """) ?? 0
        try start.loadHead(db)
        for group in start.registry.groups { try start.loadLatest(group, db) }
        return start
    }

    /// Reads the head alone: for a store that is open beside its writer, or one opened anew.
    ///
    /// - Parameter changes: those of the head before.
    static func head(
        _ registry: Registry, after changes: Int64 = 0, _ db: Database
    ) throws -> (Head, DamageLedger) {
        var start = StartUp()
        start.registry = registry
        try start.loadHead(after: changes, db)
        return (start.head, start.damage)
    }

    private mutating func loadHead(after changes: Int64 = 0, _ db: Database) throws {
        head = Head(sealed: try BucketTable.marks(db), after: changes)
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT j.seq, j.boot, j.trust, b.offset_ms, b.is_estimated, j.scans
                FROM journal j JOIN boot b ON b.number = j.boot ORDER BY j.seq
                """)
        while let row = try rows.next() {
            let time = RowTime(row, from: 1)
            let blob: [UInt8] = row.bytes(5)
            do throws(Damage) {
                for (scan, body) in try JournalCodec.walk(blob) {
                    head.take(scan, sequence: row[0], blob[body], time, registry)
                }
            } catch {
                damage.add(row[0], cause: "\(error)")
            }
        }
    }

    /// The newest readings of a group: from the head, else from its newest bucket.
    private mutating func loadLatest(_ group: ScanGroup, _ db: Database) throws {
        let entries = head.groups[group.id]?.entries.suffix(Self.newestScans) ?? []
        let scans = entries.compactMap { head.groups[group.id]?.scan($0, of: group.id) }
        if scans.isEmpty {
            let stored = try BucketTable.newest(group.id, db)
            do throws(Damage) {
                let rows = try stored.map { bytes throws(Damage) in try BucketCodec.decode(bytes) }
                for scan in rows?.scans(of: group.id).suffix(Self.newestScans) ?? [] {
                    latest.add(scan)
                }
            } catch {
                // The reader that meets the bucket reports it by its range.
                return
            }
        }
        for scan in scans { latest.add(scan) }
    }
}

/// Whether a journal row's times are to be believed, and what maps them if they are monotonic.
struct RowTime: Sendable {
    var boot: Int64
    var isTrusted: Bool
    /// Wall minus monotonic time of the boot, in milliseconds; nil until it is known.
    var offset: Int64?
    var isEstimated: Bool

    init(boot: Int64, isTrusted: Bool, offset: Int64?, isEstimated: Bool) {
        self.boot = boot
        self.isTrusted = isTrusted
        self.offset = offset
        self.isEstimated = isEstimated
    }

    /// Reads boot, trust, offset and estimate from a row, beginning at a column.
    init(_ row: Row, from column: Int) {
        self.init(
            boot: row[column], isTrusted: row[column + 1], offset: row[column + 2],
            isEstimated: row[column + 3])
    }

    /// The scan at its true time; nil while that is not known.
    ///
    /// A polled scan falls on the slot at or before its time, so that it keeps clear of the slots
    /// that are polled after the clock was set. Only such a scan needs its `group`.
    func mapped(_ scan: Scan, _ group: @autoclosure () -> ScanGroup?) -> Scan? {
        if isTrusted || offset == 0 { return scan }
        guard let offset else { return nil }
        var mapped = scan
        mapped.time = Timestamp(milliseconds: scan.time.milliseconds &+ offset)
        if let group = group(), group.isPolled, let period = group.period {
            mapped.time = mapped.time.slot(every: period)
        }
        if isEstimated { mapped.flags.insert(.timeEstimated) }
        return mapped
    }
}

extension Head {
    /// Takes in a scan of a journal row, unless a bucket holds it.
    mutating func take(
        _ scan: Scan, sequence: Int64, _ body: ArraySlice<UInt8>, _ time: RowTime,
        _ registry: Registry
    ) {
        guard let mapped = time.mapped(scan, registry.group(scan.group)) else {
            return hold(scan, sequence: sequence, boot: time.boot, body: Array(body))
        }
        if isSealed(scan.group, time: mapped.time.milliseconds, sequence: sequence) { return }
        add(mapped, sequence: sequence, body: body)
    }
}
