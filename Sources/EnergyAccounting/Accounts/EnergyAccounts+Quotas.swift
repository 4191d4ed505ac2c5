import Telemetry

extension EnergyAccounts {
    /// What the site used of what a quota counts, over some days; nil when nothing is known.
    ///
    /// In kWh, carriers other than electricity count by their electricity equivalent; in coal and
    /// CO₂ every carrier by its factor. What has no factor is left out and named.
    /// - Parameter isNet: takes the site's own generation off, as far as it was used here.
    func use(
        _ amount: QuotaUnit.Amount, isNet: Bool, in period: AccountingPeriod
    ) -> (sum: Exact?, withoutFactor: Set<Carrier>) {
        var sum: Exact?
        var without: Set<Carrier> = []
        for carrier in plan.tree.carriers {
            guard let balance = balance(of: carrier, in: period),
                balance.imported.knownSlots > 0
            else { continue }
            let kind: FactorKind
            switch amount {
            case .kWh:
                if carrier == .electricity {
                    let counted = isNet ? balance.net.sum : balance.gross.sum
                    sum = (sum ?? .zero) + counted
                    continue
                }
                if carrier.isWater { continue }
                kind = .electricityEquivalent
            case .kgce: kind = .coal
            case .kgCO2: kind = .co2
            }
            let converted = converted(kind, carrier, in: period)
            if converted.missing.isEmpty {
                sum = (sum ?? .zero) + converted.known
            } else if !carrier.isWater {
                // Water is often not converted; whoever wants it to be names its factor.
                without.insert(carrier)
            }
        }
        return (sum, without)
    }

    /// The days of a period as a forecast wants them; a day is known when all of its hours are.
    func dailyUse(
        _ amount: QuotaUnit.Amount, isNet: Bool, in period: AccountingPeriod
    ) -> DailyUse {
        let values = (0..<period.days).map { offset -> Exact? in
            let date = period.first.advanced(days: offset)
            guard let day = AccountingPeriod(from: date, through: date),
                day.end(calendar: calendar) <= now, isWhole(day)
            else { return nil }
            return use(amount, isNet: isNet, in: day).sum
        }
        return DailyUse(from: period.first, values)
    }

    /// Whether every hour of what is metered is known; what people enter is known by the month.
    private func isWhole(_ day: AccountingPeriod) -> Bool {
        plan.tree.carriers.allSatisfy { carrier in
            guard let imported = balance(of: carrier, in: day)?.imported else { return true }
            return carrier.counterUnit == nil || imported.knownSlots == imported.slots
        }
    }

    /// How the site stands beside its quotas in a year, up to the last day that has ended.
    ///
    /// The year, and for the seasonal forecast the year before, must have been read.
    package func quotaJudgements(of year: AccountingPeriod) -> [QuotaJudgement] {
        guard let quotas = plan.quotas else { return [] }
        let yesterday = CivilDate(now, calendar: calendar).advanced(days: -1)
        let through = min(yesterday, year.last)
        guard year.first <= through,
            let elapsed = AccountingPeriod(from: year.first, through: through)
        else { return [] }
        return quotas.quotas(on: through).map { quota in
            judgement(quota, year, elapsed)
        }
    }

    private func judgement(
        _ quota: Quota, _ year: AccountingPeriod, _ elapsed: AccountingPeriod
    ) -> QuotaJudgement {
        let (gross, without) = use(quota.unit.amount, isNet: false, in: elapsed)
        let net = use(quota.unit.amount, isNet: true, in: elapsed).sum
        let daily = dailyUse(quota.unit.amount, isNet: quota.isNet, in: year)
        let before =
            ledger(of: year.yearBefore) == nil
            ? nil : dailyUse(quota.unit.amount, isNet: quota.isNet, in: year.yearBefore)
        let known = daily.values.prefix(elapsed.days).count { $0 != nil }
        let completeness =
            without.isEmpty ? Exact(known) / Exact(max(1, elapsed.days)) : Exact.zero
        let use = QuotaUse(
            gross: gross ?? .zero,
            ownGeneration: gross.flatMap { gross in net.map { gross - $0 } },
            completeness: completeness, estimatedShare: estimatedShare(in: elapsed))
        return QuotaJudgement(
            of: quota, in: year, through: elapsed.last, use: use,
            basis: QuotaBasis(
                floorArea: plan.area(over: elapsed), persons: plan.people(over: elapsed),
                inputs: plan.quotaInputs),
            forecast: YearForecaster().forecast(
                year, use: daily, through: elapsed.last, lastYear: before),
            lastYear: before.flatMap {
                YearShape(of: $0, for: year, leastShare: ForecastOptions().leastShareOfLastYear)
            }, enabled: plan.enabledQuotas)
    }

    /// The estimated part of the electricity that came in; of nothing there is none.
    func estimatedShare(in period: AccountingPeriod) -> Exact? {
        balance(of: .electricity, in: period).flatMap {
            figure($0.imported, in: period).estimatedShare
        }
    }
}
