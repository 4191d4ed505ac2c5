import GRDB
import OwnThread
import Telemetry

/// The only writer of the store, on a thread of its own, because a durable commit waits for a disk.
package actor StoreWriter {
    private let thread = OwnThread(name: "store", stackSize: 512 * 1024)
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    let shared: SharedState
    /// The sequence of the next journal row: never one that was given before.
    var next: Int64
    /// The boots met since the store was opened, with the mapping of their monotonic time.
    var boots: [String: RowTime] = [:]

    init(shared: SharedState, next: Int64) {
        self.shared = shared
        self.next = next
    }

    /// Runs one transaction: everything of it is durable afterwards, or nothing.
    func write<T>(_ what: String, _ body: (Database) throws -> T) throws(StoreError) -> T {
        let result = try commit(what, body)
        lookAtLog()
        return result
    }

    /// As `write`, for what somebody waits for: `lookAtLog` is called once it is told.
    func commit<T>(_ what: String, _ body: (Database) throws -> T) throws(StoreError) -> T {
        try shared.checkUsable(what)
        do {
            return try shared.file.pool.write(body)
        } catch {
            let error = StoreError(what, error)
            if error.code == .full { shared.room.diskIsFull() }
            throw shared.noted(error)
        }
    }

    /// Gives numbers to groups and their series, the same ones after every restart.
    ///
    /// A group is known by device, interface and name; a changed list of columns gives it a new
    /// number, while its series keep theirs. A changed kind or unit gives a series a new number.
    /// - Returns: the groups in the order given, numbers filled in.
    package func register(_ groups: [ScanGroup]) throws(StoreError) -> [ScanGroup] {
        // As a rule a start finds the site as it left it, and has nothing to write.
        if let numbered = shared.registry.value.numbered(groups) { return numbered }
        let (numbered, registry) = try write("register \(groups.count) scan groups") { db in
            let numbered = try groups.map { try RegistryRows.register($0, db) }
            return (numbered, try RegistryRows.load(db))
        }
        shared.registry.withValue { $0 = registry }
        return numbered
    }

    /// Makes one batch durable as one journal row.
    ///
    /// - Returns: the row's sequence, higher than any before.
    /// - Throws: `invalid` when a scan does not fit its registered group; nothing is written then.
    package func commit(_ batch: JournalBatch) throws(StoreError) -> Int64 {
        let sequence = next
        let what = "commit journal row \(sequence)"
        try check(batch.scans, what)
        let (blob, bodies) = JournalCodec.encodeWithBodies(batch.scans)
        let deliveries = DeliveriesCodec.encode(batch.deliveries)
        // A row without scans (an idle tick) stands where its clock does.
        let times = batch.scans.lazy.map(\.time.milliseconds)
        let first = times.min() ?? batch.clock.wall.milliseconds
        let last = times.max() ?? batch.clock.wall.milliseconds
        let known = boots[batch.clock.bootID]
        let boot = try commit(what) { db in
            let boot = try known ?? Self.boot(batch.clock.bootID, db)
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO journal (seq, boot, monotonic_ms, wall_ms, trust, first_ms,
                        last_ms, deliveries, scans)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """)
            try statement.execute(arguments: [
                sequence, boot.boot, batch.clock.monotonic, batch.clock.wall.milliseconds,
                batch.clock.isTrusted, first, last, deliveries.map { Blob($0) }, Blob(blob),
            ])
            return boot
        }
        boots[batch.clock.bootID] = boot
        next = sequence + 1
        publish(batch, sequence, blob, bodies, boot)
        shared.commits.light(sequence)
        lookAtLog()
        return sequence
    }

    private func check(_ scans: [Scan], _ what: String) throws(StoreError) {
        let registry = shared.registry.value
        var total = 0
        for scan in scans {
            guard let width = registry.width(of: scan.group) else {
                throw .invalid(what, "scan group \(scan.group) is not registered")
            }
            guard scan.readings.count == width else {
                throw .invalid(
                    what,
                    "a scan of group \(scan.group) has \(scan.readings.count) readings,"
                        + " the group has \(width) columns")
            }
            total += width
        }
        guard total <= JournalCodec.maximumReadings else {
            throw .invalid(what, "\(total) readings, at most \(JournalCodec.maximumReadings)")
        }
    }

    /// Lets readers see what has just become durable.
    private func publish(
        _ batch: JournalBatch, _ sequence: Int64, _ blob: [UInt8], _ bodies: [Range<Int>],
        _ boot: RowTime
    ) {
        var time = boot
        time.isTrusted = batch.clock.isTrusted
        let registry = shared.registry.value
        shared.head.withValue { [time] head in
            for (scan, body) in zip(batch.scans, bodies) {
                var header = scan
                header.readings = []
                head.take(header, sequence: sequence, blob[body], time, registry)
            }
        }
        shared.latest.withValue { [time] latest in
            for scan in batch.scans {
                if let mapped = time.mapped(scan, registry.group(scan.group)) {
                    latest.add(mapped)
                }
            }
        }
    }

    static func boot(_ id: String, _ db: Database) throws -> RowTime {
        let known = try Row.fetchOne(
            db, sql: "SELECT number, offset_ms, is_estimated FROM boot WHERE boot_id = ?",
            arguments: [id])
        if let known {
            return RowTime(
                boot: known[0], isTrusted: true, offset: known[1], isEstimated: known[2])
        }
        try db.execute(sql: "INSERT INTO boot (boot_id) VALUES (?)", arguments: [id])
        return RowTime(
            boot: db.lastInsertedRowID, isTrusted: true, offset: nil, isEstimated: false)
    }
}
