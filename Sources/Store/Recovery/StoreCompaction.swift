import Foundation
import GRDB
import Telemetry

/// What compacting did.
package struct CompactionReport: Hashable, Sendable {
    /// Bytes of the file and its log before, and of the file after.
    package var before: Int64
    package var after: Int64
}

/// Rewrites a store without the pages that hold nothing any more.
package enum StoreCompaction {
    /// The file that grows while the store is rewritten; its size tells how far it has come.
    package static func partialPath(directory: String) -> String {
        directory + "/" + StoreFile.name + ".compact"
    }

    /// Bytes of the store's file and its log.
    package static func size(directory: String) -> Int64 {
        let path = directory + "/" + StoreFile.name
        return StoreFile.size(path) + StoreFile.size(path + "-wal")
    }

    /// Rewrites the store in `directory` while no gateway runs on it.
    ///
    /// The new file is checked before it takes the old one's place in one step; a power cut leaves
    /// one of the two, whole.
    /// - Throws: `busy` when a gateway runs, `full` when there is not the room for a second file,
    ///   `corrupt` when the file is damaged (`salvage` takes out what is left).
    package static func compact(directory: String) throws(StoreError) -> CompactionReport {
        let path = directory + "/" + StoreFile.name
        let what = "compact \(path)"
        guard FileManager.default.fileExists(atPath: path) else {
            throw StoreError(
                .cannotOpen, what, cause: "there is no such file; has the gateway ever run here?",
                disposition: .stop)
        }
        let lock = try DirectoryLock(directory: directory)
        defer { withExtendedLifetime(lock) {} }
        let before = size(directory: directory)
        try checkRoom(directory, before, what)
        let partial = partialPath(directory: directory)
        DurableFile.removeDatabase(partial)
        do {
            let queue = try DatabaseQueue(path: path)
            let counts = try queue.writeWithoutTransaction { db in
                try db.checkpoint(.truncate)
                let counts = try FileCheck.counts(db)
                try db.execute(sql: "VACUUM INTO ?", arguments: [partial])
                return counts
            }
            try queue.close()
            let copy = try DatabaseQueue(path: partial)
            try copy.writeWithoutTransaction { try FileCheck.check($0, partial, counts: counts) }
            try copy.close()
            try DurableFile.synchronize(partial)
            // The old log is empty; beside another file it must not even exist.
            for suffix in ["-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: path + suffix)
            }
            try DurableFile.move(partial, to: path)
            return CompactionReport(before: before, after: StoreFile.size(path))
        } catch {
            DurableFile.removeDatabase(partial)
            throw StoreError(what, error)
        }
    }

    private static func checkRoom(
        _ directory: String, _ bytes: Int64, _ what: String
    ) throws(StoreError) {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: directory)
        guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value else { return }
        let needed = bytes + bytes / 20 + (1 << 20)
        guard free >= needed else {
            throw StoreError(
                .full, what,
                cause: "it needs \(needed >> 20) MiB beside the old file, \(free >> 20) are free",
                disposition: .retry)
        }
    }
}
