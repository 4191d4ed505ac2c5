import Telemetry

extension EnergyAccounts {
    /// The degree days of a period; without a value where too many of its days are unknown.
    package func degreeDays(
        _ base: DegreeDayBase, in period: AccountingPeriod, unknownDaysPercent: Exact = .zero
    ) -> DegreeDays {
        DegreeDays(
            base, of: period, dailyMeans: outdoor.means,
            greatestUnknownPercent: unknownDaysPercent)
    }

    /// What a variable comes to in a period; nil when it is not known for all of it.
    ///
    /// - Parameter unknownDaysPercent: days of unknown temperature over which degree days are scaled.
    package func value(
        of variable: EnergyVariable, in period: AccountingPeriod, unknownDaysPercent: Exact = .zero
    ) -> Double? {
        switch variable.source {
        case .degreeDays(let base):
            degreeDays(base, in: period, unknownDaysPercent: unknownDaysPercent).value
        case .produced(let product, _): produced(product, in: period)?.double
        case .personDays: personDays(in: period)?.double
        case .output: plan.output(over: period)?.double
        }
    }

    /// What was made of a product; nil unless every month of the period was written down.
    private func produced(_ product: String, in period: AccountingPeriod) -> Exact? {
        guard period.kind == .month || period.kind == .year else { return nil }
        var sum = Exact.zero
        for month in period.months {
            let found = plan.entries.productions.filter {
                $0.product == product && $0.month == month
            }
            guard !found.isEmpty else { return nil }
            sum = found.reduce(sum) { $0 + $1.amount }
        }
        return sum
    }

    /// The number of people, added up day by day; nil unless it is known for all days.
    package func personDays(in period: AccountingPeriod) -> Exact? {
        plan.people(over: period).map { $0 * Exact(period.days) }
    }

    /// The whole days or months of a period that have ended.
    package func intervals(
        _ interval: BaselineMethod.Interval, in period: AccountingPeriod
    ) -> [AccountingPeriod] {
        let all =
            switch interval {
            case .day: (0..<period.days).map { AccountingPeriod(period.first.advanced(days: $0)) }
            case .month:
                period.months.filter { period.first <= $0.first && $0.last <= period.last }
            }
        return all.filter { $0.end(calendar: calendar) <= now }
    }

    /// What a baseline can be fitted to, or compared with: a meter's energy and the variables.
    ///
    /// - Parameters:
    ///   - meter: of a carrier in kWh.
    ///   - period: which has been read; days or months that have not ended are left out.
    ///   - method: says how many days of unknown temperature degree days bear.
    package func observations(
        of meter: String, by interval: BaselineMethod.Interval, in period: AccountingPeriod,
        variables: [EnergyVariable], method: BaselineMethod
    ) -> [BaselineObservation] {
        let unknownDays = method.limits[interval]?.unknownDaysPercent ?? .zero
        return intervals(interval, in: period).map { one in
            var values: [String: Double] = [:]
            for variable in variables {
                values[variable.name] = value(
                    of: variable, in: one, unknownDaysPercent: unknownDays)
            }
            return BaselineObservation(
                period: one, total: total(of: meter, in: one), variables: values)
        }
    }

    /// What was saved beside a frozen baseline, or why nobody can tell.
    ///
    /// In money by the mean price of what came in of the meter's carrier, without charges by the
    /// month, which saved energy does not lower.
    package func savings(
        beside baseline: FrozenBaseline, in period: AccountingPeriod
    ) -> Result<EnergySavings, BaselineRefusals> {
        guard let plan = plan.baselines else { return .failure(BaselineRefusals([.notComputable])) }
        let interval = baseline.model.interval
        let names = Set(baseline.model.terms.map(\.variable.name))
        let observations = observations(
            of: baseline.subject, by: interval, in: period,
            variables: self.plan.variables.filter { names.contains($0.name) }, method: plan.method)
        do {
            return .success(
                try EnergySavings(
                    observations, against: baseline, method: plan.method,
                    price: price(of: baseline.subject, in: period)))
        } catch {
            return .failure(error)
        }
    }

    private func price(of meter: String, in period: AccountingPeriod) -> SavingsPrice? {
        guard let carrier = plan.tree[meter]?.carrier,
            let mean = bill(of: carrier, in: period)?.meanEnergyPrice
        else { return nil }
        return SavingsPrice(
            meanPerKilowattHour: mean, contractorPercent: plan.baselines?.contractorPercent)
    }
}

extension [BaselineObservation] {
    /// One line for each observation, the same for the same figures: what a digest is taken of.
    ///
    ///     2025-01 61250/1 complete 100.00 % estimated 0.00 % hdd=412.5
    ///
    /// Energy as a quotient of integers in kWh, per cents with two places, variables with the fewest
    /// digits that read back as the same double; what is unknown is `-`.
    package var canonicalText: String {
        map { one in
            let energy = one.energy.map { "\($0.numerator)/\($0.denominator)" } ?? "-"
            let variables = one.variables.sorted { $0.key < $1.key }.map {
                " \($0.key)=\($0.value)"
            }
            return
                "\(one.period.label) \(energy) complete \(one.completenessPercent.text(places: 2)) %"
                + " estimated \(one.estimatedPercent.text(places: 2)) %" + variables.joined() + "\n"
        }.joined()
    }
}
