/// Why bytes could not be read, and where.
package struct Damage: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, in words.
    package var what: String
    /// The offset of the first byte that could not be read.
    package var position: Int

    package init(what: String, position: Int) {
        self.what = what
        self.position = position
    }

    package var description: String { "\(what) at byte \(position)" }
}

/// Appends numbers and text to bytes; `ByteReader` takes them out again.
package struct ByteWriter: Sendable {
    /// What has been written so far.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// One byte.
    package mutating func byte(_ value: UInt8) { bytes.append(value) }

    /// Bytes as they are, without a length.
    package mutating func append(_ more: [UInt8]) { bytes += more }

    /// Little endian, all of the integer's bytes.
    package mutating func fixed(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Unsigned LEB128: seven bits a byte, lowest first, the top bit says that more follows.
    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A signed integer as varint, small magnitudes first: 0, -1, 1, -2, …
    package mutating func zigzag(_ value: Int64) {
        varint(UInt64(bitPattern: (value &<< 1) ^ (value >> 63)))
    }

    /// The number of UTF-8 bytes as varint, then the bytes.
    package mutating func text(_ text: String) {
        varint(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Replaces four bytes by a little-endian number.
    package mutating func patch(_ value: UInt32, at position: Int) {
        for index in 0..<4 {
            bytes[position + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index)))
        }
    }
}

/// Takes numbers and text out of bytes that nobody vouches for: it throws, it never traps.
package struct ByteReader: Sendable {
    /// All the bytes, also those before `position`.
    package let bytes: [UInt8]
    /// The offset of the next byte, 0 to `bytes.count`.
    package private(set) var position: Int
    private let end: Int

    package init(_ bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes
        self.position = min(max(0, position), bytes.count)
        end = bytes.count
    }

    /// How many bytes are left.
    package var remaining: Int { end - position }

    /// A `Damage` at the present position.
    package func damage(_ what: String) -> Damage { Damage(what: what, position: position) }

    /// One byte; throws at the end.
    package mutating func byte() throws(Damage) -> UInt8 {
        guard position < end else { throw damage("the blob ends too early") }
        defer { position += 1 }
        return bytes[position]
    }

    /// A little-endian number of `T`'s width.
    package mutating func fixed<T: FixedWidthInteger & UnsignedInteger>(
        _: T.Type
    ) throws(Damage) -> T {
        let width = T.bitWidth / 8
        guard remaining >= width else { throw damage("the blob ends too early") }
        var value: T = 0
        for index in 0..<width {
            value |= T(truncatingIfNeeded: bytes[position + index]) &<< T(8 * index)
        }
        position += width
        return value
    }

    /// Unsigned LEB128; throws beyond 64 bits.
    package mutating func varint() throws(Damage) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let next = try byte()
            if shift == 63, next > 1 { throw damage("a number of more than 64 bits") }
            value |= UInt64(next & 0x7F) &<< shift
            if next < 0x80 { return value }
        }
        throw damage("a number of more than ten bytes")
    }

    /// A signed varint: 0, -1, 1, -2, …
    package mutating func zigzag() throws(Damage) -> Int64 {
        let raw = try varint()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    /// A count, refused above `limit`.
    package mutating func count(upTo limit: Int, of what: String) throws(Damage) -> Int {
        let raw = try varint()
        guard raw <= UInt64(max(0, limit)) else { throw damage("\(raw) \(what), at most \(limit)") }
        return Int(raw)
    }

    /// A length in bytes, refused when fewer are left behind it.
    package mutating func length(of what: String) throws(Damage) -> Int {
        // The number's own bytes are gone when the rest is measured.
        let raw = try varint()
        guard raw <= UInt64(remaining) else {
            throw damage("\(what) of \(raw) bytes, \(remaining) are left")
        }
        return Int(raw)
    }

    /// A length and as many bytes of UTF-8; throws when they are none.
    package mutating func text() throws(Damage) -> String {
        let length = try length(of: "text")
        let slice = bytes[position..<position + length]
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw damage("text that is not UTF-8")
        }
        position += length
        return text
    }

    /// Goes on by `count` bytes; throws when fewer are left.
    package mutating func skip(_ count: Int) throws(Damage) {
        guard count >= 0, remaining >= count else { throw damage("the blob ends too early") }
        position += count
    }
}
