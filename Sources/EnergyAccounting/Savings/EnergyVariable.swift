import LocatedText
import Telemetry

/// One figure beside which energy is told, and where it comes from.
///
///     variables:
///       - { variable: hdd, heating_below: 18 }                  °C; out of the outdoor temperature
///       - { variable: cdd, cooling_above: 26 }
///       - { variable: concrete, produced: concrete, unit: m3 }  what people write down
///       - { variable: staff, of: people }                       person-days
///       - { variable: output, of: output }                      10⁴ yuan
package struct EnergyVariable: Hashable, Sendable {
    /// What a variable is worked out of.
    package enum Source: Hashable, Sendable {
        /// Out of the outdoor temperature.
        case degreeDays(DegreeDayBase)
        /// The entries `produced:` of one product; known for whole months only.
        case produced(String, unit: String)
        /// The number of people, day by day, added up.
        case personDays
        /// The entries `output:`; known for whole months only.
        case output
    }

    /// `[a-z0-9_-]`, unique on the site.
    package var name: String
    package var source: Source
    package var location: Location

    package init(_ name: String, _ source: Source, location: Location) {
        self.name = name
        self.source = source
        self.location = location
    }

    /// As it is printed behind the value.
    package var unit: String {
        switch source {
        case .degreeDays: "K·d"
        case .produced(_, let unit): unit
        case .personDays: "person·d"
        case .output: "10⁴ CNY"
        }
    }

    /// The base of degree days; nil for other variables.
    package var degreeDays: DegreeDayBase? {
        if case .degreeDays(let base) = source { base } else { nil }
    }

    /// As a baseline knows it.
    package var baselineVariable: BaselineVariable {
        BaselineVariable(name, unit: unit, degreeDays: degreeDays)
    }
}

extension EnergyVariable {
    /// Reads `variables:`, each name once.
    package static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> [EnergyVariable] {
        var variables: [EnergyVariable] = []
        for node in node.list(faults) {
            guard let variable = one(node, faults) else { continue }
            if variables.contains(where: { $0.name == variable.name }) {
                faults.add(
                    node.location, "the variable '\(variable.name)' stands twice",
                    remedy: "give each variable a name of its own")
            } else {
                variables.append(variable)
            }
        }
        return variables
    }

    private static func one(_ node: LocatedNode, _ faults: FaultCollector) -> EnergyVariable? {
        var reader = MappingReader(node, faults)
        let name = reader.required("variable")?.baselineName(faults)
        let keys = ["heating_below", "cooling_above", "produced", "of"]
        let found = keys.compactMap { key in reader.optional(key).map { (key: key, node: $0) } }
        let unit = reader.optional("unit")
        reader.finish()
        guard found.count == 1, let (key, value) = found.first else {
            faults.add(
                node.location, "a variable comes out of exactly one thing",
                remedy: "one of \(keys.joined(separator: ", "))")
            return nil
        }
        if let unit, key != "produced" {
            faults.add(
                unit.location, "only 'produced' has a unit of its own", remedy: "remove 'unit'")
            return nil
        }
        guard let name, let source = source(key, value, unit, faults) else { return nil }
        return EnergyVariable(name, source, location: node.location)
    }

    private static func source(
        _ key: String, _ node: LocatedNode, _ unit: LocatedNode?, _ faults: FaultCollector
    ) -> Source? {
        switch key {
        case "of":
            return node.word([("people", .personDays), ("output", .output)], faults)
        case "produced":
            guard let product = node.filledText(faults) else { return nil }
            guard let unit = unit?.filledText(faults) else {
                faults.add(
                    node.location, "'\(product)' has no unit", remedy: "add 'unit: m3'")
                return nil
            }
            return .produced(product, unit: unit)
        default:
            guard let celsius = node.double(faults) else { return nil }
            guard bases.contains(celsius) else {
                faults.add(
                    node.location, "\(node.kindWord) is no base of degree days",
                    remedy: "°C without a unit, for example 18 or 26")
                return nil
            }
            return .degreeDays(
                DegreeDayBase(key == "heating_below" ? .heating : .cooling, celsius: celsius))
        }
    }

    /// In °C; outside, somebody wrote another unit.
    private static let bases = -30.0...50.0

    /// Says when the site has nothing that the variable could come out of.
    ///
    /// - Parameter hasOutdoor: whether the site names an outdoor temperature.
    package func bindingFaults(hasOutdoor: Bool, entries: EnergyEntries) -> [Fault] {
        switch source {
        case .degreeDays where !hasOutdoor:
            return [
                Fault(
                    location, "'\(name)' needs an outdoor temperature",
                    remedy: "add 'energy: { outdoor: { temperature: device.air_temperature } }'")
            ]
        case .produced(let product, let unit):
            let products = Set(entries.productions.map(\.product)).sorted()
            guard products.isEmpty || products.contains(product) else {
                return [
                    Fault(
                        location, "no entry says how much '\(product)' was produced",
                        remedy: Spelling.nearest(to: product, among: products).map {
                            "did you mean '\($0)'?"
                        } ?? "the entries have: \(products.joined(separator: ", "))")
                ]
            }
            return entries.productions
                .first { $0.product == product && $0.unit != unit }
                .map {
                    [
                        Fault(
                            location,
                            "'\(product)' is in \(unit) here and in \($0.unit) in the entries",
                            remedy: "write the same unit in both")
                    ]
                } ?? []
        default: return []
        }
    }
}
