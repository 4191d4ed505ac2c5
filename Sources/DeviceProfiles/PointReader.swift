import LocatedText
import Telemetry

/// Reads the points of an interface, and the raw values that they are made of.
struct PointReader {
    /// What an interface says for all of its points.
    struct Defaults {
        var type: RegisterType = .uint16
        var poll: String?
        var wordOrder: HalfOrder = .highFirst
        var byteOrder: HalfOrder = .highFirst
        /// False for MQTT, whose points are places in a payload.
        var isModbus = true
        /// The form of that payload, and whether `@` means something in it.
        var payload = PayloadFormat.json
        var hasElements = false
        var polls: Set<String> = []
        var maps: [String: [String: String]] = [:]
        /// Reads where a point is, for protocols whose places are neither registers nor paths.
        var origin: ((inout MappingReader, LocatedNode.Entry) -> PointOrigin?)?
    }

    let vocabulary: Vocabulary
    let parameters: Set<String>
    let faults: FaultCollector

    func points(_ node: LocatedNode?, _ defaults: Defaults) -> [ProfilePoint] {
        (node?.entries(faults) ?? []).compactMap { point($0, defaults) }
            .sorted { $0.key < $1.key }
    }

    private func point(_ entry: LocatedNode.Entry, _ defaults: Defaults) -> ProfilePoint? {
        let key = PointKey(entry.key)
        let description = vocabulary.describe(key)
        if description == nil {
            let remedy: String
            if vocabulary.quantities[String(key.quantity)] != nil {
                remedy = "'\(key.quantity)' has other facets, or in another order"
            } else if let near = vocabulary.nearestQuantity(to: key) {
                remedy = "did you mean '\(near)'?"
            } else {
                remedy = "quantities are listed in vocabulary.yaml"
            }
            faults.add(
                entry.keyLocation, "'\(entry.key)' is not in the vocabulary", remedy: remedy)
        }
        var reader = MappingReader(entry.value, faults)
        let origin: PointOrigin?
        if let other = defaults.origin {
            origin = other(&reader, entry)
        } else {
            origin =
                defaults.isModbus
                ? register(&reader, entry, defaults) : payload(&reader, entry, defaults)
        }
        let invalid = reader.optional("invalid")
        let bits = reader.optional("bits")
        let scale = reader.optional("scale").flatMap { self.scale($0, defaults) } ?? .number(1)
        let offset = reader.optional("offset")?.double(faults) ?? 0
        let times = reader.optional("times")?.list(faults).compactMap(parameter) ?? []
        let unit = reader.optional("unit")
        let valid = reader.optional("valid").flatMap(range)
        let values = reader.optional("values").map { self.values($0, description, defaults) } ?? [:]
        let flagWords = reader.optional("flags").map { self.flags($0, description) } ?? [:]
        let counter = reader.optional("counter").flatMap(counter)
        let poll = poll(&reader, entry, defaults)
        let flags = ["optional", "personal", "urgent"].map {
            reader.optional($0)?.bool(faults) ?? false
        }
        let doc = reader.optional("doc")?.string(faults)
        let note = reader.optional("note")?.string(faults)
        let status = reader.optional("status")?.word(
            Provenance.Status.allCases.map { ($0.rawValue, $0) }, faults)
        let isAlone = defaults.isModbus ? reader.optional("alone")?.bool(faults) ?? false : false
        reader.finish()
        guard let description, let origin else { return nil }
        var point = ProfilePoint(
            key: key, description: description, origin: origin, scale: scale, offset: offset,
            times: times, valid: valid, values: values, counter: counter, poll: poll,
            isAlone: isAlone, isOptional: flags[0], isPersonal: flags[1], isUrgent: flags[2],
            doc: doc, note: note, status: status, location: entry.keyLocation)
        point.flags = flagWords
        point.bits = bits.flatMap { bitRange($0, origin) }
        point.unit = self.unit(unit, of: description, at: entry)
        if let invalid { sentinels(invalid, into: &point) }
        return point
    }

    // MARK: Where the raw value is

    private func register(
        _ reader: inout MappingReader, _ entry: LocatedNode.Entry, _ defaults: Defaults
    ) -> PointOrigin? {
        let at = reader.optional("at")
        let sum = reader.optional("sum")
        let source = rawFields(&reader, at: at, defaults)
        if let sum {
            if let at { faults.add(at.location, "'at' and 'sum' exclude each other") }
            let parts = sum.list(faults).compactMap { part($0, defaults) }
            if parts.count < 2 {
                faults.add(sum.location, "a sum has at least two parts")
                return nil
            }
            return .sum(parts)
        }
        guard at != nil else {
            faults.add(
                entry.keyLocation, "'at' is missing",
                remedy: "add 'at: holding/0x0000' or 'sum: […]'"
            )
            return nil
        }
        return source.map { .register($0) }
    }

    private func part(_ node: LocatedNode, _ defaults: Defaults) -> PointOrigin.SumPart? {
        var reader = MappingReader(node, faults)
        let source = rawFields(&reader, at: reader.required("at"), defaults)
        let scale = reader.optional("scale")?.double(faults) ?? 1
        reader.finish()
        if scale == 0 { faults.add(node.location, "a scale of 0 loses every value") }
        return source.map { PointOrigin.SumPart(source: $0, scale: scale == 0 ? 1 : scale) }
    }

    /// A raw value outside of a point: an exponent, a parameter's register.
    func value(_ node: LocatedNode, _ defaults: Defaults = Defaults()) -> RegisterSource? {
        var reader = MappingReader(node, faults)
        defer { reader.finish() }
        return rawFields(&reader, at: reader.required("at"), defaults)
    }

    /// `at`, `type`, `length`, the orders and the encoding.
    func rawFields(
        _ reader: inout MappingReader, at: LocatedNode?, _ defaults: Defaults
    ) -> RegisterSource? {
        let place = at.flatMap(address)
        let type = reader.optional("type").map { registerType($0) }
        let length = reader.optional("length")
        let wordOrder = order(reader.optional("word_order")) ?? defaults.wordOrder
        let byteOrder = order(reader.optional("byte_order")) ?? defaults.byteOrder
        let encodingNode = reader.optional("encoding")
        let encoding =
            encodingNode?.word(RegisterEncoding.allCases.map { ($0.rawValue, $0) }, faults)
            ?? .plain
        guard let place, type != .some(nil) else { return nil }
        let fallback: RegisterType = place.area.isBits ? .bool : defaults.type
        let resolved = (type ?? fallback) ?? fallback
        if place.area.isBits != (resolved == .bool), let at {
            faults.add(
                at.location, "'\(resolved.rawValue)' does not fit \(place.area.rawValue)s",
                remedy: "coils and discrete inputs are bool, registers are not")
        }
        var count = resolved.registers
        if resolved == .text {
            count = length?.int(faults) ?? 0
            if !(1...125).contains(count) {
                faults.add(
                    (length ?? at)?.location ?? Location(file: "", line: 1, column: 1),
                    "a text needs 'length: 1' to '125' registers")
                return nil
            }
        } else if let length {
            faults.add(length.location, "only texts have a length")
        }
        if let encodingNode, !Self.fits(encoding, resolved) {
            faults.add(
                encodingNode.location, "'\(encoding.rawValue)' does not fit '\(resolved.rawValue)'")
        }
        if place.address + count > 65_536, let at {
            faults.add(at.location, "the value reaches beyond address 0xFFFF")
            return nil
        }
        return RegisterSource(
            area: place.area, address: place.address, type: resolved, count: count,
            wordOrder: wordOrder, byteOrder: byteOrder, encoding: encoding, model: place.model)
    }

    private static func fits(_ encoding: RegisterEncoding, _ type: RegisterType) -> Bool {
        switch encoding {
        case .plain: true
        case .signMagnitude: [.int16, .int32, .int64].contains(type)
        case .mod10k: [.uint16, .uint32, .uint64].contains(type)
        case .powerFactorQuadrant: [.float32, .float64].contains(type)
        }
    }

    /// nil after a fault.
    func registerType(_ node: LocatedNode) -> RegisterType? {
        node.word(RegisterType.allCases.map { ($0.rawValue, $0) }, faults)
    }

    func order(_ node: LocatedNode?) -> HalfOrder? {
        node?.word(HalfOrder.allCases.map { ($0.rawValue, $0) }, faults)
    }

    /// A place as a profile writes it.
    struct Place {
        var area: RegisterArea
        var address: Int
        var model: Int?
    }

    /// `holding/0x1F4`, `coil/0` or `sunspec/203/W`.
    func address(_ node: LocatedNode) -> Place? {
        guard let text = node.string(faults) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.first == "sunspec" { return sunspec(node, parts) }
        if parts.count == 2, let area = RegisterArea(rawValue: String(parts[0])) {
            let digits = parts[1]
            let isPlain = digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
            let address =
                digits.hasPrefix("0x")
                ? (2...4).contains(digits.count - 2) && !digits.contains("+")
                    ? Int(digits.dropFirst(2), radix: 16) : nil
                : isPlain ? Int(digits) : nil
            if let address, (0...0xFFFF).contains(address) {
                return Place(area: area, address: address)
            }
        }
        let areas = RegisterArea.allCases.map(\.rawValue)
        let near = Spelling.nearest(to: String(parts.first ?? ""), among: areas)
        faults.add(
            node.location, "'\(text)' is not an address",
            remedy: near.map { "did you mean '\($0)/…'?" }
                ?? "an area and a 0-based address, for example 'holding/0x1F4' or 'coil/0'")
        return nil
    }

    private func sunspec(_ node: LocatedNode, _ parts: [Substring]) -> Place? {
        let table = vocabulary.sunspec
        if parts.count == 3, let model = Int(parts[1]),
            let address = table.virtualAddress(model: model, point: String(parts[2]))
        {
            return Place(area: .holding, address: address, model: model)
        }
        let known = parts.count > 1 ? Int(parts[1]).flatMap { table.models[$0]?.points.keys } : nil
        let near = known.flatMap {
            Spelling.nearest(to: String(parts.last ?? ""), among: $0.sorted())
        }
        faults.add(
            node.location, "'\(node.scalar ?? "")' is not a point of a known SunSpec model",
            remedy: near.map { "did you mean '\($0)'?" }
                ?? "sunspec/MODEL/POINT; the models are listed in vocabulary.yaml: "
                + table.models.keys.sorted().map(String.init).joined(separator: ", "))
        return nil
    }

    private func payload(
        _ reader: inout MappingReader, _ entry: LocatedNode.Entry, _ defaults: Defaults
    ) -> PointOrigin? {
        let isBitText =
            reader.optional("type")?.word([("bits", true)], faults) ?? false
        guard let at = reader.required("at") else { return nil }
        return place(at, defaults).map { .payload($0, isBitText: isBitText) }
    }
}
