import Foundation
import GRDB
import Telemetry

/// Opens `plumbline.sqlite`: connections, pragmas, migrations, and what may not change with data.
struct StoreFile: Sendable {
    static let name = "plumbline.sqlite"
    /// A write-ahead log that a checkpoint has emptied is cut back to this many bytes.
    static let walLimit = 8 << 20

    let pool: DatabasePool
    let path: String
    /// How it was opened; nil when only for reading.
    var options: StoreOptions?
    /// Held while the file is open for writing; readers need none.
    var lock: DirectoryLock?
    /// How far the writer's log has grown since it was last moved into the file.
    var log = LogLength()

    var directory: String { String(path.dropLast(Self.name.count + 1)) }

    /// - Parameter lock: the directory's lock where it is held already; nil takes it.
    static func open(
        _ options: StoreOptions, zone: String, lock held: DirectoryLock? = nil
    ) throws(StoreError) -> StoreFile {
        let path = options.directory + "/" + name
        let what = "open \(path)"
        do {
            try FileManager.default.createDirectory(
                atPath: options.directory, withIntermediateDirectories: true)
        } catch {
            throw StoreError(
                .cannotOpen, "make the folder \(options.directory)",
                cause: "\(error.localizedDescription)", disposition: .stop)
        }
        let lock: DirectoryLock
        if let held { lock = held } else { lock = try DirectoryLock(directory: options.directory) }
        do {
            let pool = try DatabasePool(path: path, configuration: configuration)
            let log = LogLength()
            try pool.writeWithoutTransaction { db in
                try checkOwner(db, what)
                // GRDB sets NORMAL when it turns WAL on, so this has to come after it.
                let level = options.durability == .power ? "FULL" : "NORMAL"
                try db.execute(sql: "PRAGMA synchronous = \(level)")
                try db.execute(sql: "PRAGMA journal_size_limit = \(walLimit)")
                log.watch(db)
            }
            try migrate(pool, what)
            try pool.write { db in try fix(zone: zone, db, what) }
            return StoreFile(pool: pool, path: path, options: options, lock: lock, log: log)
        } catch {
            var error = StoreError(what, error)
            // It is not open: there is nothing to open anew.
            if error.disposition == .reopen { error.disposition = .stop }
            throw error
        }
    }

    /// Opens an existing file beside whoever writes it: no migration, no change, no new file.
    static func openReadOnly(directory: String) throws(StoreError) -> StoreFile {
        let path = directory + "/" + name
        let what = "open \(path) for reading"
        guard FileManager.default.fileExists(atPath: path) else {
            throw StoreError(
                .cannotOpen, what, cause: "there is no such file; has the gateway ever run here?",
                disposition: .stop)
        }
        do {
            var configuration = configuration
            configuration.readonly = true
            let pool = try DatabasePool(path: path, configuration: configuration)
            if try pool.read({ try Migration.migrator.hasCompletedMigrations($0) }) == false {
                throw StoreError(
                    .newerSchema, what,
                    cause: "another version of the program wrote it; use that version to read it",
                    disposition: .stop)
            }
            return StoreFile(pool: pool, path: path)
        } catch {
            throw StoreError(what, error)
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.maximumReaderCount = 3
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = true
        configuration.label = "store"
        configuration.prepareDatabase { db in
            let kibibytes = db.configuration.readonly ? 1024 : 2048
            try db.execute(sql: "PRAGMA cache_size = -\(kibibytes)")
            // Debian's SQLite zeroes what is deleted: twice the writes for every journal row.
            try db.execute(sql: "PRAGMA secure_delete = OFF")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        return configuration
    }

    /// Refuses a SQLite file that some other program made.
    private static func checkOwner(_ db: Database, _ what: String) throws {
        let id = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        // The migrator's own table comes before the first migration, which sets the id: a file
        // whose making was cut short in between is ours, and still empty.
        let tables =
            try Int.fetchOne(
                db, sql: "SELECT count(*) FROM sqlite_master WHERE tbl_name != 'grdb_migrations'")
            ?? 0
        guard id == Migration.applicationID || (id == 0 && tables == 0) else {
            throw StoreError(
                .cannotOpen, what,
                cause: "it is a SQLite file of another program (application_id \(id)); choose"
                    + " another data directory", disposition: .stop)
        }
    }

    private static func migrate(_ pool: DatabasePool, _ what: String) throws {
        let migrator = Migration.migrator
        if try pool.read({ try migrator.hasBeenSuperseded($0) }) {
            let known = Migration.all.last?.identifier ?? ""
            throw StoreError(
                .newerSchema, what,
                cause: "a newer version wrote it; this one knows the schema up to \(known)."
                    + " Run the newer version, or restore the backup made before the update",
                disposition: .stop)
        }
        try migrator.migrate(pool)
    }

    /// Days and months are cut in the site's zone, so it is fixed once any have been stored.
    private static func fix(zone: String, _ db: Database, _ what: String) throws {
        let stored = try String.fetchOne(db, sql: "SELECT value FROM fixed WHERE name = 'timezone'")
        if stored == zone { return }
        let hasRollups = try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT * FROM rollup)") ?? false
        if let stored, hasRollups {
            throw StoreError(
                .zoneChanged, what,
                cause: "its days are cut in \(stored), the configuration says \(zone); set"
                    + " site.timezone back, or begin a new data directory", disposition: .stop)
        }
        try db.execute(
            sql: "INSERT OR REPLACE INTO fixed (name, value) VALUES ('timezone', ?)",
            arguments: [zone])
    }

    /// The bytes of a file, 0 when it does not exist.
    static func size(_ path: String) -> Int64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
    }
}
