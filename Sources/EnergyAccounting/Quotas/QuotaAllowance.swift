import Telemetry

/// What of a building a quota has to know. What is not given is never assumed.
package struct QuotaBasis: Hashable, Sendable {
    /// Square metres, the mean of the year.
    package var floorArea: Exact?
    /// Persons, the mean of the year.
    package var persons: Exact?
    /// Each in its own unit.
    package var inputs: [QuotaCorrectionInput: Exact]

    package init(
        floorArea: Exact? = nil, persons: Exact? = nil,
        inputs: [QuotaCorrectionInput: Exact] = [:]
    ) {
        self.floorArea = floorArea
        self.persons = persons
        self.inputs = inputs
    }
}

/// Why a quota is not judged.
package enum QuotaUnknown: Error, Hashable, Sendable {
    case toFillIn
    case fromMemory
    case notInForce
    case noFloorArea
    case noPersons
    case beforeBaseYear
    case noOwnGeneration
    case noForecast
    case refused(YearForecast.Refusal)

    package var text: LocalizedText {
        switch self {
        case .toFillIn:
            LocalizedText(en: "its value is still to be filled in", zh: "指标值待填写")
        case .fromMemory:
            LocalizedText(
                en: "its figures are from memory, and the site has not taken them over",
                zh: "指标凭记忆录入，项目尚未确认启用")
        case .notInForce: LocalizedText(en: "it does not hold on this day", zh: "当日不适用")
        case .noFloorArea: LocalizedText(en: "the floor area is not known", zh: "缺少建筑面积")
        case .noPersons: LocalizedText(en: "the number of persons is not known", zh: "缺少用能人数")
        case .beforeBaseYear:
            LocalizedText(en: "the year lies before the base year", zh: "年度早于基准年")
        case .noOwnGeneration:
            LocalizedText(
                en: "own generation is set off, and nobody measures it",
                zh: "需扣减自发电量，但无计量数据")
        case .noForecast: LocalizedText(en: "there is no forecast", zh: "没有年末预测")
        case .refused(let refusal): refusal.text
        }
    }
}

/// What a quota comes to for one building in one year.
package struct QuotaAllowance: Hashable, Sendable {
    /// The limit of the year in the quota's unit; of a saving, its glide path's value.
    package var limit: Exact
    /// What the limit allows in all, in the unit of the quota's amount: times area or persons,
    /// and through the corrections.
    package var amount: Exact
    /// The same for the guide, where there is one.
    package var guide: Exact?
    /// Whether the year lies before the one for which the source sets its target.
    package var isInterim: Bool
    /// The corrections that were applied with their γ.
    package var applied: [Applied]
    /// Those for which the building's value is not known: it is judged without them.
    package var notApplied: [QuotaCorrection]

    /// A correction with the value that the building has, and the γ that follows.
    package struct Applied: Hashable, Sendable {
        package var correction: QuotaCorrection
        package var value: Exact
        package var coefficient: Exact
    }
}

extension Quota {
    /// What the quota allows in a year.
    ///
    /// A correction multiplies the use in the standards; here it divides the allowance, which is
    /// the same comparison and leaves counted energy as it was counted.
    package func allowance(
        year: Int, basis: QuotaBasis
    ) -> Result<QuotaAllowance, QuotaUnknown> {
        let limits: (limit: Exact, guide: Exact?, isInterim: Bool)
        switch limit {
        case .yearly(let constraint, let guide):
            guard let constraint else { return .failure(.toFillIn) }
            limits = (constraint, guide, false)
        case .saving(let target):
            guard let path = target.path else { return .failure(.toFillIn) }
            guard let allowed = path.allowed(in: year) else { return .failure(.beforeBaseYear) }
            limits = (allowed, nil, year < target.targetYear)
        }
        var scale = Exact.one
        switch unit.basis {
        case .whole: break
        case .floorArea:
            guard let area = basis.floorArea, area > .zero else { return .failure(.noFloorArea) }
            scale = area
        case .person:
            guard let persons = basis.persons, persons > .zero else { return .failure(.noPersons) }
            scale = persons
        }
        var applied: [QuotaAllowance.Applied] = []
        var notApplied: [QuotaCorrection] = []
        for correction in corrections {
            if let value = basis.inputs[correction.input],
                let coefficient = correction.coefficient(value)
            {
                applied.append(
                    .init(correction: correction, value: value, coefficient: coefficient))
                scale = scale / coefficient
            } else {
                notApplied.append(correction)
            }
        }
        return .success(
            QuotaAllowance(
                limit: limits.limit, amount: limits.limit * scale,
                guide: limits.guide.map { $0 * scale }, isInterim: limits.isInterim,
                applied: applied, notApplied: notApplied))
    }
}
