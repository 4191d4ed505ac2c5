/// One frame of the building energy upload (分项能耗数据传输技术导则, form A).
///
///     head      4       68 68 16 16, or 55 AA 55 AA where the platform has it the other way round
///     length    4 LE    bytes of the next two parts
///     sequence  4       the instruction's number; its byte order is not settled, so it is opaque
///     body      n       the XML: AES-128-CBC with zero padding, or plain in some first messages
///     CRC       2 LE    CRC-16/XMODEM of sequence and body
///     tail      4       55 AA 55 AA, or 68 68 16 16 the other way round
///
/// Read off four captured frames that decrypt and check. A second form of frame, `1F 1F` with a
/// type and a length, differs from program to program and is refused (`EnergyStream`).
package struct EnergyFrame: Hashable, Sendable {
    /// Which mark begins a frame and which ends it.
    package enum Marks: String, Hashable, Sendable, CaseIterable {
        /// `68 68 16 16` … `55 AA 55 AA`.
        case guideline
        /// `55 AA 55 AA` … `68 68 16 16`.
        case reversed

        package var head: [UInt8] {
            self == .guideline ? [0x68, 0x68, 0x16, 0x16] : [0x55, 0xAA, 0x55, 0xAA]
        }
        package var tail: [UInt8] {
            self == .guideline ? [0x55, 0xAA, 0x55, 0xAA] : [0x68, 0x68, 0x16, 0x16]
        }
    }

    /// Four bytes.
    package let sequence: [UInt8]
    package var body: [UInt8]

    /// What every captured frame has.
    package static let usualSequence: [UInt8] = [0, 1, 0, 0]

    /// - Parameter sequence: four bytes; anything else becomes the usual ones.
    package init(sequence: [UInt8] = usualSequence, body: [UInt8]) {
        self.sequence = sequence.count == 4 ? sequence : Self.usualSequence
        self.body = body
    }

    /// Bytes of a frame around sequence and body.
    static let overhead = 4 + 4 + 2 + 4

    /// The frame as it goes out.
    package func bytes(_ marks: Marks) -> [UInt8] {
        let content = sequence + body
        let length = UInt32(truncatingIfNeeded: content.count)
        let crc = Self.checksum(content[...])
        return marks.head + (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + content
            + [UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)] + marks.tail
    }

    private static let table: [UInt16] = (0..<256).map { index in
        var crc = UInt16(index) << 8
        for _ in 0..<8 { crc = crc & 0x8000 != 0 ? (crc << 1) ^ 0x1021 : crc << 1 }
        return crc
    }

    /// CRC-16/XMODEM: polynomial 0x1021, not reflected, start and end 0; that of the ASCII text
    /// `123456789` is 0x31C3.
    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        // Pointers, because a hostile stream can ask for this many times.
        bytes.withUnsafeBufferPointer { bytes in
            table.withUnsafeBufferPointer { table in
                bytes.reduce(0) { ($0 << 8) ^ table[Int($0 >> 8) ^ Int($1)] }
            }
        }
    }
}
