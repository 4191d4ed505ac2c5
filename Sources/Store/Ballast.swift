import Foundation
import Glibc

/// Bytes that are held on the file system so that there is something to give up when it is full.
///
/// SQLite cannot delete its way out of a full disk: even a deletion writes to the log first.
struct Ballast: Sendable {
    static let name = "plumbline.ballast"
    static let largest: Int64 = 8 << 20
    static let smallest: Int64 = 1 << 20

    let path: String

    init(directory: String) { path = directory + "/" + Self.name }

    /// The bytes that are held now; 0 without any.
    var bytes: Int64 { StoreFile.size(path) }

    /// As much as the log may have grown to, because a full disk can only be left when the log fits
    /// into the file; less on a tiny file system.
    static func wanted(of space: FileSystemSpace) -> Int64 {
        min(largest, max(smallest, space.total / 6))
    }

    /// Takes the bytes unless they are held, or the file system has too few of them.
    ///
    /// - Returns: the bytes that are held afterwards.
    @discardableResult
    func take(from space: FileSystemSpace) -> Int64 {
        let held = bytes
        let wanted = Self.wanted(of: space)
        // Twice as much must be there: bytes that are taken and given up in turn help nobody.
        guard held < wanted, space.available / 2 >= wanted else { return held }
        let descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return held }
        let result = posix_fallocate(descriptor, 0, off_t(wanted))
        close(descriptor)
        if result != 0 { release() }
        return bytes
    }

    /// Gives the bytes back to the file system.
    ///
    /// - Returns: whether there were any.
    @discardableResult
    func release() -> Bool {
        // Cut before it is removed: whoever holds the file open must not keep its bytes.
        guard bytes > 0, truncate(path, 0) == 0 else { return false }
        unlink(path)
        return true
    }
}

/// What the file system under the store has, in bytes.
struct FileSystemSpace: Hashable, Sendable {
    /// What a process without privileges may still take.
    var available: Int64
    var total: Int64

    /// How much is taken, 0 to 1, of what was ever to be had.
    var share: Double { total > 0 ? 1 - Double(available) / Double(total) : 1 }

    /// - Returns: nil when the system does not say.
    static func read(_ directory: String) -> FileSystemSpace? {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return nil }
        let block = Int64(clamping: status.f_frsize)
        func bytes(_ blocks: UInt) -> Int64 {
            let (product, overflow) = Int64(clamping: blocks).multipliedReportingOverflow(by: block)
            return overflow ? .max : product
        }
        return FileSystemSpace(
            available: bytes(UInt(status.f_bavail)), total: bytes(UInt(status.f_blocks)))
    }
}
