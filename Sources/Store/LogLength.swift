import GRDB
import GRDBSQLite
import Synchronization

/// How many pages the write-ahead log of one connection holds.
///
/// Left to itself SQLite moves a long log into the file inside the commit that made it long, and
/// that commit returns only when the disk has taken all of it: an alarm would be told some ten
/// milliseconds late. The length is watched instead, and housekeeping moves the log when nobody waits
/// any more; without it the writer does so, once it has told everybody what it committed.
final class LogLength: Sendable {
    /// From here on it is to be moved: as long as SQLite itself lets it grow.
    static let long = 1000
    /// From here on the writer itself moves it. With the commit that passes it the log has to fit into
    /// what the ballast gives back, or a full disk could not be left (`Ballast.wanted`).
    static let longest = 1250

    private let pages = Atomic<Int>(0)

    var isLong: Bool { pages.load(ordering: .relaxed) >= Self.long }
    var isTooLong: Bool { pages.load(ordering: .relaxed) >= Self.longest }

    /// Counts from now on, in place of SQLite's own moving.
    func watch(_ db: Database) {
        // Kept for good, because SQLite does not say when it lets go: a few bytes for each time the
        // file is opened for writing.
        let context = Unmanaged.passRetained(self).toOpaque()
        _ = sqlite3_wal_hook(
            db.sqliteConnection,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                let length = Unmanaged<LogLength>.fromOpaque(context).takeUnretainedValue()
                length.pages.store(Int(pages), ordering: .relaxed)
                return SQLITE_OK
            }, context)
    }

    /// Tells that the log was looked at, whether or not all of it could be moved: the next commit
    /// says how long it is.
    func moved() { pages.store(0, ordering: .relaxed) }
}

extension StoreWriter {
    /// Moves the log into the file, if it is long.
    ///
    /// What was committed is durable in the log, so nothing is lost when it cannot be moved: what is
    /// wrong with the disk is noted, and the next commit meets it.
    package func moveLongLog() {
        guard shared.file.log.isLong else { return }
        _ = try? checkpoint(thoroughly: false)
    }

    /// Called after each commit, once it was told.
    func lookAtLog() {
        if shared.file.log.isTooLong {
            moveLongLog()
        } else if shared.file.log.isLong {
            shared.longLogs.light(shared.longLogs.newest + 1)
        }
    }
}

extension StoreReader {
    /// How many commits have left a long log since the store was opened.
    package var longLogCount: Int64 { shared.longLogs.newest }

    /// Waits until more than `count` commits have left a long log, or the task is cancelled.
    package func waitForLongLog(after count: Int64) async {
        _ = await shared.longLogs.wait(above: count)
    }
}
