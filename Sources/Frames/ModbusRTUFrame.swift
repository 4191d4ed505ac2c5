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

    /// Looks for the answer to a read of `count` bytes, or to a write.
    ///
    /// Nothing is believed without unit, function, length and CRC, so what else came (an echo of
    /// the request, the heartbeat of a serial server, the late answer of another unit) is passed
    /// over, wherever it stands.
    ///
    /// - Parameter count: the data bytes of a read; nil for a write, whose answer repeats the
    ///   first four bytes of `pdu` behind the function.
    package static func search(
        _ received: [UInt8], unit: UInt8, pdu: [UInt8], count: Int?
    ) -> FrameSearch<ModbusAnswer> {
        guard let function = pdu.first else { return .incomplete }
        for start in received.indices where received[start] == unit {
            let rest = received[start...].dropFirst()
            guard let code = rest.first else { break }
            let length =
                code == function | 0x80
                ? ModbusAnswer.exceptionLength : ModbusAnswer.length(count: count)
            guard rest.count >= length + 2,
                let answer = ModbusAnswer(rest.prefix(length), to: pdu, count: count),
                isWhole(received[start...].prefix(1 + length + 2))
            else { continue }
            return .found(answer)
        }
        return .incomplete
    }

    /// Whether the last two bytes are the checksum of those before them.
    private static func isWhole(_ frame: ArraySlice<UInt8>) -> Bool {
        let body = frame.dropLast(2)
        let crc = checksum(body)
        return frame[body.endIndex] == UInt8(crc & 0xFF)
            && frame[body.endIndex + 1] == UInt8(crc >> 8)
    }
}
