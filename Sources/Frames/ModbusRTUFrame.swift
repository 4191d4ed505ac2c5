/// A frame of Modbus RTU, as it stands on a serial line and in the stream of a serial server.
///
///     unit 1 | function 1 | data 0 … 252 | CRC 2, low byte first
///
/// A reader in user space cannot hear the silence that ends a frame on a line, and a serial server
/// may cut it anywhere: a frame is known by its function, the length that follows from it, and CRC.
package enum ModbusRTUFrame {
    /// The longest frame, CRC included.
    package static let maximumLength = 256

    /// CRC-16 of Modbus (start 0xFFFF, reflected polynomial 0xA001).
    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in bytes {
            crc = (crc >> 8) ^ table[Int((crc ^ UInt16(byte)) & 0xFF)]
        }
        return crc
    }

    private static let table: [UInt16] = (0..<256).map { index in
        var crc = UInt16(index)
        for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xA001 : crc >> 1 }
        return crc
    }

    /// The frame that carries a function and its data to or from `unit`.
    package static func frame(unit: UInt8, pdu: [UInt8]) -> [UInt8] {
        var bytes = [unit] + pdu
        let crc = checksum(bytes[...])
        bytes.append(UInt8(crc & 0xFF))
        bytes.append(UInt8(crc >> 8))
        return bytes
    }
}
