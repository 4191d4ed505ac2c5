import Telemetry

/// The tables of statements, each over one period.
struct StatementTables {
    typealias Table = StatementDocument.Table
    typealias Cell = StatementDocument.Cell

    let accounts: EnergyAccounts
    let period: AccountingPeriod

    var plan: EnergyPlan { accounts.plan }

    func title(of meter: Meter) -> Cell {
        meter.title.map { .text($0) } ?? .word(meter.id)
    }

    /// One line for each carrier: what came in, was made, was given away and used.
    func carriers() -> Table {
        var table = Table(
            key: "carriers", title: LocalizedText(en: "By carrier", zh: "按能源种类"),
            columns: [
                .words("carrier", "Carrier", "能源种类"), .words("unit", "Unit", "单位"),
                .number("imported", "Imported", "购入"),
                .number("generated", "Own generation", "自产"),
                .number("exported", "Exported", "外供"),
                .number("gross", "Gross use", "总用量"), .number("net", "Net use", "净用量"),
                .number("estimated_percent", "Estimated", "估算占比", unit: "%"),
                .number("completeness_percent", "Complete", "完整率", unit: "%"),
                .number("coal", "Standard coal", "标准煤", unit: "kgce"),
                .number("co2", "CO₂", "二氧化碳", unit: "kgCO2"),
                .number("energy_cost", "Cost by price", "电量电费/用量费", unit: currency),
            ])
        for carrier in plan.tree.carriers {
            guard let balance = accounts.balance(of: carrier, in: period) else { continue }
            let imported = accounts.figure(balance.imported, in: period)
            func side(_ total: Counts.Total, _ side: StatementTrace.Side) -> Cell {
                Print.figure(
                    accounts.figure(total, in: period),
                    trace: StatementTrace.carrier(carrier, side, period))
            }
            table.rows.append([
                .text(carrier.title), .word(carrier.unit), side(balance.imported, .imported),
                balance.hasGeneration ? side(balance.generated, .generated) : .missing(noMeter),
                balance.hasExport ? side(balance.exported, .exported) : .missing(noMeter),
                side(balance.gross, .gross), side(balance.net, .net),
                Print.percent(imported.estimatedShare), Print.percent(imported.completeness),
                converted(.coal, carrier), converted(.co2, carrier), cost(of: carrier),
            ])
        }
        return table
    }

    private var noMeter: LocalizedText { LocalizedText(en: "no meter", zh: "无计量") }

    var currency: String { plan.tariffs.first?.currency ?? "CNY" }

    func converted(_ kind: FactorKind, _ carrier: Carrier) -> Cell {
        let conversion = accounts.converted(kind, carrier, in: period)
        if let reason = conversion.missing.first?.reason {
            return .missing(reason.text)
        }
        if conversion.factors.isEmpty { return Print.number(nil) }
        return Print.number(conversion.known)
    }

    func cost(of carrier: Carrier) -> Cell {
        guard let bill = accounts.bill(of: carrier, in: period) else {
            return .missing(LocalizedText(en: "no tariff", zh: "无价格表"))
        }
        return cost(bill)
    }

    /// The money of a bill's energy lines; missing where nothing was known or nothing has a price.
    func cost(_ bill: TariffBill?) -> Cell {
        guard let bill, bill.unknownSlots < bill.slots else { return Print.number(nil) }
        return bill.pricedQuantity.isZero && !bill.unpricedQuantity.isZero
            ? .missing(LocalizedText(en: "no price for these days", zh: "该时段没有价格"))
            : Print.number(bill.energyAmount, places: Print.money)
    }

    /// One line for each meter, in the order of the tree.
    func meters() -> Table {
        var table = Table(
            key: "meters", title: LocalizedText(en: "By meter", zh: "按计量点"),
            columns: [
                .words("meter", "Meter", "计量点"), .words("title", "Name", "名称"),
                .words("parent", "Below", "上级"), .words("unit", "Unit", "单位"),
                .number("amount", "Amount", "用量"),
                .number("share_percent", "Of the one above", "占上级", unit: "%"),
                .number("estimated_percent", "Estimated", "估算占比", unit: "%"),
                .number("completeness_percent", "Complete", "完整率", unit: "%"),
                .number("before", "Period before", "上期"),
                .number("before_change_percent", "Change", "环比", unit: "%"),
                .number("year_before", "Year before", "上年同期"),
                .number("year_change_percent", "Change", "同比", unit: "%"),
                .number("energy_cost", "Cost by price", "费用", unit: currency),
            ])
        for meter in plan.tree.inTreeOrder {
            let figure = accounts.figure(of: meter.id, in: period)
            let before = accounts.figure(of: meter.id, in: period.before)
            let year = accounts.figure(of: meter.id, in: period.yearBefore)
            let above = meter.parent.flatMap { accounts.figure(of: $0, in: period).amount }
            let bill = accounts.energyCost(of: meter, in: period)
            table.rows.append([
                .word(meter.id), title(of: meter), .word(meter.parent ?? ""),
                .word(meter.carrier.unit),
                Print.figure(figure, trace: StatementTrace.meter(meter, period)),
                Print.percent(share(figure.amount, of: above)),
                Print.percent(figure.estimatedShare), Print.percent(figure.completeness),
                Print.figure(before, trace: StatementTrace.meter(meter, period.before)),
                Print.change(figure.amount, from: before.amount),
                Print.figure(year, trace: StatementTrace.meter(meter, period.yearBefore)),
                Print.change(figure.amount, from: year.amount),
                cost(bill),
            ])
        }
        return table
    }

    func share(_ part: Exact?, of whole: Exact?) -> Exact? {
        guard let part, let whole, !whole.isZero else { return nil }
        return part / whole
    }

    /// What electricity was used for, by a property of the meters.
    private func breakdown(
        _ key: String, _ title: LocalizedText, code: Bool = false,
        name: (String) -> LocalizedText, by property: (Meter) -> String?
    ) -> Table? {
        guard let ledger = accounts.ledger(of: period),
            plan.tree.meters.contains(where: { property($0) != nil })
        else { return nil }
        var columns: [StatementDocument.Column] = [
            .words("part", "Part", "分项"), .words("title", "Name", "名称"),
            .number("amount", "Electricity", "用电量", unit: "kWh"),
            .number("share_percent", "Share", "占比", unit: "%"),
            .number("estimated_percent", "Estimated", "估算占比", unit: "%"),
        ]
        if code { columns.insert(.words("code", "Code", "编码"), at: 1) }
        var table = Table(key: key, title: title, columns: columns)
        let parts = ledger.breakdown(
            of: .electricity, over: accounts.slots(of: period), by: property)
        let whole = parts.reduce(Counts.Total()) { $0 + $1.total }
        func add(_ id: String, _ name: LocalizedText, _ total: Counts.Total) {
            let figure = accounts.figure(total, in: period)
            var row: [Cell] = [
                .word(id), .text(name), Print.figure(figure, trace: nil),
                Print.percent(share(figure.amount, of: whole.sum)),
                Print.percent(figure.estimatedShare),
            ]
            if code { row.insert(.word(plan.items[id]?.code ?? ""), at: 1) }
            table.rows.append(row)
        }
        for part in parts {
            add(
                part.key ?? "-",
                part.key.map(name)
                    ?? LocalizedText(en: "Not assigned", zh: "未分配"), part.total)
        }
        table.sums = [table.rows.count]
        add("", LocalizedText(en: "Total", zh: "合计"), whole)
        return table
    }

    /// Every breakdown that the meters' properties allow.
    var uses: [Table] { [items(), zones(), machines(), organisations()].compactMap { $0 } }

    /// Meters beside those below them, over the period and by its months.
    var balanced: [Table] { [balances(), balancesByMonth()].compactMap { $0 } }

    /// By end use, each under the class that it belongs to.
    func items() -> Table? {
        breakdown(
            "items", LocalizedText(en: "By end use", zh: "分项用电"), code: true,
            name: { plan.items.title(of: $0) }
        ) { $0.item.map { plan.items.topmost(of: $0) } }
    }

    /// By the part of the site.
    func zones() -> Table? {
        breakdown(
            "zones", LocalizedText(en: "By zone", zh: "按区域"),
            name: { Self.zoneTitles[$0] ?? LocalizedText(en: $0, zh: $0) }
        ) { $0.zone }
    }

    private static let zoneTitles = [
        "plant": LocalizedText(en: "Plant", zh: "施工区"),
        "office": LocalizedText(en: "Office", zh: "办公区"),
        "living": LocalizedText(en: "Living area", zh: "生活区"),
    ]

    /// The machines that are measured, the greatest first.
    func machines() -> Table? {
        breakdown(
            "machines", LocalizedText(en: "By machine", zh: "按机械设备"),
            name: { LocalizedText(en: $0, zh: $0) }
        ) { $0.machine }
    }
}
