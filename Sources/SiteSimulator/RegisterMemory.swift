import CModbus
import DeviceProfiles

/// A unit's four tables as libmodbus wants them: one contiguous range each.
///
/// A range spans all that may be asked for; what lies between reads zero, and a request beyond it
/// is refused with "illegal data address".
final class RegisterMemory {
    let mapping: UnsafeMutablePointer<modbus_mapping_t>

    /// nil when there is no memory.
    init?(readable: [RegisterRequest]) {
        func range(_ area: RegisterArea) -> (start: UInt32, count: UInt32) {
            let parts = readable.filter { $0.area == area }
            guard let low = parts.map(\.address).min(),
                let high = parts.map({ $0.address + $0.count }).max()
            else { return (0, 0) }
            return (UInt32(clamping: low), UInt32(clamping: high - low))
        }
        let (coils, discretes) = (range(.coil), range(.discrete))
        let (holdings, inputs) = (range(.holding), range(.input))
        guard
            let mapping = modbus_mapping_new_start_address(
                coils.start, coils.count, discretes.start, discretes.count, holdings.start,
                holdings.count, inputs.start, inputs.count)
        else { return nil }
        self.mapping = mapping
    }

    deinit { modbus_mapping_free(mapping) }

    /// Replaces every register by those of an image; registers outside the ranges are left out.
    func fill(_ image: RegisterImage) {
        let map = mapping.pointee
        Self.fill(map.tab_bits, map.start_bits, map.nb_bits, image.areas[.coil]) {
            UInt8(truncatingIfNeeded: $0)
        }
        Self.fill(
            map.tab_input_bits, map.start_input_bits, map.nb_input_bits, image.areas[.discrete]
        ) {
            UInt8(truncatingIfNeeded: $0)
        }
        Self.fill(map.tab_registers, map.start_registers, map.nb_registers, image.areas[.holding]) {
            $0
        }
        Self.fill(
            map.tab_input_registers, map.start_input_registers, map.nb_input_registers,
            image.areas[.input]
        ) { $0 }
    }

    /// The whole frame that answers a read of functions 1 to 4; nil when the map does not hold all
    /// that is asked for.
    func answer(to query: [UInt8]) -> [UInt8]? {
        guard query.count >= 12 else { return nil }
        let address = Int(query[8]) << 8 | Int(query[9])
        let count = Int(query[10]) << 8 | Int(query[11])
        let map = mapping.pointee
        func cells<Cell: FixedWidthInteger>(
            _ table: UnsafeMutablePointer<Cell>?, _ start: Int32, _ size: Int32
        ) -> [UInt16]? {
            let first = address - Int(start)
            guard let table, count <= 125, first >= 0, first + count <= Int(size) else {
                return nil
            }
            return (first..<(first + count)).map { UInt16(truncatingIfNeeded: table[$0]) }
        }
        let found: [UInt16]? =
            switch query[7] {
            case 1: cells(map.tab_bits, map.start_bits, map.nb_bits)
            case 2: cells(map.tab_input_bits, map.start_input_bits, map.nb_input_bits)
            case 3: cells(map.tab_registers, map.start_registers, map.nb_registers)
            default:
                cells(map.tab_input_registers, map.start_input_registers, map.nb_input_registers)
            }
        guard let found else { return nil }
        var data: [UInt8]
        if query[7] <= 2 {
            data = [UInt8](repeating: 0, count: (count + 7) / 8)
            for (index, bit) in found.enumerated() where bit != 0 {
                data[index / 8] |= 1 << UInt8(index % 8)
            }
        } else {
            data = found.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        }
        return [query[0], query[1], 0, 0, 0, UInt8(data.count + 3), query[6], query[7]]
            + [UInt8(data.count)] + data
    }

    private static func fill<Cell: FixedWidthInteger>(
        _ table: UnsafeMutablePointer<Cell>?, _ start: Int32, _ count: Int32,
        _ registers: [Int: UInt16]?, _ convert: (UInt16) -> Cell
    ) {
        guard let table, count > 0 else { return }
        table.update(repeating: 0, count: Int(count))
        for (address, register) in registers ?? [:] {
            let index = address - Int(start)
            if (0..<Int(count)).contains(index) { table[index] = convert(register) }
        }
    }
}
