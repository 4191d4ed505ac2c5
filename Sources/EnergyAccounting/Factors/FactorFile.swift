import LocatedText

/// Reads `factors/1`, the grammar of `Config/factors/*.yaml`:
///
///     format: factors/1
///     factors:
///       - factor: co2                    co2 | coal | electricity-equivalent | density
///         carrier: electricity           one of `FactorCarrier`
///         region: east                   [a-z0-9-], the site chooses among them
///         scheme: regional               [a-z0-9-], the site chooses among them
///         data_year: 2023                optional: the year of the figures behind it
///         from: 2023-01-01               the first day on which it is used
///         until: 2024-12-31              optional: the last; else until the next one begins
///         value: 0.55 kgCO2/kWh          result per unit of the carrier; not negative
///         source: where it comes from
///         status: secondary              verified | secondary | from-memory | project
///
/// Of one factor, carrier, region and scheme there is one figure on any day. What the words mean
/// is told in `docs/formats/factors.md`.
package enum FactorFile {
    package static let format = "factors/1"

    /// - Throws: every fault of the text at once, each with its place and a remedy.
    package static func parse(
        _ text: String, file: String
    ) throws(Faults) -> [ConversionFactor] {
        let root = try LocatedNode.parse(text, file: file)
        let faults = FaultCollector()
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let nodes = reader.required("factors")?.list(faults) ?? []
        reader.finish()
        let factors = nodes.compactMap { factor($0, faults) }
        FactorBook.findCollisions(factors, faults)
        try faults.throwIfAny()
        return factors
    }

    /// Above this nobody's factor lies, and what does is a slip of the point.
    private static let largest = Exact(1_000_000)

    private static func factor(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> ConversionFactor? {
        var reader = MappingReader(node, faults)
        let kind = reader.required("factor")?
            .word(FactorKind.allCases.map { ($0.rawValue, $0) }, faults)
        let carrier = reader.required("carrier")?
            .word(FactorCarrier.allCases.map { ($0.rawValue, $0) }, faults)
        let region = reader.required("region")?.name(faults)
        let scheme = reader.required("scheme")?.name(faults)
        let dataYear = reader.optional("data_year")?.calendarYear(faults)
        let validity = ValiditySpan.read(&reader, faults)
        let valueNode = reader.required("value")
        let source = reader.required("source")?.sentence(faults)
        let evidence = reader.required("status")?.word(FigureEvidence.words, faults)
        reader.finish()
        guard let kind, let carrier, let valueNode,
            let (value, unit) = Self.value(valueNode, kind, carrier, faults),
            let region, let scheme, let validity, let source, let evidence
        else { return nil }
        return ConversionFactor(
            key: ConversionFactor.Key(
                kind: kind, carrier: carrier, region: region, scheme: scheme),
            dataYear: dataYear, validity: validity, value: value, unit: unit, source: source,
            evidence: evidence, location: node.location)
    }

    private static func value(
        _ node: LocatedNode, _ kind: FactorKind, _ carrier: FactorCarrier, _ faults: FaultCollector
    ) -> (value: Exact, unit: String)? {
        let units = kind.units(of: carrier)
        guard !units.isEmpty else {
            faults.add(
                node.location, "\(carrier.rawValue) is not bought by the litre",
                remedy: "remove the density")
            return nil
        }
        guard let figure = node.figure(units: units, faults) else { return nil }
        let isSound = kind == .density ? figure.value > .zero : figure.value >= .zero
        guard isSound, figure.value <= largest else {
            faults.add(
                node.location, "'\(node.scalar ?? "")' is no factor",
                remedy: kind == .density ? "a density is above nought" : "it is not negative")
            return nil
        }
        return figure
    }
}
