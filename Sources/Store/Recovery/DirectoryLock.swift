import Foundation
import Glibc

/// Keeps a second program from writing in a data directory: a record lock on `plumbline.lock`.
///
/// The kernel lets go of it when the process ends, however it ends, and names who holds it. The lock
/// belongs to the process: the same one may open the directory again.
final class DirectoryLock: Sendable {
    static let name = "plumbline.lock"
    private let descriptor: Int32

    /// - Throws: `busy` naming the process that holds it, `cannotOpen` without the right to write.
    init(directory: String) throws(StoreError) {
        let path = directory + "/" + Self.name
        let what = "lock \(path)"
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let code = errno
            throw StoreError(
                code == ENOSPC ? .full : .cannotOpen, what, cause: String(cString: strerror(code)),
                disposition: code == ENOSPC ? .retry : .stop)
        }
        var lock = Glibc.flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        guard fcntl(descriptor, F_SETLK, &lock) != 0 else { return }
        // Who holds it; nobody any more, if that process has just ended.
        _ = fcntl(descriptor, F_GETLK, &lock)
        throw StoreError(
            .busy, what,
            cause: "the process with number \(lock.l_pid) uses this directory; stop the gateway"
                + " first", disposition: .stop)
    }

    deinit { Glibc.close(descriptor) }

    /// The process that holds a directory's lock, if it is another one.
    ///
    /// Not for a process that holds the lock itself: the kernel would let go of it with the
    /// descriptor that is closed here.
    static func holder(directory: String) -> pid_t? {
        let descriptor = Glibc.open(directory + "/" + name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        var lock = Glibc.flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        guard fcntl(descriptor, F_GETLK, &lock) == 0, lock.l_type != Int16(F_UNLCK) else {
            return nil
        }
        return lock.l_pid
    }
}

/// What makes a new file outlive a power cut, and take the place of another in one step.
enum DurableFile {
    /// Waits until the file's bytes are on the medium.
    static func synchronize(_ path: String) throws(StoreError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open \(path)") }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("write \(path) to the medium") }
    }

    /// Renames, replacing what is there, and makes the names durable.
    static func move(_ from: String, to: String) throws(StoreError) {
        guard rename(from, to) == 0 else { throw failure("rename \(from) to \(to)") }
        let folder = (to as NSString).deletingLastPathComponent
        try synchronize(folder.isEmpty ? "." : folder)
    }

    /// Removes a database's file with its log and its index of the log, as far as they exist.
    static func removeDatabase(_ path: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
    }

    private static func failure(_ what: String) -> StoreError {
        let code = errno
        let cause = String(cString: strerror(code))
        switch code {
        case ENOSPC, EDQUOT: return StoreError(.full, what, cause: cause, disposition: .retry)
        case EIO: return StoreError(.inputOutput, what, cause: cause, disposition: .stop)
        default: return StoreError(.cannotOpen, what, cause: cause, disposition: .stop)
        }
    }
}
