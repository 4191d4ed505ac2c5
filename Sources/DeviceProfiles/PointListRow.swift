import LocatedText
import Telemetry

/// One row of a point list, understood.
struct PointListRow {
    var key: PointKey
    var description: PointDescription
    var place: PointListAddress
    var type: RegisterType
    var wordOrder: HalfOrder
    var byteOrder: HalfOrder
    /// As it was written, and what it is.
    var scale: (text: String, value: Double)
    var unit: Unit
    /// The address as it was written, and the remark.
    var doc: String
    var location: Location

    var addresses: Range<Int> { place.address..<(place.address + type.registers) }
}

/// Reads the rows below the head; every fault is noted, and reading goes on.
struct PointListReader {
    let columns: PointListColumns
    let options: PointList.Options
    let vocabulary: Vocabulary
    let faults: FaultCollector

    /// What the reader decided by itself, to be shown.
    var notes: [Fault] = []

    mutating func row(_ cells: [PointListText.Cell]) -> PointListRow? {
        guard let first = cells.first else { return nil }
        let before = faults.faults.count
        let named = readKey(cells, first)
        let place = readPlace(cells, first)
        let type = readType(cells, first)
        let order = readOrder(cells, first, type)
        let scale = readScale(cells)
        let unit = named.flatMap { readUnit(cells, first, $0.key, $0.description) }
        guard let named, let place, let type, let order, let unit, faults.faults.count == before
        else { return nil }
        if place.area.isBits {
            faults.add(
                first.location, "'\(place.wire)' is one bit, which is a state and no number",
                remedy: "write states by hand, with 'values' (docs/formats/device-profile.md)")
            return nil
        }
        if place.address + type.registers > 65_536 {
            faults.add(first.location, "the value reaches beyond address 65535")
            return nil
        }
        let written = columns.cell(.address, of: cells)?.text ?? ""
        let remark = [.name, .doc].compactMap { columns.cell($0, of: cells)?.text }
        return PointListRow(
            key: named.key, description: named.description, place: place, type: type,
            wordOrder: order.word, byteOrder: order.byte, scale: scale, unit: unit,
            doc: ([written] + remark).joined(separator: ", "), location: first.location)
    }

    private mutating func readKey(
        _ cells: [PointListText.Cell], _ first: PointListText.Cell
    ) -> (key: PointKey, description: PointDescription)? {
        let cell = columns.cell(.key, of: cells) ?? columns.cell(.name, of: cells)
        guard let cell else {
            faults.add(
                first.location, "the row has no name and no key",
                remedy: "name it, or delete the row")
            return nil
        }
        var key = PointKey(cell.text)
        if vocabulary.describe(key) == nil, columns.cell(.key, of: cells) == nil,
            let proposal = PointListNames(vocabulary: vocabulary).key(cell.text)
        {
            notes.append(Fault(cell.location, "'\(cell.text)' is taken as \(proposal)"))
            key = proposal
        }
        guard let description = vocabulary.describe(key) else {
            faults.add(
                cell.location, "'\(cell.text)' is not in the vocabulary",
                remedy: vocabulary.nearestQuantity(to: key).map { "did you mean '\($0)'?" }
                    ?? "add a column key with a word of Devices/vocabulary.yaml, for example "
                    + "voltage.l1 or active_energy.import.total")
            return nil
        }
        guard description.dimension != nil else {
            faults.add(
                cell.location, "'\(key)' is a state or a text and no number",
                remedy: "delete the row and write the point by hand, with 'values'")
            return nil
        }
        return (key, description)
    }

    private func readPlace(
        _ cells: [PointListText.Cell], _ first: PointListText.Cell
    ) -> PointListAddress? {
        guard let cell = columns.cell(.address, of: cells) else {
            faults.add(first.location, "the row has no address", remedy: "add it or delete the row")
            return nil
        }
        var area: RegisterArea?
        if let function = columns.cell(.function, of: cells) {
            area = Self.area(function.text)
            if area == nil {
                faults.add(
                    function.location, "'\(function.text)' is not a function that reads",
                    remedy: "1 coils, 2 discrete inputs, 3 holding registers, 4 input registers")
                return nil
            }
        }
        var text = cell.text
        let hasBase = text.contains("/") || text.lowercased().hasPrefix("0x")
        if columns.isHexadecimal, !hasBase, !text.lowercased().hasSuffix("h") { text = "0x" + text }
        do {
            return try PointListAddress(text, area: area, notation: options.addresses)
        } catch {
            faults.add(cell.location, error.message, remedy: error.remedy)
            return nil
        }
    }

    /// `03`, `FC04`, `03/06H`, `holding`, `保持寄存器`.
    private static func area(_ text: String) -> RegisterArea? {
        let words: [(String, RegisterArea)] = [
            // "discrete input" holds the word "input" too, so it comes first.
            ("离散输入", .discrete), ("discrete", .discrete), ("保持寄存器", .holding),
            ("输入寄存器", .input), ("线圈", .coil), ("holding", .holding), ("input", .input),
            ("coil", .coil),
        ]
        let lower = text.lowercased()
        if let word = words.first(where: { lower.contains($0.0) }) { return word.1 }
        let codes: [RegisterArea] = [.coil, .discrete, .holding, .input]
        let numbers = lower.split { !"0123456789abcdefx".contains($0) }.compactMap { part in
            let digits = part.drop { "fcx0".contains($0) }
            return Int(digits)
        }
        let reading = Set(numbers.filter { (1...4).contains($0) })
        guard reading.count == 1, let code = reading.first else { return nil }
        return codes[code - 1]
    }

    private static let types: [(words: [String], type: RegisterType)] = [
        (["uint16", "u16", "ushort", "word", "unsigned16", "无符号16位", "16位无符号"], .uint16),
        (["int16", "s16", "i16", "short", "signed16", "有符号16位", "16位有符号"], .int16),
        (["uint32", "u32", "dword", "unsigned32", "无符号32位", "32位无符号"], .uint32),
        (["int32", "s32", "i32", "signed32", "有符号32位", "32位有符号"], .int32),
        (["uint64", "u64", "无符号64位"], .uint64), (["int64", "s64", "i64", "有符号64位"], .int64),
        (["float32", "float", "real", "f32", "浮点", "浮点数", "单精度浮点", "单精度浮点数"], .float32),
        (["float64", "double", "f64", "双精度浮点", "双精度浮点数"], .float64),
        (["bcd16", "bcd"], .bcd16), (["bcd32"], .bcd32),
    ]

    private func readType(
        _ cells: [PointListText.Cell], _ first: PointListText.Cell
    ) -> RegisterType? {
        guard let cell = columns.cell(.type, of: cells) else {
            if let type = options.type { return type }
            faults.add(
                first.location, "the row has no type",
                remedy: "write uint16, int16, uint32, int32, float32 … or give --type for all")
            return nil
        }
        let word = cell.text.lowercased().filter { $0 != " " && $0 != "_" && $0 != "-" }
        if let known = Self.types.first(where: { $0.words.contains(word) }) { return known.type }
        faults.add(
            cell.location, "'\(cell.text)' is not a type of number",
            remedy: "one of " + Self.types.map { $0.type.rawValue }.joined(separator: ", "))
        return nil
    }

    private func readOrder(
        _ cells: [PointListText.Cell], _ first: PointListText.Cell, _ type: RegisterType?
    ) -> (word: HalfOrder, byte: HalfOrder)? {
        let cell = columns.cell(.order, of: cells)
        guard let text = cell?.text ?? options.order else {
            guard let type, type.registers > 1 else { return (.highFirst, .highFirst) }
            faults.add(
                first.location, "\(type.rawValue) has more than one register and no order",
                remedy: "write ABCD, CDAB, BADC or DCBA, or give --order for all")
            return nil
        }
        switch text.uppercased() {
        case "ABCD", "AB": return (.highFirst, .highFirst)
        case "CDAB": return (.lowFirst, .highFirst)
        case "BADC", "BA": return (.highFirst, .lowFirst)
        case "DCBA": return (.lowFirst, .lowFirst)
        default:
            faults.add(
                cell?.location ?? first.location, "'\(text)' is not an order",
                remedy: "ABCD is high byte and high word first, CDAB low word first, BADC swapped "
                    + "bytes, DCBA both")
            return nil
        }
    }

    private func readScale(_ cells: [PointListText.Cell]) -> (text: String, value: Double) {
        guard let cell = columns.cell(.scale, of: cells) else { return ("1", 1) }
        let plain = cell.text.drop { "×xX*".contains($0) }
        if let number = DecimalText.parse(Array(plain.utf8)[...]), number.value != 0 {
            return (String(plain), number.value)
        }
        faults.add(
            cell.location, "'\(cell.text)' is not a scale",
            remedy: "the number that multiplies the raw value, for example 0.1; write 1/10 as 0.1")
        return ("1", 1)
    }

    private static let unitNames: [String: String] = [
        "℃": "Cel", "°c": "Cel", "m³": "m3", "m³/h": "m3/h", "m^3": "m3", "μg/m3": "ug/m3",
        "μg/m³": "ug/m3", "µg/m3": "ug/m3", "µg/m³": "ug/m3", "ug/m³": "ug/m3", "°": "deg",
        "度": "deg", "lux": "lx", "w/m²": "W/m2", "rh%": "%RH", "伏": "V", "安": "A", "无": "1",
    ]

    private func readUnit(
        _ cells: [PointListText.Cell], _ first: PointListText.Cell, _ key: PointKey,
        _ description: PointDescription
    ) -> Unit? {
        let fitting = vocabulary.units.values.filter { $0.dimension == description.dimension }
            .map(\.symbol).sorted()
        guard let cell = columns.cell(.unit, of: cells) else {
            faults.add(
                first.location, "'\(key)' has no unit",
                remedy: "one of \(fitting.joined(separator: ", "))")
            return nil
        }
        let lower = cell.text.lowercased()
        // kWh, KWH and Kwh are one unit; mW and MW are not, so only what fits is compared.
        let unit =
            vocabulary.units[cell.text] ?? Self.unitNames[lower].flatMap { vocabulary.units[$0] }
            ?? fitting.filter { $0.lowercased() == lower }.onlyElement
            .flatMap { vocabulary.units[$0] }
        guard let unit, unit.dimension == description.dimension else {
            faults.add(
                cell.location, "'\(cell.text)' is no unit of '\(key)'",
                remedy: "one of \(fitting.joined(separator: ", "))")
            return nil
        }
        return unit
    }
}

extension Array {
    /// The element of a list of one.
    fileprivate var onlyElement: Element? { count == 1 ? first : nil }
}
