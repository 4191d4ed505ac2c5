import Telemetry

/// A quantity of a carrier that was used on some civil days.
package struct CarriedQuantity: Hashable, Sendable {
    package var carrier: FactorCarrier
    /// One of the carrier's units.
    package var unit: String
    package var period: AccountingPeriod
    package var amount: Exact

    /// - Parameter unit: what is none of the carrier's is not converted.
    package init(
        _ carrier: FactorCarrier, _ amount: Exact, unit: String, in period: AccountingPeriod
    ) {
        self.carrier = carrier
        self.amount = amount
        self.unit = unit
        self.period = period
    }
}

/// What some quantities come to, with the factors that were used and what had none.
package struct FactorConversion: Hashable, Sendable {
    /// Why a quantity was left out.
    package enum Reason: Hashable, Sendable {
        /// The site has chosen no region and scheme.
        case notChosen
        /// The chosen row has no figure for these days.
        case noFactor
        /// The factor changes within the quantity's days; it has to be given by part.
        case crossesChange(on: CivilDate)
        /// The factor is by weight and the quantity by volume, or the other way round.
        case noDensity
        /// The carrier is not measured in that unit.
        case wrongUnit

        package var text: LocalizedText {
            switch self {
            case .notChosen:
                LocalizedText(en: "the site has chosen no factor", zh: "项目未选定系数")
            case .noFactor:
                LocalizedText(en: "there is no factor for these days", zh: "该时段没有系数")
            case .crossesChange(let day):
                LocalizedText(
                    en: "the factor changes on \(day) and the quantity is not split there",
                    zh: "系数在\(day)变更，而用量未在该日拆分")
            case .noDensity:
                LocalizedText(
                    en: "the density that turns litres into kilograms is missing",
                    zh: "缺少升与千克换算所需的密度")
            case .wrongUnit:
                LocalizedText(en: "the unit is not one of the carrier's", zh: "计量单位不适用")
            }
        }
    }

    /// A quantity that is not in the sum.
    package struct Missing: Hashable, Sendable {
        package var quantity: CarriedQuantity
        package var reason: Reason
    }

    package var kind: FactorKind
    /// The sum of what had a factor, in the kind's unit.
    package var known = Exact.zero
    /// Each once, in the order of their first use; densities too.
    package var factors: [ConversionFactor] = []
    package var missing: [Missing] = []

    /// The sum, where nothing is missing.
    package var complete: Exact? { missing.isEmpty ? known : nil }

    fileprivate mutating func note(_ factor: ConversionFactor) {
        if !factors.contains(factor) { factors.append(factor) }
    }
}

extension FactorBook {
    /// Converts quantities, each with the factor of its days, and says what had none.
    ///
    /// A quantity over days with two factors is left out, because nobody knows how much of it fell
    /// on which; `parts(of:_:_:choice:)` tells where to split.
    package func converted(
        _ kind: FactorKind, _ quantities: [CarriedQuantity], choice: FactorChoice
    ) -> FactorConversion {
        var result = FactorConversion(kind: kind)
        for quantity in quantities {
            switch convert(kind, quantity, choice) {
            case .success(let (amount, used)):
                result.known += amount
                for factor in used { result.note(factor) }
            case .failure(let left):
                result.missing.append(.init(quantity: quantity, reason: left.reason))
            }
        }
        return result
    }

    private struct LeftOut: Error { let reason: FactorConversion.Reason }

    private func convert(
        _ kind: FactorKind, _ quantity: CarriedQuantity, _ choice: FactorChoice
    ) -> Result<(Exact, [ConversionFactor]), LeftOut> {
        guard quantity.carrier.units.contains(quantity.unit) else {
            return .failure(LeftOut(reason: .wrongUnit))
        }
        let factor: ConversionFactor
        switch only(kind, quantity, choice) {
        case .success(let found): factor = found
        case .failure(let left): return .failure(left)
        }
        if factor.quantityUnit == quantity.unit {
            return .success((quantity.amount * factor.value, [factor]))
        }
        switch only(.density, quantity, choice) {
        case .success(let density):
            let weighed =
                quantity.unit == "L"
                ? quantity.amount * density.value : quantity.amount / density.value
            return .success((weighed * factor.value, [factor, density]))
        case .failure(let left):
            if case .crossesChange = left.reason { return .failure(left) }
            return .failure(LeftOut(reason: .noDensity))
        }
    }

    /// The one factor that holds on all days of a quantity.
    private func only(
        _ kind: FactorKind, _ quantity: CarriedQuantity, _ choice: FactorChoice
    ) -> Result<ConversionFactor, LeftOut> {
        guard choice.line(kind, quantity.carrier) != nil else {
            return .failure(LeftOut(reason: .notChosen))
        }
        let parts = parts(of: quantity.period, kind, quantity.carrier, choice: choice)
        if parts.count > 1 {
            return .failure(LeftOut(reason: .crossesChange(on: parts[1].first)))
        }
        guard let factor = parts.first?.factor else {
            return .failure(LeftOut(reason: .noFactor))
        }
        return .success(factor)
    }
}
