/// CRC-32 as in IEEE 802.3 and zlib: polynomial 0xEDB88320 reflected, start and end inverted.
package enum CRC32 {
    /// Eight tables of 256: the first steps one byte, the n-th a byte with n − 1 bytes behind it.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256).map { index in
            var crc = UInt32(index)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
            return crc
        }
        for index in 256..<2048 {
            let before = tables[index - 256]
            tables.append((before >> 8) ^ tables[Int(before & 0xFF)])
        }
        return tables
    }()

    /// The checksum of `bytes`; that of the ASCII text `123456789` is 0xCBF43926.
    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBytes { raw in
            tables.withUnsafeBufferPointer { table in
                var crc: UInt32 = .max
                var index = 0
                while index + 8 <= raw.count {
                    let next = UInt64(
                        littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                    let mixed = next ^ UInt64(crc)
                    crc = 0
                    for place in 0..<8 {
                        let byte = Int(truncatingIfNeeded: mixed >> UInt64(8 * place)) & 0xFF
                        crc ^= table[256 * (7 - place) + byte]
                    }
                    index += 8
                }
                while index < raw.count {
                    crc = (crc >> 8) ^ table[Int((crc ^ UInt32(raw[index])) & 0xFF)]
                    index += 1
                }
                return ~crc
            }
        }
    }
}
