/// A frame of Modbus TCP.
///
///     transaction 2 | protocol 2 = 0 | length 2 | unit 1 | function 1 | data 0 … 252
///                                      └─ counts from the unit on
///
/// The stream may hold answers that are late, twice, or of another unit: a frame is believed by its
/// transaction, protocol, length, unit, function and count together.
package enum ModbusTCPFrame {
    /// The bytes before the function.
    private static let headLength = 7

    /// The frame that carries a function and its data to `unit`.
    package static func frame(transaction: UInt16, unit: UInt8, pdu: [UInt8]) -> [UInt8] {
        let length = pdu.count + 1
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headLength + pdu.count)
        bytes += [
            UInt8(transaction >> 8), UInt8(transaction & 0xFF), 0, 0, UInt8(length >> 8 & 0xFF),
            UInt8(length & 0xFF), unit,
        ]
        bytes += pdu
        return bytes
    }

    /// What came under the number of a request.
    package enum Reply: Hashable, Sendable {
        case answer(ModbusAnswer)
        /// A whole frame that answers something else, and what is wrong with it: nothing better
        /// will come under this number.
        case other(String)
    }

    /// Looks for the answer to a read of `count` bytes, or to a write.
    ///
    /// - Parameters:
    ///   - unit: nil believes whichever unit answers.
    ///   - count: the data bytes of a read; nil for a write.
    package static func search(
        _ received: [UInt8], transaction: UInt16, unit: UInt8?, pdu: [UInt8], count: Int?
    ) -> FrameSearch<Reply> {
        var objection: String?
        for start in starts(of: transaction, in: received) {
            let body = received[(start + headLength)...]
            let announced = Int(received[start + 4]) << 8 | Int(received[start + 5])
            let isException = body.first.map { $0 & 0x80 != 0 } ?? false
            // Devices are sold that announce one byte too many before an exception.
            let isExpected =
                isException
                ? announced == ModbusAnswer.exceptionLength + 1
                    || announced == ModbusAnswer.exceptionLength + 2
                : announced == ModbusAnswer.length(count: count) + 1
            let isWanted = unit == nil || received[start + 6] == unit
            if isWanted, isExpected,
                let answer = ModbusAnswer(body, to: pdu, count: count)
            {
                return .found(.answer(answer))
            }
            guard objection == nil, body.count + 1 >= announced else { continue }
            objection =
                isWanted
                ? "the answer is of another function or length than was asked for"
                : "unit \(received[start + 6]) answered instead of unit \(unit ?? 0); write its "
                    + "number as the unit if that is the device, or '?answers=any_unit' behind the "
                    + "address if nobody else is there"
        }
        return objection.map { .found(.other($0)) } ?? .incomplete
    }

    /// Whether an answer with this number has begun.
    package static func hasBegun(_ received: [UInt8], transaction: UInt16) -> Bool {
        !starts(of: transaction, in: received).isEmpty
    }

    /// Where a whole head with this transaction begins.
    private static func starts(of transaction: UInt16, in received: [UInt8]) -> [Int] {
        let (high, low) = (UInt8(transaction >> 8), UInt8(transaction & 0xFF))
        return (0..<max(0, received.count - headLength + 1)).filter { start in
            received[start] == high && received[start + 1] == low && received[start + 2] == 0
                && received[start + 3] == 0
        }
    }
}
