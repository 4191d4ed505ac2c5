/// Why the store could not do what it was asked, with the evidence and what to do about it.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong; stable, for programs.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        /// The file could not be opened or made.
        case cannotOpen = "cannot_open"
        /// The file was written by a newer version than this one.
        case newerSchema = "newer_schema"
        /// The site's time zone differs from the one in which the stored days were cut.
        case zoneChanged = "zone_changed"
        /// The file system is full.
        case full = "disk_full"
        /// The system reported an error on reading or writing.
        case inputOutput = "input_output"
        /// The file is not what it should be.
        case corrupt = "corrupt"
        /// Another connection holds the lock for longer than the busy timeout.
        case busy = "busy"
        /// What was handed in cannot be stored: an unknown group, a row of the wrong width.
        case invalid = "invalid"
        /// A journal row whose blob is damaged or of an unknown version.
        case damagedRow = "damaged_row"
        /// The store is closed.
        case closed = "closed"
        /// The task that asked was cancelled.
        case cancelled = "cancelled"
        /// Anything else that SQLite reported.
        case database = "database"
    }

    /// What the caller should do.
    package enum Disposition: String, Hashable, Sendable {
        /// Try again later: nothing was changed.
        case retry
        /// Leave this item out: the next one may succeed.
        case skip
        /// Open the file anew (`StoreWriter.reopen`) and try again; never on the same handle.
        case reopen
        /// Stop using this store.
        case stop
    }

    package var code: Code
    /// What was being done, for example `commit journal row 17`.
    package var what: String
    /// The cause in the words of whoever reported it.
    package var cause: String
    package var disposition: Disposition

    package init(_ code: Code, _ what: String, cause: String, disposition: Disposition) {
        self.code = code
        self.what = what
        self.cause = cause
        self.disposition = disposition
    }

    package var description: String { "\(what): \(cause) (\(code.rawValue))" }
}
