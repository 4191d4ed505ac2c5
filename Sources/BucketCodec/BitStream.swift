import Telemetry

/// Collects bits, the highest bit of each byte first.
struct BitWriter {
    private var words: [UInt64] = []
    /// The bits that fill no word yet, at the top.
    private var held: UInt64 = 0
    /// How many they are, 0 to 63.
    private var count = 0

    /// The lowest `width` bits of `value`, 0 to 64; the bits above must be 0.
    @inline(__always)
    mutating func put(_ value: UInt64, width: Int) {
        let free = 64 &- count
        if width < free {
            held |= value &<< UInt64(truncatingIfNeeded: free &- width)
            count &+= width
            return
        }
        let rest = width &- free
        words.append(held | value &>> UInt64(truncatingIfNeeded: rest))
        held = rest == 0 ? 0 : value &<< UInt64(truncatingIfNeeded: 64 &- rest)
        count = rest
    }

    /// How many bytes they make.
    var byteCount: Int { words.count * 8 + (count + 7) / 8 }

    /// Appends the bytes, the last one filled up with zeros.
    func append(to out: inout ByteWriter) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(words.count * 8 + 8)
        for word in words + [held] {
            withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - byteCount)
        out.append(bytes)
    }
}

/// Takes bits out of bytes that nobody vouches for: behind the end it reads zeros, and `position`
/// tells that it went too far.
struct BitReader {
    private let bytes: UnsafeRawBufferPointer
    /// The offset of the next bit.
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, fromByte start: Int) {
        self.bytes = bytes
        position = start * 8
    }

    var isBeyondEnd: Bool { position > bytes.count * 8 }

    /// The offset of the first byte of which no bit was read.
    var nextByte: Int { (position + 7) >> 3 }

    /// The next 64 bits, of which the upper 57 are sure.
    @inline(__always)
    private var window: UInt64 {
        let byte = position >> 3
        let raw: UInt64
        if byte + 8 <= bytes.count {
            raw = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: byte, as: UInt64.self))
        } else {
            raw = tail(byte)
        }
        return raw &<< UInt64(position & 7)
    }

    @inline(never)
    private func tail(_ start: Int) -> UInt64 {
        var raw: UInt64 = 0
        for index in start..<start + 8 {
            raw = raw << 8 | (index < bytes.count ? UInt64(bytes[index]) : 0)
        }
        return raw
    }

    /// A number of `width` bits, 0 to 64.
    @inline(__always)
    mutating func take(_ width: Int) -> UInt64 {
        guard width <= 56 else {
            let upper = take(width - 32)
            return upper << 32 | take(32)
        }
        // Two shifts, because one by 64 would be one by 0.
        let value = (window >> 1) &>> UInt64(63 - width)
        position += width
        return value
    }

    /// One Rice code, as `RiceCode` describes it.
    @inline(__always)
    mutating func takeRice(_ parameter: Int) -> UInt64 {
        let window = window
        let quotient = (~window).leadingZeroBitCount
        if quotient < RiceCode.longestUnary {
            let used = quotient + 1
            if used + parameter <= 57 {
                position += used + parameter
                let low = ((window &<< UInt64(used)) >> 1) &>> UInt64(63 - parameter)
                return UInt64(quotient) &<< UInt64(parameter) | low
            }
            position += used
            return UInt64(quotient) &<< UInt64(parameter) | take(parameter)
        }
        position += RiceCode.longestUnary
        let width = Int(take(6)) + 1
        return take(width)
    }
}
