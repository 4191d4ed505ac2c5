import LocatedText
import Telemetry

/// What the vocabulary says about one point key.
package struct PointDescription: Hashable, Sendable {
    package var kind: SeriesKind
    /// nil for states and text.
    package var dimension: Dimension?
    /// The canonical unit of the dimension; nil for states and text.
    package var canonicalUnit: Unit?
    /// The quantity's name in Chinese.
    package var zh: String
    /// The words of a state.
    package var states: [String]
    /// A device's own alarm: normal, warning or alarm.
    package var isAlarm: Bool
}

/// The closed list of quantities, facets and units (`Devices/vocabulary.yaml`).
package struct Vocabulary: Sendable {
    struct Quantity: Sendable {
        var description: PointDescription
        var facets: [String]
    }

    enum Facet: Sendable {
        case words([String])
        /// A prefix and a number from 1 to 99.
        case numbered(prefix: String)

        func accepts(_ word: Substring) -> Bool {
            switch self {
            case .words(let words): return words.contains(String(word))
            case .numbered(let prefix):
                let digits = word.dropFirst(prefix.count)
                return word.hasPrefix(prefix) && (1...2).contains(digits.utf8.count)
                    && digits.first != "0" && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }
        }
    }

    /// By symbol, as profiles write it.
    package let units: [String: Unit]
    let quantities: [String: Quantity]
    let facets: [String: Facet]

    /// The canonical unit of each dimension.
    package let canonicalUnits: [Dimension: Unit]
    /// The SunSpec models whose points a profile may name.
    package let sunspec: SunSpecModels

    /// What points can measure, by their words.
    package var quantityNames: Set<String> { Set(quantities.keys) }

    /// What `key` means; nil when its quantity or a facet is unknown or out of order.
    package func describe(_ key: PointKey) -> PointDescription? {
        let parts = key.text.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first, let quantity = quantities[String(first)] else { return nil }
        var allowed = quantity.facets[...]
        for part in parts.dropFirst() {
            guard
                let index = allowed.firstIndex(where: { facets[$0]?.accepts(part) ?? false })
            else { return nil }
            allowed = allowed[(index + 1)...]
        }
        return quantity.description
    }

    /// The nearest known quantity to a key's, for messages.
    func nearestQuantity(to key: PointKey) -> String? {
        Spelling.nearest(to: String(key.quantity), among: quantities.keys.sorted())
    }

    /// Reads the format `device-vocabulary/1`.
    ///
    /// - Throws: every fault of the text at once.
    package static func parse(_ text: String, file: String) throws(Faults) -> Vocabulary {
        let faults = FaultCollector()
        var root = MappingReader(try LocatedNode.parse(text, file: file), faults)
        _ = root.required("format")?.word([("device-vocabulary/1", true)], faults)
        var units: [String: Unit] = [:]
        var canonical: [Dimension: Unit] = [:]
        for entry in root.required("units")?.entries(faults) ?? [] {
            guard let unit = unit(entry, faults) else { continue }
            units[unit.symbol] = unit
            if unit.isCanonical, canonical.updateValue(unit, forKey: unit.dimension) != nil {
                faults.add(
                    entry.keyLocation, "'\(unit.dimension)' has two units with factor 1",
                    remedy: "one canonical unit a dimension")
            }
        }
        var facets: [String: Facet] = [:]
        for entry in root.required("facets")?.entries(faults) ?? [] {
            facets[entry.key] = facet(entry.value, faults)
        }
        var quantities: [String: Quantity] = [:]
        for entry in root.required("quantities")?.entries(faults) ?? [] {
            quantities[entry.key] = quantity(entry, facets, canonical, faults)
        }
        let sunspec = root.optional("sunspec").map { SunSpecModels.parse($0, faults) }
        root.finish()
        try faults.throwIfAny()
        return Vocabulary(
            units: units, quantities: quantities, facets: facets, canonicalUnits: canonical,
            sunspec: sunspec ?? SunSpecModels())
    }

    private static func unit(_ entry: LocatedNode.Entry, _ faults: FaultCollector) -> Unit? {
        var reader = MappingReader(entry.value, faults)
        let ucum = reader.required("ucum")?.string(faults)
        let dimension = reader.required("dim")?.string(faults)
        let factor = reader.required("factor")?.double(faults)
        let offset = reader.optional("offset")?.double(faults) ?? 0
        reader.finish()
        guard let ucum, let dimension, let factor else { return nil }
        guard factor > 0 else {
            faults.add(entry.keyLocation, "the factor of '\(entry.key)' must be above 0")
            return nil
        }
        return Unit(
            symbol: entry.key, ucum: ucum, dimension: Dimension(dimension), factor: factor,
            offset: offset)
    }

    private static func facet(_ node: LocatedNode, _ faults: FaultCollector) -> Facet? {
        if case .sequence(let words) = node.content {
            return .words(words.compactMap { $0.string(faults) })
        }
        var reader = MappingReader(node, faults)
        let node = reader.required("pattern")
        reader.finish()
        guard let node, let pattern = node.string(faults) else { return nil }
        let number = "[1-9][0-9]?"
        guard pattern.hasSuffix(number), pattern.count > number.count else {
            faults.add(
                node.location, "the pattern '\(pattern)' is not understood",
                remedy: "a word followed by \(number), for example 'ch\(number)'")
            return nil
        }
        return .numbered(prefix: String(pattern.dropLast(number.count)))
    }

    private static func quantity(
        _ entry: LocatedNode.Entry, _ facets: [String: Facet], _ canonical: [Dimension: Unit],
        _ faults: FaultCollector
    ) -> Quantity? {
        var reader = MappingReader(entry.value, faults)
        let kind = reader.required("kind")?.word(
            [
                ("gauge", SeriesKind.gauge), ("counter", .counter), ("state", .state),
                ("alarm", .state), ("text", .text),
            ], faults)
        let isAlarm = reader.optional("kind")?.scalar == "alarm"
        let zh = reader.required("zh")?.string(faults)
        var names: [String] = []
        for node in reader.optional("facets")?.list(faults) ?? [] {
            guard let name = node.word(facets.keys.sorted().map { ($0, $0) }, faults) else {
                continue
            }
            names.append(name)
        }
        var states = reader.optional("states")?.list(faults).compactMap { $0.string(faults) } ?? []
        if isAlarm { states = ["normal", "warning", "alarm"] }
        let isNumeric = kind == .gauge || kind == .counter
        var dimension: Dimension?
        if isNumeric, let node = reader.required("dim") {
            dimension = node.string(faults).map(Dimension.init)
            if let dimension, canonical[dimension] == nil {
                faults.add(node.location, "no unit has the dimension '\(dimension)'")
            }
        }
        for note in ["hj212", "note", "sign", "range"] { _ = reader.optional(note) }
        reader.finish()
        guard let kind, let zh else { return nil }
        if kind == .state, states.isEmpty {
            faults.add(entry.keyLocation, "'\(entry.key)' is a state without 'states'")
        }
        return Quantity(
            description: PointDescription(
                kind: kind, dimension: dimension,
                canonicalUnit: dimension.flatMap { canonical[$0] }, zh: zh, states: states,
                isAlarm: isAlarm),
            facets: names)
    }
}

extension Vocabulary {
    /// Knows nothing: for readers that need no words.
    static let empty = Vocabulary(
        units: [:], quantities: [:], facets: [:], canonicalUnits: [:], sunspec: SunSpecModels())
}
