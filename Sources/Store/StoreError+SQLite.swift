import GRDB

extension StoreError {
    /// What SQLite, GRDB or a cancelled task reported, in the store's own words.
    init(_ what: String, _ error: any Error) {
        if let error = error as? StoreError {
            self = error
            return
        }
        if error is CancellationError {
            self.init(.cancelled, what, cause: "the task was cancelled", disposition: .retry)
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.database, what, cause: "\(error)", disposition: .stop)
            return
        }
        let (code, disposition): (Code, Disposition) =
            switch error.resultCode {
            case .SQLITE_FULL: (.full, .retry)
            case .SQLITE_BUSY, .SQLITE_LOCKED: (.busy, .retry)
            case .SQLITE_IOERR: (.inputOutput, .reopen)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: (.corrupt, .reopen)
            case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM: (.cannotOpen, .reopen)
            case .SQLITE_CONSTRAINT, .SQLITE_TOOBIG, .SQLITE_MISMATCH: (.invalid, .skip)
            case .SQLITE_INTERRUPT, .SQLITE_ABORT: (.cancelled, .retry)
            case .SQLITE_MISUSE: (.closed, .stop)
            default: (.database, .stop)
            }
        let message = error.message ?? "no message"
        self.init(
            code, what, cause: "SQLite \(error.extendedResultCode.rawValue): \(message)",
            disposition: disposition)
    }

    static func invalid(_ what: String, _ cause: String) -> StoreError {
        StoreError(.invalid, what, cause: cause, disposition: .skip)
    }
}
