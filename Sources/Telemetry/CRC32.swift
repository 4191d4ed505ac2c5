/// CRC-32 as in IEEE 802.3 and zlib: polynomial 0xEDB88320 reflected, start and end inverted.
package enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in
            crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1
        }
    }

    /// The checksum of `bytes`; that of the ASCII text `123456789` is 0xCBF43926.
    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let table = Self.table
        var crc: UInt32 = .max
        for byte in bytes { crc = (crc >> 8) ^ table[Int((crc ^ UInt32(byte)) & 0xFF)] }
        return ~crc
    }
}
