import Foundation
import GRDB
import Telemetry

/// Takes everything readable out of a damaged store file into a new one.
package enum StoreSalvage {
    /// Reads `damaged` and the log beside it, without changing either, and makes `path`.
    ///
    /// The new file appears under its name only when it is complete and on the medium.
    /// - Parameters:
    ///   - zone: the zone in which days are cut; it replaces a stored one that is no zone.
    ///   - note: an entry that is appended to the audit chain.
    ///   - progress: gets the share done, 0 to 1.
    /// - Throws: `cannotOpen` when `damaged` cannot be read or `path` exists, `full`.
    package static func salvage(
        damaged: String, into path: String, zone: String? = nil,
        note: (SalvageReport) -> (detail: String, time: Timestamp)? = { _ in nil },
        progress: @escaping (Double) -> Void = { _ in }
    ) throws(StoreError) -> SalvageReport {
        let what = "salvage \(damaged) into \(path)"
        guard !FileManager.default.fileExists(atPath: path) else {
            throw StoreError(
                .cannotOpen, what, cause: "\(path) exists; name a file that does not",
                disposition: .stop)
        }
        let image: SQLiteImage
        do {
            image = try SQLiteImage(path: damaged)
        } catch {
            throw StoreError(
                .cannotOpen, what, cause: error.localizedDescription, disposition: .stop)
        }
        let partial = path + ".partial"
        DurableFile.removeDatabase(partial)
        do {
            let report = try fill(partial, from: image, zone, note, progress)
            try DurableFile.synchronize(partial)
            try DurableFile.move(partial, to: path)
            return report
        } catch {
            DurableFile.removeDatabase(partial)
            throw StoreError(what, error)
        }
    }

    /// Refuses the file that another process writes: what is read page by page while it changes is
    /// no instant of it. For a verb; a gateway that recovers holds the directory itself.
    ///
    /// - Throws: `busy` naming that process.
    package static func refuseInUse(_ path: String) throws(StoreError) {
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        let directory = file.deletingLastPathComponent().path(percentEncoded: false)
        guard file.lastPathComponent == StoreFile.name,
            let holder = DirectoryLock.holder(directory: directory)
        else { return }
        throw StoreError(
            .busy, "salvage \(path)",
            cause: "the process with number \(holder) uses this directory; stop the gateway first,"
                + " or copy its store with 'plumbline backup'", disposition: .stop)
    }

    private static func fill(
        _ path: String, from image: SQLiteImage, _ zone: String?,
        _ note: (SalvageReport) -> (detail: String, time: Timestamp)?,
        _ progress: @escaping (Double) -> Void
    ) throws -> SalvageReport {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            // Nobody else sees the file before it is complete, so it needs no journal.
            try db.execute(
                sql: """
                    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
                    PRAGMA cache_size = -8192; PRAGMA secure_delete = OFF
                    """)
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try Migration.migrator.migrate(queue)
        let report = try queue.writeWithoutTransaction { db in
            let report = try Salvage.run(image, into: db, progress: progress)
            if let zone { try repair(zone: zone, db) }
            if let note = note(report) {
                try AuditRows.append(
                    actor: "gateway", action: "store.salvaged", detail: note.detail,
                    at: note.time, db)
            }
            return report
        }
        try queue.close()
        progress(1)
        return report
    }

    /// A zone that no system knows came from a damaged page.
    private static func repair(zone: String, _ db: Database) throws {
        let stored = try String.fetchOne(db, sql: "SELECT value FROM fixed WHERE name = 'timezone'")
        if let stored, stored == zone || TimeZone(identifier: stored) != nil { return }
        try db.execute(
            sql: "INSERT OR REPLACE INTO fixed (name, value) VALUES ('timezone', ?)",
            arguments: [zone])
    }
}
