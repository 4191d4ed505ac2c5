import Telemetry

/// The accounts of some periods: what was counted, what it cost and what it is worth in coal and CO₂.
package struct EnergyAccounts: Sendable {
    package let plan: EnergyPlan
    package let calendar: SiteCalendar
    /// What begins later has not happened yet.
    package let now: Timestamp
    /// Of the days of the periods that were read.
    package let outdoor: OutdoorDays
    private let ledgers: [(period: AccountingPeriod, ledger: MeterLedger)]
    private let schedules: [Carrier: [TariffSchedule]]
    /// What charges by the month rest on, by carrier and month.
    private let months: [Carrier: [AccountingPeriod: TariffMonth]]

    /// - Parameters:
    ///   - ledgers: of the periods that are asked for; a part of one is found in it.
    ///   - months: what was measured for demand charges.
    ///   - outdoor: the daily mean outdoor temperatures of the periods.
    package init(
        plan: EnergyPlan, calendar: SiteCalendar, now: Timestamp,
        ledgers: [(period: AccountingPeriod, ledger: MeterLedger)],
        months: [Carrier: [AccountingPeriod: TariffMonth]] = [:],
        outdoor: OutdoorDays = OutdoorDays()
    ) {
        self.outdoor = outdoor
        self.months = months
        self.plan = plan
        self.calendar = calendar
        self.now = now
        self.ledgers = ledgers
        var schedules: [Carrier: [TariffSchedule]] = [:]
        for carrier in Carrier.allCases {
            guard let tariff = plan.tariff(for: carrier) else { continue }
            schedules[carrier] = ledgers.map {
                tariff.schedule(for: $0.ledger.grid, calendar: calendar)
            }
        }
        self.schedules = schedules
    }

    /// Where a period lies: the place of its ledger and its slots; nil when it was not read.
    private func place(of period: AccountingPeriod) -> (index: Int, slots: Range<Int>)? {
        guard
            let index = ledgers.firstIndex(where: {
                $0.period.first <= period.first && period.last <= $0.period.last
            })
        else { return nil }
        let slots = ledgers[index].ledger.grid.slots(
            from: period.start(calendar: calendar), to: period.end(calendar: calendar))
        return (index, slots)
    }

    /// The ledger that holds a period; nil when it was not read.
    package func ledger(of period: AccountingPeriod) -> MeterLedger? {
        place(of: period).map { ledgers[$0.index].ledger }
    }

    /// The slots of a period in its ledger.
    package func slots(of period: AccountingPeriod) -> Range<Int> {
        place(of: period)?.slots ?? 0..<0
    }

    /// How many slots of a period have ended.
    package func passed(in period: AccountingPeriod) -> Int {
        guard let (index, slots) = place(of: period) else { return 0 }
        let grid = ledgers[index].ledger.grid
        return grid.slots(from: period.start(calendar: calendar), to: now)
            .clamped(to: slots).count { grid.end($0) <= now }
    }

    /// A total with what it rests on; a sum over several meters has the slots of each.
    package func figure(_ total: Counts.Total, in period: AccountingPeriod) -> AccountFigure {
        let slots = slots(of: period).count
        let columns = slots > 0 ? max(1, total.slots / slots) : 1
        return AccountFigure(total, passed: passed(in: period) * columns)
    }

    /// What a meter counted in a period; all unknown where the period was not read.
    package func total(of meter: String, in period: AccountingPeriod) -> Counts.Total {
        guard let (index, slots) = place(of: period) else { return Counts.Total() }
        return ledgers[index].ledger.total(of: meter, over: slots)
    }

    /// What a meter counted in a period, with what it rests on.
    package func figure(of meter: String, in period: AccountingPeriod) -> AccountFigure {
        figure(total(of: meter, in: period), in: period)
    }

    /// The balance of a carrier; nil when no meter stands for it or the period was not read.
    package func balance(of carrier: Carrier, in period: AccountingPeriod) -> CarrierBalance? {
        place(of: period).flatMap {
            ledgers[$0.index].ledger.balance(of: carrier, over: $0.slots)
        }
    }
}

extension EnergyAccounts {
    /// What came in of a carrier, in coal, CO₂ or electricity that does the same work.
    ///
    /// Each part of the period is converted with the factor of its days. What the site makes itself
    /// is not converted, and what it gives away is not taken off.
    package func converted(
        _ kind: FactorKind, _ carrier: Carrier, in period: AccountingPeriod
    ) -> FactorConversion {
        converted(kind, carrier, in: period) { balance(of: carrier, in: $0)?.imported }
    }

    /// The same for what one meter counted.
    package func converted(
        _ kind: FactorKind, meter: Meter, in period: AccountingPeriod
    ) -> FactorConversion {
        converted(kind, meter.carrier, in: period) { total(of: meter.id, in: $0) }
    }

    private func converted(
        _ kind: FactorKind, _ carrier: Carrier, in period: AccountingPeriod,
        _ total: (AccountingPeriod) -> Counts.Total?
    ) -> FactorConversion {
        let book = plan.factors
        let factored = carrier.factored
        let parts = book.parts(of: period, kind, factored, choice: plan.factorChoice)
        let quantities = parts.compactMap { part -> CarriedQuantity? in
            guard let span = AccountingPeriod(from: part.first, through: part.last),
                let counted = total(span), counted.knownSlots > 0
            else { return nil }
            return CarriedQuantity(factored, counted.sum, unit: carrier.unit, in: span)
        }
        return book.converted(kind, quantities, choice: plan.factorChoice)
    }

    /// What a meter's quantity cost by the prices of its hours, without charges by the month.
    package func energyCost(of meter: Meter, in period: AccountingPeriod) -> TariffBill? {
        guard let tariff = plan.tariff(for: meter.carrier),
            let split = split(meter, in: period)
        else { return nil }
        return tariff.bill(split, period: period)
    }

    private func split(_ meter: Meter, in period: AccountingPeriod) -> TariffSplit? {
        guard let (index, slots) = place(of: period),
            let schedule = schedules[meter.carrier]?[index],
            let column = ledgers[index].ledger.column(of: meter.id)
        else { return nil }
        let passed = slots.lowerBound..<slots.lowerBound + max(passed(in: period), 0)
        var split = schedule.split(column.counts, slots: passed)
        split = TariffSplit().adding(split, times: column.scale)
        return split
    }

    /// The bill of a carrier: what came in by the prices of its hours, and the charges by the month.
    package func bill(of carrier: Carrier, in period: AccountingPeriod) -> TariffBill? {
        guard let tariff = plan.tariff(for: carrier) else { return nil }
        let mains = plan.tree.mains(of: carrier)
        let splits = mains.compactMap { split($0, in: period) }
        guard !mains.isEmpty, splits.count == mains.count, let first = splits.first else {
            return nil
        }
        let whole = splits.dropFirst().reduce(first) { $0.adding($1) }
        return tariff.bill(whole, period: period, months: months[carrier] ?? [:])
    }
}
