import Foundation
import GRDB
import Telemetry

/// What a backup wrote.
package struct BackupReport: Hashable, Sendable {
    package var path: String
    /// Bytes of the copy.
    package var bytes: Int64
    /// Rows of all tables, the same in the copy as in the store at the instant of the backup.
    package var rows: Int
    /// Bytes by which the write-ahead log grew while the copy was made, beside a running gateway.
    package var logGrowth: Int64
}

/// A consistent copy of a store, beside a running gateway or without one.
package enum StoreBackup {
    /// Pages of one step: about a megabyte.
    private static let pagesPerStep: CInt = 256
    /// A copy that takes so long that the gateway's log grows beyond this is given up.
    package static let longestLog: Int64 = 1 << 30

    /// Copies the store in `directory` to the file `target`.
    ///
    /// One read transaction spans the copy, because a copy without one begins anew whenever the
    /// gateway commits, which is each second. Meanwhile the gateway's log cannot be emptied: it
    /// grows by what is committed, and the copy is given up when it exceeds `longestLog`. The copy
    /// is checked, stands under its name only when it is on the medium, and needs no other file.
    /// - Parameters:
    ///   - overwrites: whether a file `target` may be replaced.
    ///   - progress: gets the share done, 0 to 1.
    /// - Throws: `cannotOpen` when there is no store or `target` exists, `full`, `busy` when the log
    ///   grew too long, `corrupt` when the store or the copy is damaged.
    package static func copy(
        directory: String, to target: String, overwrites: Bool = false,
        progress: @escaping (Double) -> Void = { _ in }
    ) throws(StoreError) -> BackupReport {
        let what = "back up to \(target)"
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: target, isDirectory: &isFolder),
            !overwrites || isFolder.boolValue
        {
            throw StoreError(
                .cannotOpen, what,
                cause: isFolder.boolValue
                    ? "it is a folder; name the file" : "the file exists; nothing was changed",
                disposition: .stop)
        }
        let file = try StoreFile.openReadOnly(directory: directory)
        let partial = target + ".partial"
        DurableFile.removeDatabase(partial)
        do {
            var report = try copy(file, to: partial, progress)
            try file.pool.close()
            try DurableFile.synchronize(partial)
            try DurableFile.move(partial, to: target)
            report.path = target
            return report
        } catch {
            try? file.pool.close()
            DurableFile.removeDatabase(partial)
            throw StoreError(what, error)
        }
    }

    private static func copy(
        _ file: StoreFile, to path: String, _ progress: @escaping (Double) -> Void
    ) throws -> BackupReport {
        let log = StoreFile.size(file.path + "-wal")
        let queue = try DatabaseQueue(path: path)
        let (wanted, growth) = try file.pool.read { db in
            try queue.writeWithoutTransaction { copy in
                try db.backup(to: copy, pagesPerStep: pagesPerStep) { step in
                    progress(
                        Double(step.completedPageCount) / Double(max(1, step.totalPageCount)) * 0.9)
                    let growth = StoreFile.size(file.path + "-wal") - log
                    guard growth < longestLog || step.isCompleted else {
                        throw StoreError(
                            .busy, "copy \(file.path)",
                            cause: "the gateway's log grew by \(growth >> 20) MiB meanwhile; choose"
                                + " a faster medium for the copy", disposition: .retry)
                    }
                }
            }
            return (try FileCheck.counts(db), StoreFile.size(file.path + "-wal") - log)
        }
        try queue.writeWithoutTransaction { copy in
            // Without a log the copy is one file, and a store that opens it makes a new log.
            try copy.execute(sql: "PRAGMA journal_mode = DELETE")
            try FileCheck.check(copy, path, counts: wanted)
        }
        try queue.close()
        progress(1)
        return BackupReport(
            path: path, bytes: StoreFile.size(path), rows: wanted.values.reduce(0, +),
            logGrowth: max(0, growth))
    }
}

/// Whether a copy is whole.
enum FileCheck {
    /// Rows by table.
    static func counts(_ db: Database) throws -> [String: Int] {
        let tables = try String.fetchAll(
            db,
            sql: """
                SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'
                """)
        return try Dictionary(
            uniqueKeysWithValues: tables.map { table in
                let quoted = table.replacing("\"", with: "\"\"")
                return (table, try Int.fetchOne(db, sql: "SELECT count(*) FROM \"\(quoted)\"") ?? 0)
            })
    }

    static func check(_ db: Database, _ path: String, counts wanted: [String: Int]) throws {
        let answers = try String.fetchAll(db, sql: "PRAGMA quick_check(10)")
        guard answers == ["ok"] else {
            throw StoreError(
                .corrupt, "check \(path)", cause: answers.joined(separator: "; "),
                disposition: .stop)
        }
        let found = try counts(db)
        guard found == wanted else {
            let table = wanted.keys.sorted().first { found[$0] != wanted[$0] } ?? ""
            throw StoreError(
                .corrupt, "check \(path)",
                cause: "table \(table) has \(found[table] ?? 0) rows, not \(wanted[table] ?? 0)",
                disposition: .stop)
        }
    }
}
