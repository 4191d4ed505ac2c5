import Telemetry

/// What was used so far of what a quota counts, in the unit of its amount.
package struct QuotaUse: Hashable, Sendable {
    package var gross: Exact
    /// What the site generated and used itself; nought where there is no plant, nil where nobody
    /// measures it.
    package var ownGeneration: Exact?
    /// Share of the days or slots that are known, 0 to 1; handed through to the judgement.
    package var completeness: Exact?
    /// Share of the use that is estimated, 0 to 1; handed through to the judgement.
    package var estimatedShare: Exact?

    package init(
        gross: Exact, ownGeneration: Exact? = nil, completeness: Exact? = nil,
        estimatedShare: Exact? = nil
    ) {
        self.gross = gross
        self.ownGeneration = ownGeneration
        self.completeness = completeness
        self.estimatedShare = estimatedShare
    }
}

/// How a building stands beside one quota on one day of a year.
///
///     unknown ◀── open value, from memory, nothing to divide by, no forecast
///     within  ──▶ at risk   the interval's upper end is above the quota, or the expected end
///                           reaches the lowest warning
///             ──▶ exceeded  what was counted is above the quota
package struct QuotaJudgement: Hashable, Sendable {
    /// The word of the judgement.
    package enum State: Hashable, Sendable {
        case within
        case atRisk
        case exceeded
        case unknown(QuotaUnknown)

        /// `within`, `at-risk`, `exceeded` or `unknown`.
        package var word: String {
            switch self {
            case .within: "within"
            case .atRisk: "at-risk"
            case .exceeded: "exceeded"
            case .unknown: "unknown"
            }
        }

        package var text: LocalizedText {
            switch self {
            case .within: LocalizedText(en: "within the quota", zh: "未超限额")
            case .atRisk: LocalizedText(en: "at risk of exceeding it", zh: "有超限风险")
            case .exceeded: LocalizedText(en: "exceeded", zh: "已超限额")
            case .unknown(let reason):
                LocalizedText(en: "unknown: \(reason.text.en)", zh: "无法判定：\(reason.text.zh)")
            }
        }
    }

    package let quota: Quota
    package let period: AccountingPeriod
    /// The last day that is counted.
    package let through: CivilDate
    package let use: QuotaUse
    /// The use that the quota counts: gross, or less own generation; nil when that is unknown.
    package let counted: Exact?
    package let state: State
    /// nil when the quota cannot be worked out for the building.
    package private(set) var allowance: QuotaAllowance?
    /// Percent of the allowance that is used.
    package private(set) var percentUsed: Exact?
    /// The part of the allowance for the days so far, if each day had the same.
    package private(set) var linearPath: Exact?
    /// The same if each day had the share that it had in the year before.
    package private(set) var seasonalPath: Exact?
    package private(set) var forecast: YearForecast?
    /// Percent of the allowance that is expected at the end of the year.
    package private(set) var expectedPercent: Exact?
    /// The highest of the quota's warnings that the expected end reaches.
    package private(set) var warning: Exact?
    /// Counted, and expected at the end, beyond the allowance; nought within it.
    package private(set) var excess: Exact?
    package private(set) var expectedExcess: Exact?
    /// What that would cost; an estimate, for only the authority charges it.
    package private(set) var surcharge: QuotaSurcharge?
    package private(set) var expectedSurcharge: QuotaSurcharge?

    /// - Parameters:
    ///   - period: the year that the quota is for.
    ///   - through: the last day that is counted.
    ///   - forecast: of the counted use, net where the quota is; nil when nobody made one.
    ///     One of another period counts as none.
    ///   - lastYear: of the counted use and for the same period, for the seasonal path.
    ///   - enabled: ids whose figures from memory the site has taken over.
    package init(
        of quota: Quota, in period: AccountingPeriod, through: CivilDate, use: QuotaUse,
        basis: QuotaBasis, forecast: Result<YearForecast, YearForecast.Refusal>?,
        lastYear: YearShape? = nil, enabled: Set<String> = []
    ) {
        self.quota = quota
        self.period = period
        let end = min(through, period.last)
        self.through = end
        self.use = use
        let counted = quota.isNet ? use.ownGeneration.map { use.gross - $0 } : use.gross
        self.counted = counted
        // A forecast of other days would say something of another year.
        var forecast = forecast
        if case .success(let found)? = forecast {
            if found.period == period { self.forecast = found } else { forecast = nil }
        }
        let isInForce =
            quota.validity.first <= end
            && (quota.validity.last.map { end <= $0 } ?? true)
        let allowed = quota.allowance(year: period.last.year, basis: basis)
        let reason: QuotaUnknown?
        switch quota.standing(enabled: enabled) {
        case .toFillIn: reason = .toFillIn
        case .off: reason = .fromMemory
        case .judged where !isInForce: reason = .notInForce
        case .judged:
            if case .failure(let failure) = allowed {
                reason = failure
            } else {
                reason = counted == nil ? .noOwnGeneration : nil
            }
        }
        guard reason == nil, case .success(let allowance) = allowed, let counted,
            allowance.amount > .zero
        else {
            state = .unknown(reason ?? .toFillIn)
            return
        }
        state = Self.state(
            counted, allowance.amount, quota.warnings.first ?? Exact(100), forecast,
            isComplete: through >= period.last && use.completeness == .one)
        self.allowance = allowance
        fill(allowance.amount, counted, lastYear)
    }

    private static func state(
        _ counted: Exact, _ allowed: Exact, _ lowestWarning: Exact,
        _ forecast: Result<YearForecast, YearForecast.Refusal>?, isComplete: Bool
    ) -> State {
        if counted > allowed { return .exceeded }
        if isComplete { return .within }
        switch forecast {
        case nil: return .unknown(.noForecast)
        case .failure(let refusal)?: return .unknown(.refused(refusal))
        case .success(let found)?:
            let percent = found.expected / allowed * Exact(100)
            return found.high > allowed || percent >= lowestWarning ? .atRisk : .within
        }
    }

    private mutating func fill(_ allowed: Exact, _ counted: Exact, _ lastYear: YearShape?) {
        let elapsed = max(0, through.dayNumber - period.first.dayNumber + 1)
        percentUsed = counted / allowed * Exact(100)
        linearPath = allowed * Exact(Int128(elapsed), over: Int128(period.days))
        // So would a shape.
        if let lastYear, lastYear.period == period {
            seasonalPath = lastYear.share(through: through).map { allowed * $0 }
        }
        excess = max(.zero, counted - allowed)
        surcharge = QuotaSurcharge(quota.tiers, allowance: allowed, use: counted)
        guard let forecast else { return }
        let percent = forecast.expected / allowed * Exact(100)
        expectedPercent = percent
        warning = quota.warnings.last { percent >= $0 }
        expectedExcess = max(.zero, forecast.expected - allowed)
        expectedSurcharge = QuotaSurcharge(
            quota.tiers, allowance: allowed, use: forecast.expected)
    }
}
