/// A frame of CJ/T 188, the protocol of Chinese water, heat and gas meters.
///
///     FE × 0 … 4 | 68 | T | A0 … A6 | C | L | DATA | CS | 16
///
///     T         what is metered: 10 cold water, 11 hot water, 20 heat, 21 cold, 30 gas, …
///     A0 … A6   14 digits in BCD, the lowest pair first; AA × 7 asks whoever is there
///     C         bit 7: from the meter, bit 6: error, the rest: function
///     DATA      item 2 bytes | serial number 1 byte | values; nothing is added to the bytes
///     CS        the sum of all bytes from 68 to the end of DATA, modulo 256
///
/// The two bytes of the item stand in either order, by maker, under the same checksum. A gateway only
/// asks: `CJT188Request` can say "read" (01) and "who are you" (03).
package struct CJT188Frame: Hashable, Sendable {
    /// The code of what is metered.
    package let type: UInt8
    package let address: CJT188Address
    package let control: UInt8
    package let data: [UInt8]

    init(type: UInt8, address: CJT188Address, control: UInt8, data: [UInt8]) {
        self.type = type
        self.address = address
        self.control = control
        self.data = data
    }

    package var isFromMeter: Bool { control & 0x80 != 0 }
    package var isError: Bool { control & 0x40 != 0 }

    static let longestData = 200

    /// The bytes from the 68 to the 16.
    var encoded: [UInt8] {
        var bytes: [UInt8] = [0x68, type] + address.bytes + [control, UInt8(clamping: data.count)]
        bytes += data
        bytes.append(bytes.reduce(0, &+))
        bytes.append(0x16)
        return bytes
    }

    /// Every whole frame in `bytes`, in order; what is between them is passed over.
    package static func frames(in bytes: [UInt8]) -> [CJT188Frame] {
        var found: [CJT188Frame] = []
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
    ) -> (frame: CJT188Frame, end: Int)? {
        guard start + 13 <= bytes.count, bytes[start] == 0x68 else { return nil }
        let length = Int(bytes[start + 10])
        let end = start + 13 + length
        guard length <= longestData, end <= bytes.count, bytes[end - 1] == 0x16,
            bytes[start..<(end - 2)].reduce(0, &+) == bytes[end - 2],
            let address = CJT188Address(wire: bytes[(start + 2)..<(start + 9)])
        else { return nil }
        let frame = CJT188Frame(
            type: bytes[start + 1], address: address, control: bytes[start + 9],
            data: Array(bytes[(start + 11)..<(end - 2)]))
        return (frame, end)
    }
}

/// The address of one meter: fourteen digits, the maker's code first.
package struct CJT188Address: Hashable, Sendable, CustomStringConvertible {
    /// As on the wire, the lowest pair of digits first.
    package let bytes: [UInt8]

    /// Asks whoever is on the line; for one meter alone.
    package static let wildcard = CJT188Address(bytes: Array(repeating: 0xAA, count: 7))

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// nil unless these are exactly fourteen decimal digits.
    package init?(_ digits: String) {
        guard let bytes = packedDigits(digits, pairs: 7) else { return nil }
        self.bytes = bytes
    }

    init?(wire: ArraySlice<UInt8>) {
        guard wire.count == 7 else { return nil }
        bytes = Array(wire)
    }

    package var description: String { printedDigits(bytes) }
}
