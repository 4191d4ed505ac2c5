import Frames
import LocatedText
import Telemetry

/// Reads `protocol: dlt645` and `protocol: cjt188`.
struct MeterReader {
    let points: PointReader
    let faults: FaultCollector

    func interface(_ node: LocatedNode, speaking wanted: FieldProtocol) -> MeterInterface? {
        var reader = MappingReader(node, faults)
        _ = reader.required("protocol")
        let language = language(&reader, wanted)
        let preamble = reader.optional("preamble").flatMap { whole($0, in: 0...8) } ?? 4
        let modbus = ModbusReader(points: points, faults: faults)
        let serial = reader.optional("serial").map(modbus.serialLine)
        var responseTimeout: Duration?
        var quietTime: Duration?
        if let node = reader.required("limits") {
            var limits = MappingReader(node, faults)
            responseTimeout = limits.required("response_timeout")?.duration(faults)
            quietTime = limits.optional("quiet_time")?.duration(faults)
            limits.finish()
        }
        var defaults = PointReader.Defaults()
        var polls: [String: Duration] = [:]
        for entry in reader.required("polls")?.entries(faults) ?? [] {
            guard let period = entry.value.duration(faults) else { continue }
            if period < .milliseconds(1) {
                faults.add(entry.value.location, "a poll class needs a period above 0")
            }
            polls[entry.key] = period
        }
        defaults.polls = Set(polls.keys)
        for entry in reader.optional("maps")?.entries(faults) ?? [] {
            defaults.maps[entry.key] = points.map(entry.value)
        }
        if let node = reader.optional("defaults") {
            var fields = MappingReader(node, faults)
            defaults.poll = fields.optional("poll")?.word(
                polls.keys.sorted().map { ($0, $0) }, faults)
            fields.finish()
        }
        var lengths: [UInt32: Int] = [:]
        for entry in reader.optional("lengths")?.entries(faults) ?? [] {
            guard let item = item(entry.key, wanted, at: entry.keyLocation) else { continue }
            lengths[item] = whole(entry.value, in: 1...200)
        }
        defaults.origin = { origin(&$0, $1, wanted) }
        let list = points.points(reader.required("points"), defaults)
        var vectors = TestReader(points: list, faults: faults)
        vectors.given = given
        let tests = vectors.tests(reader.required("tests"), isModbus: false)
        reader.finish()
        guard let language else { return nil }
        let interface = MeterInterface(
            language: language, preamble: preamble, serial: serial,
            responseTimeout: responseTimeout ?? .milliseconds(1500),
            quietTime: quietTime ?? .milliseconds(50), lengths: lengths, polls: polls,
            points: list, tests: tests, location: node.location)
        check(interface)
        return interface
    }

    private func whole(_ node: LocatedNode, in range: ClosedRange<Int>) -> Int? {
        ModbusReader(points: points, faults: faults).whole(node, in: range)
    }

    private func language(
        _ reader: inout MappingReader, _ wanted: FieldProtocol
    ) -> MeterInterface.Language? {
        if wanted == .dlt645 {
            guard let edition = reader.required("edition") else { return nil }
            if edition.scalar == "1997" {
                faults.add(
                    edition.location, "meters of the 1997 edition are not supported",
                    remedy: "the 2007 edition has items of four bytes; ask for its register list")
                return nil
            }
            return edition.word([("2007", MeterInterface.Language.dlt645)], faults)
        }
        let type = reader.required("meter_type").flatMap { byte($0) }
        let order = reader.required("item_order")?.word(
            [("low_first", CJT188Request.ItemOrder.lowFirst), ("high_first", .highFirst)], faults)
        guard let type, let order else { return nil }
        return .cjt188(type: type, order: order)
    }

    /// Two hexadecimal digits.
    private func byte(_ node: LocatedNode) -> UInt8? {
        guard let text = node.string(faults) else { return nil }
        if text.utf8.count == 2, text.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
            let byte = UInt8(text, radix: 16)
        {
            return byte
        }
        faults.add(
            node.location, "'\(text)' is not a byte", remedy: "two hexadecimal digits in quotes")
        return nil
    }

    private func item(
        _ text: String, _ wanted: FieldProtocol, at location: Location
    ) -> UInt32? {
        let digits = wanted == .dlt645 ? 8 : 4
        let isHex = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x46).contains($0)
        }
        if isHex, text.utf8.count == digits { return UInt32(text, radix: 16) }
        faults.add(
            location, "'\(text)' is not an item",
            remedy: "\(digits) hexadecimal digits as the standard prints them, for example "
                + (wanted == .dlt645 ? "00010000" : "901F"))
        return nil
    }

    private func origin(
        _ reader: inout MappingReader, _ entry: LocatedNode.Entry, _ wanted: FieldProtocol
    ) -> PointOrigin? {
        let at = reader.required("at")
        let formatNode = reader.required("format")
        let hasSignBit =
            reader.optional("encoding")?.word([("sign_magnitude", true)], faults) ?? false
        let codeNode = reader.optional("unit_code")
        guard let at, let place = at.string(faults), let formatNode,
            let text = formatNode.string(faults)
        else { return nil }
        guard let format = MeterFormat(text) else {
            faults.add(
                formatNode.location, "'\(text)' is not a format",
                remedy: "as the standard writes it: XXXXXX.XX for BCD, HHHH for binary")
            return nil
        }
        let prefix = wanted.rawValue + "/"
        guard place.hasPrefix(prefix) else {
            faults.add(
                at.location, "'\(place)' is not a place of this protocol",
                remedy: "write \(prefix)ITEM, or \(prefix)ITEM@BYTE inside a longer item")
            return nil
        }
        let parts = place.dropFirst(prefix.count).split(
            separator: "@", omittingEmptySubsequences: false)
        guard let item = item(String(parts[0]), wanted, at: at.location) else { return nil }
        var offset = 0
        if parts.count > 1 {
            guard parts.count == 2, let value = UInt8(parts[1]), value < 200 else {
                faults.add(at.location, "the byte behind '@' is a number below 200")
                return nil
            }
            offset = Int(value)
        }
        if codeNode != nil, wanted == .dlt645 {
            faults.add(entry.keyLocation, "DL/T 645 sends no unit", remedy: "remove 'unit_code'")
        }
        return .meter(
            MeterSource(
                item: item, offset: offset, isPart: parts.count > 1, format: format,
                hasSignBit: hasSignBit, unitCode: codeNode.flatMap { byte($0) }))
    }

    /// What only the whole interface shows.
    private func check(_ interface: MeterInterface) {
        for point in interface.points {
            guard case .meter(let source) = point.origin else { continue }
            if case .cjt188 = interface.language {
                if interface.lengths[source.item] == nil {
                    faults.add(
                        point.location, "the length of the item is not known",
                        remedy: "add 'lengths: {…: bytes behind item and serial number}', because "
                            + "makers order the values of one item differently")
                }
                if let code = source.unitCode, let unit = point.unit,
                    let symbol = CJT188Unit.symbols[code], symbol != unit.symbol
                {
                    faults.add(
                        point.location, "the unit code stands for \(symbol), not \(unit.symbol)")
                }
            }
            if let length = interface.lengths[source.item], source.bytes.upperBound > length {
                faults.add(
                    point.location, "'\(point.key)' reaches beyond the \(length) bytes of its item")
            }
        }
        let sources = interface.points.compactMap { point -> (MeterSource, ProfilePoint)? in
            if case .meter(let source) = point.origin { (source, point) } else { nil }
        }
        for (index, one) in sources.enumerated() {
            for other in sources.dropFirst(index + 1)
            where one.0.item == other.0.item && one.0.bytes.overlaps(other.0.bytes)
                && (one.1.bits == nil || other.1.bits == nil || one.0 != other.0)
            {
                faults.add(
                    other.1.location, "'\(one.1.key)' and '\(other.1.key)' overlap",
                    remedy: "only the same bytes may be shared, and only with 'bits'")
            }
        }
    }

    /// `{key: "123456789012", frames: ["68 … 16", …]}`
    private func given(_ node: LocatedNode) -> ProfileTest.Given? {
        var reader = MappingReader(node, faults)
        let key = reader.required("key")?.string(faults)
        let frames = (reader.required("frames")?.list(faults) ?? []).compactMap { frame in
            bytes(frame)
        }
        reader.finish()
        return key.map { .meterFrames(key: $0, frames) }
    }

    private func bytes(_ node: LocatedNode) -> [UInt8]? {
        guard let text = node.string(faults) else { return nil }
        let words = text.split(separator: " ")
        let bytes = words.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        if bytes.count == words.count, !bytes.isEmpty { return bytes }
        faults.add(
            node.location, "a frame is written as bytes of two hexadecimal digits with blanks")
        return nil
    }
}

/// The unit bytes of CJ/T 188 that are known well enough to object to another unit.
enum CJT188Unit {
    static let symbols: [UInt8: String] = [0x05: "kWh", 0x08: "MWh", 0x2C: "m3", 0x35: "m3/h"]
}
