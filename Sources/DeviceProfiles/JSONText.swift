/// The inside of a JSON string.
enum JSONText {
    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x37)
        case 0x61...0x66: UInt32(byte - 0x57)
        default: nil
        }
    }

    /// The bytes that a scanned string stands for; half a surrogate pair becomes U+FFFD.
    static func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard bytes.contains(0x5C) else { return Array(bytes) }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == 0x5C, let kind = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch kind {
            case 0x62: result.append(0x08)
            case 0x66: result.append(0x0C)
            case 0x6E: result.append(0x0A)
            case 0x72: result.append(0x0D)
            case 0x74: result.append(0x09)
            case 0x75: result += Array(String(scalar(&rest)).utf8)
            default: result.append(kind)
            }
        }
        return result
    }

    private static func scalar(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        guard let high = unit(&rest) else { return replacement }
        guard (0xD800..<0xDC00).contains(high) else { return Unicode.Scalar(high) ?? replacement }
        guard rest.starts(with: [0x5C, 0x75]) else { return replacement }
        var ahead = rest.dropFirst(2)
        guard let low = unit(&ahead), (0xDC00..<0xE000).contains(low) else { return replacement }
        rest = ahead
        return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)) ?? replacement
    }

    private static func unit(_ rest: inout ArraySlice<UInt8>) -> UInt32? {
        guard rest.count >= 4 else { return nil }
        var value: UInt32 = 0
        for byte in rest.prefix(4) {
            guard let digit = hexDigit(byte) else { return nil }
            value = value << 4 | digit
        }
        rest = rest.dropFirst(4)
        return value
    }
}
