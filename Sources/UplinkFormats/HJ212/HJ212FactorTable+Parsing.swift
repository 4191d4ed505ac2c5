import LocatedText
import Telemetry

/// Reads `hj212-factors/1`, the grammar of `Config/uplinks/hj212-factors.yaml`:
///
///     format: hj212-factors/1
///     particulates:
///       unit: mg/m3                     what holds when the uplink says nothing
///       decimals: { mg/m3: 3, … }       the units that may be chosen, with their decimals, 0 to 9
///       warning: { en: …, zh: … }       told whenever the unit is not said by the uplink
///       source, status                  verified | secondary | from-memory | project
///     dialects:
///       - dialect: "2017"               the uplink chooses among them
///         factors:
///           - point: pm10               a key of the vocabulary
///             code: a34002              letters, digits and _
///             unit: particulates        or a unit of the vocabulary, then with decimals
///             decimals: 1
///             statistics: [mean]        minimum | mean | vector_mean | energetic_mean | maximum
///                                       | increase | sum, each once, one mean
///             source, status
extension HJ212FactorTable {
    package static let format = "hj212-factors/1"

    /// Reads the table; what cannot be read is left out and told in `faults`.
    ///
    /// - Returns: nil without a unit for particulates.
    package static func parse(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> HJ212FactorTable? {
        var reader = MappingReader(node, faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let particulates = reader.required("particulates").flatMap { Particulates($0, faults) }
        let nodes = reader.required("dialects")?.list(faults) ?? []
        reader.finish()
        var dialects: [String: [Factor]] = [:]
        for node in nodes {
            var reader = MappingReader(node, faults)
            let name = reader.required("dialect")?.string(faults)
            let factors = reader.required("factors")?.list(faults) ?? []
            reader.finish()
            guard let name else { continue }
            if dialects[name] != nil {
                faults.add(
                    node.location, "the dialect '\(name)' stands twice", remedy: "remove one")
            }
            dialects[name] = Self.factors(factors, faults)
        }
        return particulates.map { HJ212FactorTable(particulates: $0, dialects: dialects) }
    }

    private static func factors(
        _ nodes: [LocatedNode], _ faults: FaultCollector
    ) -> [Factor] {
        var factors: [Factor] = []
        for node in nodes {
            guard let factor = Factor(node, faults) else { continue }
            if factors.contains(where: { $0.point == factor.point }) {
                faults.add(
                    node.location, "the point '\(factor.point)' stands twice in its dialect",
                    remedy: "remove one")
            } else if factors.contains(where: { $0.code == factor.code }) {
                faults.add(
                    node.location, "the code '\(factor.code)' is another point's too",
                    remedy: "remove one")
            } else {
                factors.append(factor)
            }
        }
        return factors
    }

    fileprivate static func decimals(_ node: LocatedNode, _ faults: FaultCollector) -> Int? {
        guard let decimals = node.int(faults) else { return nil }
        if (0...ScaledInteger.finestExponent).contains(decimals) { return decimals }
        faults.add(node.location, "decimals lie between 0 and 9")
        return nil
    }
}

extension HJ212FactorTable.Evidence {
    fileprivate static func read(
        _ reader: inout MappingReader, _ faults: FaultCollector
    ) -> (source: String, evidence: Self)? {
        let source = reader.required("source")?.string(faults)
        let evidence = reader.required("status")?.word(
            allCases.map { ($0.rawValue, $0) }, faults)
        return source.flatMap { source in evidence.map { (source, $0) } }
    }
}

extension HJ212FactorTable.Particulates {
    fileprivate init?(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        let unitNode = reader.required("unit")
        let entries = reader.required("decimals")?.entries(faults) ?? []
        let warningNode = reader.required("warning")
        let evidence = HJ212FactorTable.Evidence.read(&reader, faults)
        reader.finish()
        var decimals: [String: Int] = [:]
        for entry in entries {
            decimals[entry.key] = HJ212FactorTable.decimals(entry.value, faults)
        }
        let warning = warningNode.flatMap { node -> LocalizedText? in
            var reader = MappingReader(node, faults)
            let (en, zh) = (
                reader.required("en")?.string(faults), reader.required("zh")?.string(faults)
            )
            reader.finish()
            return en.flatMap { en in zh.map { LocalizedText(en: en, zh: $0) } }
        }
        guard let unitNode, let unit = unitNode.string(faults), let warning, let evidence else {
            return nil
        }
        if decimals[unit] == nil {
            faults.add(
                unitNode.location, "'\(unit)' has no decimals",
                remedy: "add it to 'decimals: { \(unit): … }'")
        }
        self.init(
            unit: unit, decimals: decimals, warning: warning, source: evidence.source,
            evidence: evidence.evidence)
    }
}

extension HJ212FactorTable.Factor {
    private static let words: [(String, Statistic)] = [
        ("minimum", .minimum), ("mean", .mean), ("vector_mean", .vectorMean),
        ("energetic_mean", .energeticMean), ("maximum", .maximum), ("increase", .increase),
        ("sum", .sum),
    ]
    private static let means: Set<Statistic> = [.mean, .vectorMean, .energeticMean]

    fileprivate init?(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        let point = reader.required("point")?.string(faults)
        let codeNode = reader.required("code")
        let unit = reader.required("unit")?.string(faults)
        let isParticulate = unit == "particulates"
        let decimalsNode = isParticulate ? nil : reader.required("decimals")
        let statistics = reader.required("statistics")
        let evidence = HJ212FactorTable.Evidence.read(&reader, faults)
        reader.finish()
        let read = statistics.flatMap { Self.statistics($0, faults) }
        guard let point, let codeNode, let code = Self.code(codeNode, faults), let unit, let read,
            let evidence
        else { return nil }
        self.init(
            point: PointKey(point), code: code, unit: isParticulate ? nil : unit,
            decimals: decimalsNode.flatMap { HJ212FactorTable.decimals($0, faults) },
            statistics: read, source: evidence.source, evidence: evidence.evidence,
            location: node.location)
    }

    private static func code(_ node: LocatedNode, _ faults: FaultCollector) -> String? {
        guard let text = node.string(faults) else { return nil }
        let isPlain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
                || (0x61...0x7A).contains($0) || $0 == 0x5F
        }
        if isPlain, (1...24).contains(text.utf8.count) { return text }
        faults.add(
            node.location, "'\(text)' is no factor code",
            remedy: "1 to 24 letters, digits and _, as 'a34002'")
        return nil
    }

    private static func statistics(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> [Statistic]? {
        let read = node.list(faults).compactMap { $0.word(words, faults) }
        if read.isEmpty || Set(read).count < read.count || read.count(where: means.contains) > 1 {
            faults.add(
                node.location, "these statistics cannot stand together",
                remedy: "one at least, none twice, and one of the means")
            return nil
        }
        return read
    }
}
