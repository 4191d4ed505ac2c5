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
        let file = try StoreFile.open(options, zone: calendar.zone)
        do {
            try ZoneOffsets.fix(calendar, file.pool)
        } catch {
            throw StoreError("store the offsets of \(calendar.zone)", error)
        }
        do {
            try DeliveryDayRows.fill(calendar, file.pool)
        } catch {
            throw StoreError("count what platforms took by day", error)
        }
        let store = try open(file, calendar, isReadOnly: false)
        if let space = FileSystemSpace.read(options.directory) {
            store.shared.room.ballast.take(from: space)
        }
        return store
    }

    /// Opens the store of a gateway that may be running, to read it; its writer refuses all work.
    ///
    /// - Throws: `cannotOpen` when there is none, `newerSchema` when another version wrote it.
    package static func openReadOnly(
        directory: String, calendar: SiteCalendar
    ) throws(StoreError) -> Store {
        try open(StoreFile.openReadOnly(directory: directory), calendar, isReadOnly: true)
    }

    private static func open(
        _ file: StoreFile, _ calendar: SiteCalendar, isReadOnly: Bool
    ) throws(StoreError) -> Store {
        do {
            let start = try file.pool.read { db in try StartUp.load(db) }
            let shared = SharedState(
                file: file, calendar: calendar, start: start, isReadOnly: isReadOnly)
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
        shared.longLogs.close()
        shared.room.pressure.close()
        // Readers may hold the file open a little longer than the writer; the last of them would not
        // move the log. Without it the file alone is the whole store.
        let isFirst = shared.isClosed.withValue { closed in
            defer { closed = true }
            return !closed
        }
        if isFirst, !shared.isReadOnly, shared.doubt.value == nil {
            _ = try? shared.file.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        }
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
    /// What no bucket holds yet; changed by the writer, and re-read before each look by a store that
    /// is open read-only.
    let head: Published<Head>
    /// Columns that were decoded for charts; unused by a store that is open read-only.
    let columns = Published(ColumnCache())
    let isReadOnly: Bool
    let isClosed = Published(false)
    /// The newest sequence of the journal.
    let commits: Beacon
    /// How many times effects were applied since the store was opened.
    let effects: Beacon
    /// How many commits have left a long write-ahead log since the store was opened.
    let longLogs = Beacon(newest: 0)
    /// What housekeeping keeps: the ballast, the retention clock, whether there is room.
    let room: StoreRoom

    init(file: StoreFile, calendar: SiteCalendar, start: StartUp, isReadOnly: Bool) {
        self.isReadOnly = isReadOnly
        opened = Published(file)
        self.calendar = calendar
        registry = Published(start.registry)
        latest = Published(start.latest)
        damage = Published(start.damage)
        head = Published(start.head)
        commits = Beacon(newest: start.newest)
        effects = Beacon(newest: 0)
        room = StoreRoom(directory: file.directory)
    }
}

extension Row {
    /// The bytes of a blob column; empty for NULL or anything that is no blob.
    func bytes(_ index: Int) -> [UInt8] {
        (try? withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } }) ?? []
    }
}
