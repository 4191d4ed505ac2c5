/// A frame of DL/T 645-2007, the protocol of Chinese electricity meters.
///
///     FE × 0 … 4 | 68 | A0 … A5 | 68 | C | L | DATA | CS | 16
///
///     A0 … A5   12 decimal digits in BCD, the lowest pair first; AA × 6 asks whoever is there
///     C         bit 7: from the meter, bit 6: error, bit 5: more frames follow, bits 0 to 4: function
///     L         bytes of DATA, at most 200
///     DATA      each byte + 0x33 on the wire; a read begins with the item, DI0 first
///     CS        the sum of all bytes from the first 68 to the end of DATA, modulo 256
///
/// A gateway only asks: `DLT645Request` can say "read" (11), "read on" (12) and "who are you" (13),
/// and this type has no other way to the wire than an answer.
package struct DLT645Frame: Hashable, Sendable {
    package let address: DLT645Address
    package let control: UInt8
    /// As it is meant, without the 0x33 of the wire.
    package let data: [UInt8]

    init(address: DLT645Address, control: UInt8, data: [UInt8]) {
        self.address = address
        self.control = control
        self.data = data
    }

    package var isFromMeter: Bool { control & 0x80 != 0 }
    package var isError: Bool { control & 0x40 != 0 }
    package var hasMore: Bool { control & 0x20 != 0 }
    package var function: UInt8 { control & 0x1F }

    static let longestData = 200

    /// The bytes from the first 68 to the 16.
    var encoded: [UInt8] {
        var bytes: [UInt8] = [0x68] + address.bytes + [0x68, control, UInt8(clamping: data.count)]
        bytes += data.map { $0 &+ 0x33 }
        bytes.append(bytes.reduce(0, &+))
        bytes.append(0x16)
        return bytes
    }

    /// Every whole frame in `bytes`, in order; what is between them is passed over.
    package static func frames(in bytes: [UInt8]) -> [DLT645Frame] {
        var found: [DLT645Frame] = []
        var index = 0
        while index < bytes.count {
            if let (frame, end) = frame(at: index, in: bytes) {
                found.append(frame)
                index = end
            } else {
                index += 1
            }
        }
        return found
    }

    /// The frame that begins exactly at `start`; nil when none does, or not all of it is there.
    private static func frame(
        at start: Int, in bytes: [UInt8]
    ) -> (frame: DLT645Frame, end: Int)? {
        guard start + 12 <= bytes.count, bytes[start] == 0x68, bytes[start + 7] == 0x68 else {
            return nil
        }
        let length = Int(bytes[start + 9])
        let end = start + 12 + length
        guard length <= longestData, end <= bytes.count, bytes[end - 1] == 0x16,
            bytes[start..<(end - 2)].reduce(0, &+) == bytes[end - 2],
            let address = DLT645Address(wire: bytes[(start + 1)..<(start + 7)])
        else { return nil }
        let frame = DLT645Frame(
            address: address, control: bytes[start + 8],
            data: bytes[(start + 10)..<(end - 2)].map { $0 &- 0x33 })
        return (frame, end)
    }
}

/// The address of one meter: twelve digits, as printed on its face.
package struct DLT645Address: Hashable, Sendable, CustomStringConvertible {
    /// As on the wire, the lowest pair of digits first.
    package let bytes: [UInt8]

    /// Asks whoever is on the line; for one meter alone.
    package static let wildcard = DLT645Address(bytes: Array(repeating: 0xAA, count: 6))

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// nil unless these are exactly twelve decimal digits.
    package init?(_ digits: String) {
        guard let bytes = packedDigits(digits, pairs: 6) else { return nil }
        self.bytes = bytes
    }

    init?(wire: ArraySlice<UInt8>) {
        guard wire.count == 6 else { return nil }
        bytes = Array(wire)
    }

    package var description: String { printedDigits(bytes) }
}

/// Decimal digits in BCD, the lowest pair first.
func packedDigits(_ digits: String, pairs: Int) -> [UInt8]? {
    let figures = Array(digits.utf8)
    guard figures.count == 2 * pairs, figures.allSatisfy({ (0x30...0x39).contains($0) }) else {
        return nil
    }
    return (0..<pairs).reversed().map { pair in
        (figures[2 * pair] - 0x30) << 4 | (figures[2 * pair + 1] - 0x30)
    }
}

/// Bytes as hexadecimal figures, the last one first.
func printedDigits(_ bytes: [UInt8]) -> String {
    bytes.reversed().map { byte in
        (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
}
