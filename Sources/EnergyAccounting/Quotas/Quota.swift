import LocatedText
import Telemetry

/// A limit or a target for a year of one building or site, as a file says it.
package struct Quota: Hashable, Sendable, Identifiable {
    /// What is limited, and by what it is divided.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Energy by floor area.
        case area
        /// Energy by person.
        case perHead = "per-head"
        /// Carbon dioxide, of the whole or by floor area.
        case carbon
        /// Energy of the whole: a budget or a threshold.
        case energy
        /// A percentage against a base year.
        case saving

        /// The units in which such a quota can be written.
        package var units: [QuotaUnit] {
            switch self {
            case .area: [QuotaUnit(.kWh, per: .floorArea), QuotaUnit(.kgce, per: .floorArea)]
            case .perHead: [QuotaUnit(.kWh, per: .person), QuotaUnit(.kgce, per: .person)]
            case .carbon: [QuotaUnit(.kgCO2), QuotaUnit(.kgCO2, per: .floorArea)]
            case .energy: [QuotaUnit(.kWh), QuotaUnit(.kgce)]
            case .saving: QuotaUnit.all
            }
        }
    }

    /// How binding the words of the source are.
    package enum Strength: String, Hashable, Sendable, CaseIterable {
        /// 应当
        case duty
        /// 鼓励, and standards that recommend
        case encouraged
        /// 探索, 研究建立, aims of a plan
        case announced

        package var text: LocalizedText {
            switch self {
            case .duty: LocalizedText(en: "a duty", zh: "应当执行")
            case .encouraged: LocalizedText(en: "encouraged, not a duty", zh: "鼓励性")
            case .announced: LocalizedText(en: "announced, not enacted", zh: "已提出，尚未强制")
            }
        }
    }

    /// For whom it is meant.
    package struct Scope: Hashable, Sendable {
        /// For example `hangzhou`.
        package var jurisdiction: String
        /// For example `public-institution`.
        package var building: String
    }

    /// What may be used in a year, per unit of the quota's basis.
    package enum Limit: Hashable, Sendable {
        /// The same each year; nil where the file leaves it to be filled in.
        case yearly(constraint: Exact?, guide: Exact?)
        case saving(SavingTarget)
    }

    /// Whether it is judged at all.
    package enum Standing: Hashable, Sendable {
        case judged
        /// The file leaves its value open.
        case toFillIn
        /// Its figures are from memory, and the site has not taken them over.
        case off
    }

    /// `[a-z0-9-]`; several of one id hold one after the other.
    package var id: String
    package var title: LocalizedText
    package var kind: Kind
    package var unit: QuotaUnit
    package var scope: Scope
    package var validity: ValiditySpan
    package var limit: Limit
    /// Whether the site's own generation is set off before it is judged.
    package var isNet: Bool
    package var corrections: [QuotaCorrection]
    /// In the order of their beginnings.
    package var tiers: [SurchargeTier]
    /// Percentages of the quota, ascending, which a forecast must not reach in silence.
    package var warnings: [Exact]
    package var strength: Strength
    package var source: String
    package var evidence: FigureEvidence
    /// Where the file says so.
    package var location: Location

    /// - Parameter enabled: ids whose figures from memory the site has taken over.
    package func standing(enabled: Set<String>) -> Standing {
        switch limit {
        case .yearly(nil, _): return .toFillIn
        case .saving(let target) where target.baseValue == nil: return .toFillIn
        default: return evidence == .fromMemory && !enabled.contains(id) ? .off : .judged
        }
    }
}

/// A percentage that a later year must come to against a base year.
package struct SavingTarget: Hashable, Sendable {
    package var baseYear: Int
    /// In the quota's unit; nil where the site has to fill it in.
    package var baseValue: Exact?
    package var targetYear: Int
    /// Percent, negative for a saving.
    package var change: Exact

    /// The straight line from the base to the target; nil without a base value.
    package var path: GlidePath? {
        baseValue.flatMap { base in
            GlidePath(
                baseYear: baseYear, baseValue: base, targetYear: targetYear,
                targetValue: base * (Exact(100) + change) / Exact(100))
        }
    }
}

/// What is charged for use beyond a share of the quota, up to the next tier.
package struct SurchargeTier: Hashable, Sendable {
    /// Percent beyond the quota from which it is charged, 0 for the quota itself.
    package var above: Exact
    /// Yuan for each unit of the quota's amount.
    package var price: Exact
}
