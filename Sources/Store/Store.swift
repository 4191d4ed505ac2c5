import GRDB
import Telemetry

/// The one place where readings, rollups, alarms and what is owed are kept: one SQLite file.
///
/// One writer on its own thread, up to three readers beside it. A commit that has returned is
/// durable as `StoreOptions.durability` says. docs/formats/store.md describes the file.
package final class Store: Sendable {
    package let writer: StoreWriter
    package let reader: StoreReader
    private let shared: SharedState

    private init(shared: SharedState, writer: StoreWriter) {
        self.shared = shared
        self.writer = writer
        reader = StoreReader(shared: shared)
    }

    /// Opens the file in `options.directory`, makes or migrates it, and looks at its newest rows.
    ///
    /// - Parameter calendar: the site's; its zone cannot change once rollups are stored.
    /// - Throws: `cannotOpen`, `newerSchema`, `zoneChanged`, `corrupt`, or what SQLite reported.
    package static func open(
        _ options: StoreOptions, calendar: SiteCalendar
    ) throws(StoreError) -> Store {
        try open(StoreFile.open(options, zone: calendar.zone), calendar)
    }

    /// Opens the store of a gateway that may be running, to read it; its writer refuses all work.
    ///
    /// - Throws: `cannotOpen` when there is none, `newerSchema` when another version wrote it.
    package static func openReadOnly(
        directory: String, calendar: SiteCalendar
    ) throws(StoreError) -> Store {
        try open(StoreFile.openReadOnly(directory: directory), calendar)
    }

    private static func open(
        _ file: StoreFile, _ calendar: SiteCalendar
    ) throws(StoreError) -> Store {
        do {
            let start = try file.pool.read { db in try StartUp.load(db) }
            let shared = SharedState(file: file, calendar: calendar, start: start)
            return Store(
                shared: shared, writer: StoreWriter(shared: shared, next: start.newest + 1))
        } catch {
            throw StoreError("read the newest rows of \(file.path)", error)
        }
    }

    /// Releases everyone who waits, moves the log into the file and closes it.
    ///
    /// Every later call on the writer or the reader throws `closed`.
    package func close() throws(StoreError) {
        shared.commits.close()
        shared.effects.close()
        do { try shared.file.pool.close() } catch { throw StoreError("close the store", error) }
    }
}

/// What writer and reader hold together.
final class SharedState: Sendable {
    /// The open file; another one after `StoreWriter.reopen`.
    let opened: Published<StoreFile>
    var file: StoreFile { opened.value }
    /// Why the writer's handles cannot be trusted any more; nil when they can.
    let doubt = Published<StoreError?>(nil)
    let calendar: SiteCalendar
    let registry: Published<Registry>
    let latest: Published<LatestTable>
    let damage: Published<DamageLedger>
    /// The newest sequence of the journal.
    let commits: Beacon
    /// How many times effects were applied since the store was opened.
    let effects: Beacon

    init(file: StoreFile, calendar: SiteCalendar, start: StartUp) {
        opened = Published(file)
        self.calendar = calendar
        registry = Published(start.registry)
        latest = Published(start.latest)
        damage = Published(start.damage)
        commits = Beacon(newest: start.newest)
        effects = Beacon(newest: 0)
    }
}

/// What a start reads: the registry and the newest journal rows, and nothing that grows with age.
struct StartUp: Sendable {
    /// The newest readings are rebuilt from at most so many rows and bytes of the journal.
    static let maximumRows = 2_000
    static let maximumBytes = 8 << 20

    var registry = Registry()
    var newest: Int64 = 0
    var latest = LatestTable()
    var damage = DamageLedger()

    static func load(_ db: Database) throws -> StartUp {
        var start = StartUp()
        start.registry = try RegistryRows.load(db)
        // A cursor can stand above the journal when housekeeping has emptied it.
        start.newest =
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT max(ifnull((SELECT max(seq) FROM journal), 0),
                               ifnull((SELECT max(seq) FROM cursor), 0))
                    """) ?? 0
        var missing = Set(start.registry.groups.map(\.id))
        var bytes = 0
        let rows = try Row.fetchCursor(
            db, sql: "SELECT seq, scans FROM journal ORDER BY seq DESC LIMIT ?",
            arguments: [maximumRows])
        while !missing.isEmpty, bytes < maximumBytes, let row = try rows.next() {
            let blob: [UInt8] = row.bytes(1)
            bytes += blob.count
            do throws(Damage) {
                for scan in try JournalCodec.decode(blob) {
                    start.latest.add(scan)
                    missing.remove(scan.group)
                }
            } catch {
                start.damage.add(row[0], cause: "\(error)")
            }
        }
        return start
    }
}

extension Row {
    /// The bytes of a blob column; empty for NULL or anything that is no blob.
    func bytes(_ index: Int) -> [UInt8] {
        (try? withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } }) ?? []
    }
}
