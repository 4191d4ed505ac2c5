import Telemetry

/// What is metered: the kinds of energy and water of a site, each with the unit of its accounts.
///
/// What a unit of it is worth in coal, CO₂ or money is no property of a carrier but a dated figure.
package enum Carrier: String, Hashable, Sendable, CaseIterable, Comparable {
    case electricity
    case water
    /// Treated waste water that is used again.
    case reclaimedWater = "reclaimed-water"
    case rainWater = "rain-water"
    case gas
    case heat
    case cooling
    case diesel

    /// The unit in which it is counted and told.
    package var unit: String {
        switch self {
        case .electricity, .heat, .cooling: "kWh"
        case .water, .reclaimedWater, .rainWater, .gas: "m3"
        case .diesel: "L"
        }
    }

    /// The unit of counters that can stand for it; nil where no meter does, and people write down
    /// what was delivered.
    package var counterUnit: String? { self == .diesel ? nil : unit }

    package var isWater: Bool { [.water, .reclaimedWater, .rainWater].contains(self) }

    /// The same carrier among those that factors are written for.
    package var factored: FactorCarrier {
        switch self {
        case .electricity: .electricity
        case .water: .water
        case .reclaimedWater: .reclaimedWater
        case .rainWater: .rainWater
        case .gas: .gas
        case .heat: .heat
        case .cooling: .cooling
        case .diesel: .diesel
        }
    }

    package var title: LocalizedText {
        switch self {
        case .electricity: LocalizedText(en: "Electricity", zh: "电")
        case .water: LocalizedText(en: "Mains water", zh: "自来水")
        case .reclaimedWater: LocalizedText(en: "Reclaimed water", zh: "再生水")
        case .rainWater: LocalizedText(en: "Rain water", zh: "雨水")
        case .gas: LocalizedText(en: "Gas", zh: "燃气")
        case .heat: LocalizedText(en: "Heat", zh: "热量")
        case .cooling: LocalizedText(en: "Cooling", zh: "冷量")
        case .diesel: LocalizedText(en: "Diesel", zh: "柴油")
        }
    }

    package static func < (a: Self, b: Self) -> Bool {
        order[a, default: 0] < order[b, default: 0]
    }

    private static let order = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}
