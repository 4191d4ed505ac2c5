import Foundation
import GRDB

extension StoreWriter {
    /// Whether an error has left the file's handles in doubt: all work is refused until `reopen`.
    package var needsReopening: Bool { shared.doubt.value != nil }

    /// Opens the file anew, in place; readers and writer go on with the new connections.
    ///
    /// After a failed fsync the system has dropped what it could not write and calls the next fsync
    /// a success, so nothing is tried again on the same handle. The new connections are opened
    /// before the old ones are closed: closed alone, those would checkpoint the log through the
    /// handle that has failed.
    ///
    /// A row that reached the file although its commit was reported as failed is taken back before
    /// anybody can read it: it was acknowledged to nobody, and whoever admitted it still holds it.
    /// - Throws: what kept the file from being opened; the old connections stay in place then.
    package func reopen() throws(StoreError) {
        let old = shared.file
        guard let options = old.options else {
            throw StoreError(
                .cannotOpen, "open the store anew", cause: "it was opened only for reading",
                disposition: .stop)
        }
        let file: StoreFile
        do {
            file = try StoreFile.open(options, zone: shared.calendar.zone, lock: old.lock)
        } catch {
            throw shared.noted(error)
        }
        do {
            let registry = shared.registry.value
            let changes = shared.head.value.changes
            let (begin, head) = try file.pool.write { [next] db in
                let begin = try Self.takeBack(from: next, db)
                // A seal whose commit was reported as failed may be in the file all the same.
                return (begin, try StartUp.head(registry, after: changes, db).0)
            }
            next = begin
            shared.head.withValue { $0 = head }
        } catch {
            try? file.pool.close()
            throw shared.noted(StoreError("take back what was not acknowledged", error))
        }
        shared.replaceFile(with: file)
        try? old.pool.close()
    }

    /// - Returns: the sequence of the next row, above every one that was ever in the file.
    private static func takeBack(from next: Int64, _ db: Database) throws -> Int64 {
        let newest = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM journal") ?? 0
        guard newest >= next else { return next }
        try db.execute(sql: "DELETE FROM journal WHERE seq >= ?", arguments: [next])
        return newest + 1
    }
}

extension SharedState {
    /// Refuses work on handles that are in doubt.
    func checkUsable(_ what: String) throws(StoreError) {
        guard let doubt = doubt.value else { return }
        throw StoreError(
            doubt.code, what, cause: "the file has to be opened anew after: \(doubt)",
            disposition: .reopen)
    }

    /// Takes note of an error of the writer that leaves its handles in doubt.
    func noted(_ error: StoreError) -> StoreError {
        if error.disposition == .reopen { doubt.withValue { $0 = $0 ?? error } }
        markIfDamaged(error)
        return error
    }

    /// Leaves a file beside a damaged store, so that the next start looks at it and salvages it.
    ///
    /// Best effort: the disk may be what is broken.
    func markIfDamaged(_ error: StoreError) {
        let file = file
        guard error.code == .corrupt, file.options != nil else { return }
        let marker = file.path + StoreFile.suspectSuffix
        if FileManager.default.fileExists(atPath: marker) { return }
        _ = FileManager.default.createFile(atPath: marker, contents: Data("\(error)\n".utf8))
    }

    /// Lets everybody go on with a file that was opened anew.
    func replaceFile(with new: StoreFile) {
        opened.withValue { $0 = new }
        doubt.withValue { $0 = nil }
    }
}

extension StoreFile {
    /// What the name of the file that marks a damaged store adds to the store's own.
    static let suspectSuffix = ".suspect"
}
