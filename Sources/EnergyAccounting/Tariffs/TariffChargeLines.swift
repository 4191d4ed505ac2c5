import Telemetry

/// Works out the charges beside the energy, month by month and table by table.
///
/// A month that lies partly in the period, or is shared by two tables, is charged by its days.
struct TariffChargeLines {
    let book: TariffBook
    let period: AccountingPeriod
    let months: [AccountingPeriod: TariffMonth]
    private(set) var lines: [TariffBill.ChargeLine] = []
    private(set) var missing: [TariffBill.MissingCharge] = []
    private(set) var daysWithTable = 0
    /// The cost of the energy by month and table.
    private var energy: [Stretch: Exact] = [:]

    /// The days of one month under one table.
    private struct Stretch: Hashable {
        let month: AccountingPeriod
        let table: Int
    }

    init(
        book: TariffBook, period: AccountingPeriod, split: TariffSplit,
        months: [AccountingPeriod: TariffMonth]
    ) {
        self.book = book
        self.period = period
        self.months = months
        for (part, quantity) in split.parts
        where book.tables.indices.contains(part.table)
            && book.tables[part.table].bands.indices.contains(part.band)
        {
            let amount = quantity.sum * book.tables[part.table].bands[part.band].price
            energy[Stretch(month: part.month, table: part.table), default: .zero] += amount
        }
    }

    mutating func work() {
        for month in period.months {
            let first = max(month.first, period.first)
            let last = min(month.last, period.last)
            for index in book.tables.indices {
                let table = book.tables[index]
                let from = max(first, table.from)
                let until = min(last, table.until ?? last)
                guard from <= until else { continue }
                let days = until.dayNumber - from.dayNumber + 1
                daysWithTable += days
                work(Stretch(month: month, table: index), table.charges, days)
            }
        }
    }

    private mutating func work(_ stretch: Stretch, _ charges: TariffCharges, _ days: Int) {
        let measured = months[stretch.month] ?? TariffMonth()
        var base = Exact.zero
        var isBaseKnown = true
        let adjustment = charges.powerFactor
        if adjustment?.onEnergy == true { base += energy[stretch] ?? .zero }
        if let capacity = charges.capacity {
            let amount = add(.capacity, stretch, capacity.kva, capacity.price, days)
            if adjustment?.onCapacity == true { base += amount }
        }
        if let demand = charges.demand {
            let amount = self.demand(demand, stretch, measured.maximumDemand, days)
            if adjustment?.onDemand == true {
                base += amount ?? .zero
                isBaseKnown = amount != nil
            }
        }
        if let fixed = charges.fixed { _ = add(.fixed, stretch, .one, fixed.price, days) }
        if let adjustment {
            adjust(adjustment, stretch, measured, base: isBaseKnown ? base : nil, days)
        }
    }

    /// Adds a line for the days of the month and returns its amount.
    private mutating func add(
        _ kind: TariffBill.Kind, _ stretch: Stretch, _ quantity: Exact, _ price: Exact, _ days: Int
    ) -> Exact {
        let share = Exact(Int128(days), over: Int128(stretch.month.days))
        let amount = quantity * price * share
        lines.append(
            TariffBill.ChargeLine(
                kind: kind, month: stretch.month, table: stretch.table, quantity: quantity,
                price: price, days: days, powerFactor: nil, amount: amount))
        return amount
    }

    /// The demand charge; nil when the demand was not measured.
    private mutating func demand(
        _ demand: TariffCharges.Demand, _ stretch: Stretch, _ measured: Exact?, _ days: Int
    ) -> Exact? {
        guard let measured else {
            leaveOut(
                .demand, stretch,
                LocalizedText(
                    en: "The greatest demand of the month is not known", zh: "当月最大需量未知"))
            return nil
        }
        guard let contracted = demand.contracted else {
            // Whoever only feeds back has no demand.
            return add(.demand, stretch, max(.zero, measured), demand.price, days)
        }
        let percent = Exact(100)
        let limit = contracted * (demand.excess?.above ?? percent) / percent
        guard measured > limit else {
            return add(.demand, stretch, contracted, demand.price, days)
        }
        let share = (demand.excess?.share ?? percent) / percent
        return add(.demand, stretch, limit, demand.price, days)
            + add(.excessDemand, stretch, measured - limit, demand.price * share, days)
    }

    private mutating func adjust(
        _ adjustment: PowerFactorAdjustment, _ stretch: Stretch, _ measured: TariffMonth,
        base: Exact?, _ days: Int
    ) {
        guard let active = measured.active, let reactive = measured.reactive else {
            return leaveOut(
                .powerFactor, stretch,
                LocalizedText(
                    en: "Active or reactive energy of the month is not known",
                    zh: "当月有功或无功电量未知"))
        }
        guard let (factor, step) = adjustment.step(active: active, reactive: reactive) else {
            return leaveOut(
                .powerFactor, stretch,
                LocalizedText(
                    en: "Active and reactive energy of the month give no power factor",
                    zh: "当月有功、无功电量无法得出功率因数"))
        }
        guard let base else {
            return leaveOut(
                .powerFactor, stretch,
                LocalizedText(
                    en: "The demand charge to which it applies is missing", zh: "所依据的需量电费缺失"))
        }
        let share = step.percent / Exact(100)
        lines.append(
            TariffBill.ChargeLine(
                kind: .powerFactor, month: stretch.month, table: stretch.table, quantity: base,
                price: share, days: days, powerFactor: factor, amount: base * share))
    }

    private mutating func leaveOut(
        _ kind: TariffBill.Kind, _ stretch: Stretch, _ reason: LocalizedText
    ) {
        missing.append(
            TariffBill.MissingCharge(
                kind: kind, month: stretch.month, table: stretch.table, reason: reason))
    }
}
