import Telemetry

/// What is delivered and used: a carrier of energy, or a water.
package enum FactorCarrier: String, Hashable, Sendable, CaseIterable {
    case electricity
    case heat
    case cooling
    case gas
    case water
    case reclaimedWater = "reclaimed-water"
    case rainWater = "rain-water"
    case diesel
    case petrol
    case lpg
    case coal

    /// The units in which quantities and factors are given; the first is the carrier's own.
    ///
    /// Fuel that is bought by the litre is weighed with a dated density, never with a constant.
    package var units: [String] {
        switch self {
        case .diesel, .petrol: ["kg", "L"]
        case .lpg, .coal: ["kg"]
        default: metered.map { [$0.unit] } ?? []
        }
    }

    /// The same among the carriers that have meters; nil for what is only bought.
    package var metered: Carrier? { Self.meteredCarriers[self] }

    private static let meteredCarriers = Dictionary(
        uniqueKeysWithValues: Carrier.allCases.map { ($0.factored, $0) })

    /// Its name inside a sentence of a statement.
    package var text: LocalizedText {
        switch self {
        case .petrol: LocalizedText(en: "petrol", zh: "汽油")
        case .lpg: LocalizedText(en: "liquefied petroleum gas", zh: "液化石油气")
        case .coal: LocalizedText(en: "coal", zh: "煤炭")
        default:
            metered.map { LocalizedText(en: $0.title.en.lowercased(), zh: $0.title.zh) }
                ?? LocalizedText(en: rawValue, zh: rawValue)
        }
    }
}

/// Into what a factor converts a quantity of a carrier.
package enum FactorKind: String, Hashable, Sendable, CaseIterable {
    /// Kilograms of carbon dioxide.
    case co2
    /// Kilograms of standard coal.
    case coal
    /// Kilowatt-hours of electricity that do the same work.
    case electricityEquivalent = "electricity-equivalent"
    /// Kilograms of a fuel that is bought by the litre.
    case density

    /// The unit of the result.
    package var resultUnit: String {
        switch self {
        case .co2: "kgCO2"
        case .coal: "kgce"
        case .electricityEquivalent: "kWh"
        case .density: "kg"
        }
    }

    /// The units in which a factor of this kind can be written for a carrier; none for a density
    /// of what nobody buys by the litre.
    package func units(of carrier: FactorCarrier) -> [String] {
        switch self {
        case .density: carrier.units.contains("L") ? ["kg/L"] : []
        default: carrier.units.map { "\(resultUnit)/\($0)" }
        }
    }

    /// Its name in a statement.
    package var text: LocalizedText {
        switch self {
        case .co2: LocalizedText(en: "carbon dioxide", zh: "二氧化碳")
        case .coal: LocalizedText(en: "standard coal", zh: "标准煤")
        case .electricityEquivalent: LocalizedText(en: "electricity equivalent", zh: "等效电")
        case .density: LocalizedText(en: "density", zh: "密度")
        }
    }
}
