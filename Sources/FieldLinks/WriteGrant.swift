import CModbus

/// Permission to write one place of one unit, and nothing else.
///
/// A bus reads. What it may write besides, its owner says when the bus is made; a request without a
/// grant is refused before a byte of it is built, whoever asks for it.
package struct WriteGrant: Hashable, Sendable {
    /// The functions that a grant can be for.
    package enum Function: UInt8, Hashable, Sendable, CaseIterable {
        case singleCoil = 5
        case singleRegister = 6
        case coils = 15
        case registers = 16

        var isBits: Bool { self == .singleCoil || self == .coils }
    }

    package var unit: UInt8
    package var function: Function
    /// 0-based, as on the wire.
    package var address: Int
    /// The only values that may be written, each as the registers or bits of one request. For a
    /// single coil 0xFF00 is on and 0x0000 off, as on the wire.
    package var values: Set<[UInt16]>

    package init(unit: UInt8, function: Function, address: Int, values: Set<[UInt16]>) {
        self.unit = unit
        self.function = function
        self.address = address
        self.values = values
    }
}

/// One write.
package struct WriteRequest: Hashable, Sendable, CustomStringConvertible {
    package var unit: UInt8
    package var function: WriteGrant.Function
    /// 0-based, as on the wire.
    package var address: Int
    /// Registers, or bits as 0xFF00 and 0x0000.
    package var values: [UInt16]

    package init(
        unit: UInt8, function: WriteGrant.Function, address: Int, values: [UInt16]
    ) {
        self.unit = unit
        self.function = function
        self.address = address
        self.values = values
    }

    package var description: String {
        "unit \(unit) write \(function.isBits ? "coil" : "holding") \(address)+\(values.count)"
    }

    /// Whether one of `grants` allows it. Unit 0 is everybody, and nobody is allowed that.
    func isGranted(by grants: Set<WriteGrant>) -> Bool {
        unit != 0
            && grants.contains {
                $0.unit == unit && $0.function == function && $0.address == address
                    && $0.values.contains(values)
            }
    }
}

extension WriteRequest {
    /// Function and data as they stand in a frame.
    var pdu: [UInt8] {
        func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
        let head = [function.rawValue] + word(UInt16(truncatingIfNeeded: address))
        let count = word(UInt16(truncatingIfNeeded: values.count))
        switch function {
        case .singleCoil, .singleRegister: return head + word(values.first ?? 0)
        case .coils:
            var bytes = [UInt8](repeating: 0, count: (values.count + 7) / 8)
            for (index, value) in values.enumerated() where value != 0 {
                bytes[index / 8] |= 1 << UInt8(index % 8)
            }
            return head + count + [UInt8(truncatingIfNeeded: bytes.count)] + bytes
        case .registers:
            return head + count + [UInt8(truncatingIfNeeded: 2 * values.count)]
                + values.flatMap(word)
        }
    }

    /// Writes through libmodbus; its result.
    func send(through context: OpaquePointer) -> Int32 {
        let (place, count) = (Int32(truncatingIfNeeded: address), Int32(values.count))
        switch function {
        case .singleCoil: return modbus_write_bit(context, place, values[0] == 0 ? 0 : 1)
        case .singleRegister: return modbus_write_register(context, place, values[0])
        case .coils:
            return modbus_write_bits(context, place, count, values.map { $0 == 0 ? 0 : 1 })
        case .registers: return modbus_write_registers(context, place, count, values)
        }
    }
}
