import Foundation

// The parts of the SQLite 3 file format that this folder reads (sqlite.org/fileformat2.html), all
// integers big endian. Pages are numbered from 1.
//
// Database header, the first 100 bytes of page 1
//
//     bytes  0–15   "SQLite format 3\0"
//     bytes 16–17   page size: 512 … 32768, 1 means 65536
//     bytes 32–35   first trunk page of the list of free pages, 0 without one
//     bytes 68–71   application_id
//
// Free list trunk page: 4 bytes next trunk (0: last), 4 bytes count n, then n page numbers.
//
// Write-ahead log, the file with `-wal` behind its name
//
//     header, 32 bytes   magic 0x377F0682 (checksums little endian) or …83 (big endian), version,
//                        page size, checkpoint number, salt 1, salt 2, checksum 1, checksum 2
//     frames, each       24 bytes: page number, pages in the file after the commit (0: no commit),
//                        salt 1, salt 2, checksum 1, checksum 2; then the page
//
// The checksum runs over the header's first 24 bytes and then, for each frame, over its first 8
// bytes and its page, two words a step: s0 += x0 + s1; s1 += x1 + s0, modulo 2^32. A frame counts
// when salts and checksum hold and a commit frame follows at or behind it.

/// A SQLite file as its pages, the write-ahead log laid over it. Reads only; nothing is changed.
///
/// A page that the medium does not give reads as nil, and so does one behind the end.
final class SQLiteImage {
    /// What our files always have.
    static let usualPageSize = 4096
    private static let headerText = Array("SQLite format 3\0".utf8)

    let pageSize: Int
    let pageCount: Int
    private let file: FileHandle
    private let log: FileHandle?
    /// Where in the log the newest committed frame of a page has its bytes.
    private let frames: [Int: UInt64]

    /// - Throws: what the system says when the file cannot be opened at all.
    init(path: String) throws {
        file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let size = try file.seekToEnd()
        log = try? FileHandle(forReadingFrom: URL(fileURLWithPath: path + "-wal"))
        let header = Self.bytes(of: file, at: 0, count: 100) ?? []
        let wal = log.flatMap { WriteAheadLog($0) }
        pageSize = Self.pageSize(header, wal: wal?.pageSize)
        frames = wal?.frames ?? [:]
        let stored = (Int(clamping: size) + pageSize - 1) / pageSize
        pageCount = max(stored, frames.keys.max() ?? 0)
    }

    deinit {
        try? file.close()
        try? log?.close()
    }

    /// The bytes of a page, shorter ones filled with zeros; nil when there are none.
    func page(_ number: Int) -> [UInt8]? {
        guard number >= 1, number <= pageCount else { return nil }
        if let log, let offset = frames[number] {
            return Self.bytes(of: log, at: offset, count: pageSize)
        }
        let offset = UInt64(number - 1) * UInt64(pageSize)
        guard var bytes = Self.bytes(of: file, at: offset, count: pageSize), !bytes.isEmpty else {
            return nil
        }
        if bytes.count < pageSize {
            bytes += [UInt8](repeating: 0, count: pageSize - bytes.count)
        }
        return bytes
    }

    /// The pages that hold nothing, as far as their list can be followed.
    func freePages() -> Set<Int> {
        guard let first = page(1) else { return [] }
        var free: Set<Int> = []
        var trunk = Int(first.big32(at: 32))
        while trunk > 1, trunk <= pageCount, free.insert(trunk).inserted, let page = page(trunk) {
            let count = min(Int(page.big32(at: 4)), pageSize / 4 - 2)
            for index in 0..<max(0, count) {
                let leaf = Int(page.big32(at: 8 + 4 * index))
                if leaf > 1, leaf <= pageCount { free.insert(leaf) }
            }
            trunk = Int(page.big32(at: 0))
        }
        return free
    }

    private static func pageSize(_ header: [UInt8], wal: Int?) -> Int {
        if let wal { return wal }
        guard header.count == 100, header.starts(with: headerText) else { return usualPageSize }
        let raw = Int(header[16]) << 8 | Int(header[17])
        let size = raw == 1 ? 65536 : raw
        // One flipped bit leaves a power of two only by making it zero.
        return size >= 512 && size.nonzeroBitCount == 1 ? size : usualPageSize
    }

    /// Up to `count` bytes; nil when the medium reports an error.
    static func bytes(of file: FileHandle, at offset: UInt64, count: Int) -> [UInt8]? {
        do {
            try file.seek(toOffset: offset)
            return [UInt8](try file.read(upToCount: count) ?? Data())
        } catch {
            return nil
        }
    }
}

/// Which pages the write-ahead log holds, and where.
private struct WriteAheadLog {
    let pageSize: Int
    private(set) var frames: [Int: UInt64] = [:]

    init?(_ file: FileHandle) {
        guard let header = SQLiteImage.bytes(of: file, at: 0, count: 32), header.count == 32,
            header.big32(at: 0) & 0xFFFF_FFFE == 0x377F_0682
        else { return nil }
        let isBig = header.big32(at: 0) & 1 == 1
        let size = Int(header.big32(at: 8))
        guard size >= 512, size <= 65536, size.nonzeroBitCount == 1 else { return nil }
        pageSize = size
        var sum = Checksum(isBig: isBig)
        sum.add(header[0..<24])
        guard sum.matches(header, at: 24) else { return nil }
        let salts = header[16..<24]
        var offset: UInt64 = 32
        var pending: [Int: UInt64] = [:]
        while let frame = SQLiteImage.bytes(of: file, at: offset, count: 24 + size),
            frame.count == 24 + size, frame[8..<16] == salts
        {
            sum.add(frame[0..<8])
            sum.add(frame[24...])
            guard sum.matches(frame, at: 16) else { break }
            pending[Int(frame.big32(at: 0))] = offset + 24
            if frame.big32(at: 4) != 0 {
                frames.merge(pending) { $1 }
                pending = [:]
            }
            offset += UInt64(24 + size)
        }
    }

    private struct Checksum {
        let isBig: Bool
        private var s0: UInt32 = 0
        private var s1: UInt32 = 0

        init(isBig: Bool) { self.isBig = isBig }

        mutating func add(_ bytes: ArraySlice<UInt8>) {
            var index = bytes.startIndex
            while index + 8 <= bytes.endIndex {
                s0 = s0 &+ word(bytes, index) &+ s1
                s1 = s1 &+ word(bytes, index + 4) &+ s0
                index += 8
            }
        }

        private func word(_ bytes: ArraySlice<UInt8>, _ index: Int) -> UInt32 {
            let value = bytes.big32(at: index)
            return isBig ? value : value.byteSwapped
        }

        func matches(_ bytes: [UInt8], at index: Int) -> Bool {
            bytes.big32(at: index) == s0 && bytes.big32(at: index + 4) == s1
        }
    }
}

extension RandomAccessCollection<UInt8> where Index == Int {
    /// Four bytes, big endian; 0 when they are not there.
    func big32(at index: Int) -> UInt32 {
        guard index >= startIndex, index + 4 <= endIndex else { return 0 }
        return UInt32(self[index]) << 24 | UInt32(self[index + 1]) << 16
            | UInt32(self[index + 2]) << 8 | UInt32(self[index + 3])
    }

    /// Two bytes, big endian; 0 when they are not there.
    func big16(at index: Int) -> Int {
        guard index >= startIndex, index + 2 <= endIndex else { return 0 }
        return Int(self[index]) << 8 | Int(self[index + 1])
    }
}
