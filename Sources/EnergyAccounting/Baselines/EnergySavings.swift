import Telemetry

/// What the saved energy is worth, and to whom.
package struct SavingsPrice: Hashable, Sendable {
    /// The mean price of the reporting period, money for each kWh.
    package var meanPerKilowattHour: Exact
    /// The share of the one who made the savings (ESCO), in per cent; nil without a contract.
    package var contractorPercent: Exact?

    package init(meanPerKilowattHour: Exact, contractorPercent: Exact? = nil) {
        self.meanPerKilowattHour = meanPerKilowattHour
        self.contractorPercent = contractorPercent
    }
}

/// How much energy was avoided in a reporting period, beside a frozen baseline.
///
///     saved = model(variables of the reporting period) + adjustments − measured
///
/// A period that is not good enough is left out and no saving is claimed for it. What the model says
/// is rounded once, to a watt-hour, so that the rows add up to the total.
package struct EnergySavings: Hashable, Sendable {
    /// One day or month.
    package struct Row: Hashable, Sendable {
        package var period: AccountingPeriod
        /// In kWh, all four.
        package var measured: Exact
        package var modelled: Exact
        package var adjustment: Exact
        package var saved: Exact
        /// Variables outside of the range in which the baseline has seen them, by their names.
        package var extrapolated: [String]

        /// Model and adjustments together, in kWh.
        package var adjustedBaseline: Exact { modelled + adjustment }
    }

    /// The half width of the interval in which the total lies with the method's confidence.
    package struct Uncertainty: Hashable, Sendable {
        /// In kWh.
        package var energy: Double
        package var confidencePercent: Exact
        /// Of t, and t itself.
        package var degreesOfFreedom: Int
        package var tValue: Double
        /// The baseline's periods, less what their autocorrelation takes away.
        package var effectivePeriods: Double
        /// Of the total's magnitude, in per cent; nil when nothing was saved.
        package var percentOfSavings: Double?
        /// Whether that is more than the method allows: the savings are not proved.
        package var isTooLarge: Bool
    }

    /// In the order of time.
    package let rows: [Row]
    /// Reporting periods for which nothing is claimed, and why.
    package let leftOut: [AccountingPeriod]
    package let shortcomings: [BaselineRefusal]
    /// The sums of `rows`, in kWh.
    package let measured: Exact
    package let adjustedBaseline: Exact
    package let saved: Exact
    /// Of the adjusted baseline, in per cent.
    package let savedPercent: Exact
    package let uncertainty: Uncertainty
    /// In money: all of it, and the contractor's part; nil where no price or no share is given.
    package let savedMoney: Exact?
    package let contractorMoney: Exact?

    /// The half width for one row alone, in kWh; those of several rows do not add up, because the
    /// errors of one make up for those of another.
    package func uncertainty(of row: Row) -> Double {
        uncertainty.energy * Double(rows.count).squareRoot() * row.adjustedBaseline.double
            / adjustedBaseline.double
    }

    /// Whether any row lies outside of what the baseline has seen.
    package var isExtrapolated: Bool { rows.contains { !$0.extrapolated.isEmpty } }
}

extension EnergySavings {
    /// Compares a reporting period with a frozen baseline.
    ///
    /// - Parameters:
    ///   - observations: the reporting period in days or months, as the baseline has them.
    ///   - method: its limits of data, confidence and factor of the uncertainty.
    ///   - price: nil to leave the money out.
    /// - Throws: every reason that can be told at once.
    package init(
        _ observations: [BaselineObservation], against baseline: FrozenBaseline,
        method: BaselineMethod, price: SavingsPrice? = nil
    ) throws(BaselineRefusals) {
        let model = baseline.model
        let (interval, ordered) = try observations.ordered()
        guard interval == model.interval else {
            throw BaselineRefusals([.otherInterval(baseline: model.interval)])
        }
        guard let limits = method.limits[interval] else {
            throw BaselineRefusals([.intervalWithoutLimits(interval)])
        }
        if let early = ordered.first, early.period.first <= model.last {
            throw BaselineRefusals([.overlapsBaseline(early.period)])
        }
        let usable = UsableObservations(
            ordered, variables: model.terms.map(\.variable.name), limits: limits)
        guard !usable.rows.isEmpty,
            Exact(usable.rows.count) * Exact(100)
                >= limits.reportingSharePercent * Exact(ordered.count)
        else {
            throw BaselineRefusals(
                [
                    .reportingShareBelow(
                        usable: usable.rows.count, offered: ordered.count,
                        limitPercent: limits.reportingSharePercent)
                ] + usable.shortcomings)
        }
        var rows: [Row] = []
        for row in usable.rows {
            guard let compared = Row(row, baseline) else {
                throw BaselineRefusals([.notComputable])
            }
            rows.append(compared)
        }
        let measured = rows.reduce(Exact.zero) { $0 + $1.measured }
        let adjusted = rows.reduce(Exact.zero) { $0 + $1.adjustedBaseline }
        // A share of nothing, or of less, is none.
        guard adjusted > .zero else { throw BaselineRefusals([.notComputable]) }
        self.rows = rows
        leftOut = usable.leftOut
        shortcomings = usable.shortcomings
        self.measured = measured
        adjustedBaseline = adjusted
        saved = adjusted - measured
        savedPercent = saved * Exact(100) / adjusted
        uncertainty = try Uncertainty(
            of: saved.double, baselineEnergy: adjusted.double, periods: rows.count,
            quality: model.quality, limits: limits)
        savedMoney = price.map { [saved] in saved * $0.meanPerKilowattHour }
        contractorMoney = price?.contractorPercent.flatMap { [savedMoney] percent in
            savedMoney.map { $0 * percent / Exact(100) }
        }
    }
}

extension EnergySavings.Row {
    /// nil when the model leaves the range of numbers.
    fileprivate init?(_ row: UsableObservations.Row, _ baseline: FrozenBaseline) {
        let model = baseline.model
        let energy = (model.energy(row.variables) * 1000).rounded() / 1000
        guard energy.magnitude < 1e15, let decimal = ScaledInteger(rounding: energy) else {
            return nil
        }
        let period = row.observation.period
        let modelled = Exact(Exact(decimal).rounded(places: 3))
        let adjustment = baseline.adjustments.reduce(Exact.zero) {
            $0 + $1.energy(in: period, modelled: modelled)
        }
        let outside = zip(model.terms, row.variables)
            .filter { $0.0.least > $0.1 || $0.0.greatest < $0.1 }
            .map(\.0.variable.name)
        self.init(
            period: period, measured: row.energy, modelled: modelled, adjustment: adjustment,
            saved: modelled + adjustment - row.energy, extrapolated: outside)
    }
}

extension EnergySavings.Uncertainty {
    /// The fractional savings uncertainty of ASHRAE Guideline 14 (after Reddy and Claridge), from
    /// memory, told in kWh so that it holds where little is saved too:
    ///
    ///     U  = t · f · CV(RMSE) · E · √( n/n′ · (1 + 2/n′) / m )
    ///     n′ = n · (1 − ρ) / (1 + ρ)
    ///
    /// E is the adjusted baseline's energy over the m reporting periods, n the baseline's periods, ρ
    /// the autocorrelation of its residuals (0 where unknown or negative), f the method's factor, t
    /// Student's quantile for ⌊n′ − p⌋ degrees of freedom.
    fileprivate init(
        of saved: Double, baselineEnergy: Double, periods: Int, quality: FitQuality,
        limits: BaselineLimits
    ) throws(BaselineRefusals) {
        let count = Double(quality.periods)
        // A negative autocorrelation would promise more periods than there are.
        let rho = max(0, quality.autocorrelation ?? 0)
        let effective = count * (1 - rho) / (1 + rho)
        let freedom = (effective - Double(quality.parameters)).rounded(.down)
        guard freedom >= 1, freedom < 1e9,
            let t = StudentDistribution.quantile(
                confidencePercent: limits.confidencePercent.double,
                degreesOfFreedom: Int(freedom))
        else {
            throw BaselineRefusals([.autocorrelationTooStrong(effectivePeriods: effective)])
        }
        let root = (count / effective * (1 + 2 / effective) / Double(periods)).squareRoot()
        energy =
            t * limits.uncertaintyFactor.double * quality.cvRMSEPercent / 100 * baselineEnergy
            * root
        confidencePercent = limits.confidencePercent
        degreesOfFreedom = Int(freedom)
        tValue = t
        effectivePeriods = effective
        let percent = saved == 0 ? nil : energy / saved.magnitude * 100
        percentOfSavings = percent
        isTooLarge =
            limits.uncertaintyLimitPercent.map { limit in
                percent.map { $0 > limit.double } ?? true
            } ?? false
    }
}
