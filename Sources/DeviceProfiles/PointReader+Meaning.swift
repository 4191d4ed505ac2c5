import LocatedText
import Telemetry

/// What the raw value means: scale, unit, range, states.
extension PointReader {
    func scale(_ node: LocatedNode, _ defaults: Defaults) -> PointScale? {
        guard case .mapping = node.content else {
            guard let number = node.double(faults) else { return nil }
            if number == 0 { faults.add(node.location, "a scale of 0 loses every value") }
            return .number(number == 0 ? 1 : number)
        }
        var reader = MappingReader(node, faults)
        defer { reader.finish() }
        if let name = reader.optional("param") { return parameter(name).map(PointScale.parameter) }
        guard let power = reader.required("power10") else { return nil }
        guard defaults.isModbus, defaults.origin == nil else {
            faults.add(power.location, "power10 needs a register")
            return nil
        }
        let sign = reader.optional("sign")?.word([("1", 1), ("-1", -1)], faults) ?? 1
        let biasNode = reader.optional("bias")
        let bias = biasNode?.int(faults) ?? 0
        if let biasNode, !(-22...22).contains(bias) {
            faults.add(biasNode.location, "the bias is between -22 and 22")
            return nil
        }
        return value(power, defaults).map { .power10($0, sign: sign, bias: bias) }
    }

    func parameter(_ node: LocatedNode) -> String? {
        guard let name = node.string(faults) else { return nil }
        if parameters.contains(name) { return name }
        let near = Spelling.nearest(to: name, among: parameters.sorted())
        faults.add(
            node.location, "'\(name)' is not one of 'params'",
            remedy: near.map { "did you mean '\($0)'?" } ?? "declare it under 'params'")
        return nil
    }

    func range(_ node: LocatedNode) -> ClosedRange<Double>? {
        let bounds = node.list(faults).compactMap { $0.double(faults) }
        guard bounds.count == 2, bounds[0] <= bounds[1] else {
            faults.add(node.location, "a range is [lowest, highest]")
            return nil
        }
        return bounds[0]...bounds[1]
    }

    func bitRange(_ node: LocatedNode, _ origin: PointOrigin) -> ClosedRange<Int>? {
        let bounds = node.list(faults).compactMap { $0.int(faults) }
        let width: Int
        switch origin {
        case .register(let source): width = min(64, 16 * source.count)
        case .sum: width = 0
        case .payload(_, let isBitText): width = isBitText ? 64 : 53
        case .factor: width = 53
        case .meter(let source): width = source.format.isBinary ? 8 * source.format.bytes : 0
        }
        guard bounds.count == 2, bounds[0] <= bounds[1], bounds[0] >= 0, bounds[1] < width else {
            faults.add(
                node.location, "bits are [lowest, highest], counted from 0, within the value")
            return nil
        }
        return bounds[0]...bounds[1]
    }

    func unit(
        _ node: LocatedNode?, of description: PointDescription, at entry: LocatedNode.Entry
    ) -> Unit? {
        guard let dimension = description.dimension else {
            if let node { faults.add(node.location, "'\(entry.key)' is no number and has no unit") }
            return nil
        }
        guard let node else {
            faults.add(
                entry.keyLocation, "'unit' of '\(entry.key)' is missing",
                remedy: "one of \(symbols(of: dimension))")
            return nil
        }
        guard let symbol = node.string(faults) else { return nil }
        guard let unit = vocabulary.units[symbol] else {
            let near = Spelling.nearest(to: symbol, among: vocabulary.units.keys.sorted())
            faults.add(
                node.location, "the unit '\(symbol)' is not in the vocabulary",
                remedy: near.map { "did you mean '\($0)'?" }
                    ?? "one of \(symbols(of: dimension))")
            return nil
        }
        if unit.dimension != dimension {
            faults.add(
                node.location,
                "'\(symbol)' is a unit of \(unit.dimension), '\(entry.key)' is \(dimension)",
                remedy: "one of \(symbols(of: dimension))")
        }
        return unit
    }

    private func symbols(of dimension: Dimension) -> String {
        vocabulary.units.values.filter { $0.dimension == dimension }.map(\.symbol).sorted()
            .joined(separator: ", ")
    }

    /// Modbus sentinels are hexadecimal digits of exactly the value's width.
    func sentinels(_ node: LocatedNode, into point: inout ProfilePoint) {
        for literal in node.list(faults) {
            guard let text = literal.string(faults) else { continue }
            switch point.origin {
            case .payload, .factor: point.invalidTexts.append(text)
            case .meter:
                faults.add(
                    literal.location, "what a meter does not have is known by its ones",
                    remedy: "remove 'invalid'")
            case .register(let source) where source.type == .text: point.invalidTexts.append(text)
            case .sum:
                faults.add(literal.location, "a sum has no sentinel")
            case .register(let source):
                let digits = source.type == .bool ? 1 : 4 * source.count
                if text.utf8.count == digits, let bits = UInt64(text, radix: 16) {
                    point.invalidBits.append(bits)
                } else {
                    faults.add(
                        literal.location,
                        "the sentinel '\(text)' is not \(digits) hexadecimal digits wide",
                        remedy: "a sentinel has exactly the width of \(source.type.rawValue), for "
                            + "example \"\(String(repeating: "F", count: digits))\"")
                }
            }
        }
    }

    func values(
        _ node: LocatedNode, _ description: PointDescription?, _ defaults: Defaults
    ) -> [String: String] {
        var values: [String: String] = [:]
        if let name = node.scalar {
            guard let map = defaults.maps[name] else {
                let near = Spelling.nearest(to: name, among: defaults.maps.keys.sorted())
                faults.add(
                    node.location, "'\(name)' is not one of 'maps'",
                    remedy: near.map { "did you mean '\($0)'?" } ?? "declare it under 'maps'")
                return [:]
            }
            values = map
        } else {
            values = map(node)
        }
        guard let description else { return values }
        if description.kind != .state {
            faults.add(node.location, "only states have 'values'")
        } else {
            for word in Set(values.values).subtracting(description.states).sorted() {
                let near = Spelling.nearest(to: word, among: description.states)
                faults.add(
                    node.location, "'\(word)' is not a state of this quantity",
                    remedy: near.map { "did you mean '\($0)'?" }
                        ?? "one of \(description.states.joined(separator: ", "))")
            }
        }
        if defaults.isModbus {
            for code in values.keys.sorted() where Int64(code) == nil {
                faults.add(node.location, "the code '\(code)' is not a whole number")
            }
        }
        return values
    }

    /// `{3: alarm, 4: warning}`: bit to word.
    func flags(_ node: LocatedNode, _ description: PointDescription?) -> [Int: String] {
        var flags: [Int: String] = [:]
        for entry in node.entries(faults) {
            guard let bit = Int(entry.key), (0...52).contains(bit) else {
                faults.add(
                    entry.keyLocation, "'\(entry.key)' is not a bit", remedy: "bits count from 0")
                continue
            }
            guard let word = entry.value.string(faults) else { continue }
            flags[bit] = word
            guard let description, description.kind == .state else { continue }
            if !description.states.contains(word) {
                let near = Spelling.nearest(to: word, among: description.states)
                faults.add(
                    entry.value.location, "'\(word)' is not a state of this quantity",
                    remedy: near.map { "did you mean '\($0)'?" }
                        ?? "one of \(description.states.joined(separator: ", "))")
            }
        }
        if let description, description.kind != .state {
            faults.add(node.location, "only states have 'flags'")
        }
        return flags
    }

    func map(_ node: LocatedNode) -> [String: String] {
        var map: [String: String] = [:]
        for entry in node.entries(faults) { map[entry.key] = entry.value.string(faults) }
        return map
    }

    func counter(_ node: LocatedNode) -> CounterPolicy? {
        var reader = MappingReader(node, faults)
        let modulusNode = reader.optional("modulus")
        let modulus = modulusNode?.double(faults)
        if !reader.has("modulus") {
            faults.add(
                node.location, "'modulus' is missing", remedy: "a number, or null if it is unknown")
        }
        if let modulus, modulus <= 0, let modulusNode {
            faults.add(modulusNode.location, "a modulus is above 0")
        }
        let resets = reader.required("resets")?.word(
            [
                ("never", CounterPolicy.Resets.never), ("manual", .manual), ("command", .command),
                ("power_cycle", .powerCycle), ("daily", .daily),
            ], faults)
        reader.finish()
        return resets.map { CounterPolicy(modulus: modulus, resets: $0) }
    }

    func poll(
        _ reader: inout MappingReader, _ entry: LocatedNode.Entry, _ defaults: Defaults
    ) -> String {
        guard defaults.isModbus else { return "" }
        let node = reader.optional("poll")
        guard let name = node.map({ $0.scalar ?? "" }) ?? defaults.poll else {
            faults.add(
                entry.keyLocation, "'\(entry.key)' has no poll class",
                remedy: "add 'poll: …' here or under 'defaults'")
            return ""
        }
        if let node, !defaults.polls.contains(name) {
            let near = Spelling.nearest(to: name, among: defaults.polls.sorted())
            faults.add(
                node.location, "'\(name)' is not one of 'polls'",
                remedy: near.map { "did you mean '\($0)'?" }
                    ?? "one of \(defaults.polls.sorted().joined(separator: ", "))")
        }
        return name
    }
}
