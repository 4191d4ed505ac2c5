import Telemetry

extension StatementTables {
    /// The lines of the annual return: what was used of each carrier, in the units of the return,
    /// and where the figure comes from.
    func annualReturn() -> Table {
        var table = Table(
            key: "annual_return", title: LocalizedText(en: "Energy of the year", zh: "年度能源消耗"),
            columns: [
                .words("carrier", "Carrier", "能源种类"), .number("amount", "Amount", "消耗量"),
                .words("unit", "Unit", "单位"), .words("source", "From", "数据来源"),
                .number("estimated_percent", "Estimated", "估算占比", unit: "%"),
                .number("completeness_percent", "Complete", "完整率", unit: "%"),
            ])
        for carrier in plan.tree.carriers {
            guard let balance = accounts.balance(of: carrier, in: period) else { continue }
            let imported = accounts.figure(balance.imported, in: period)
            // Heat and cold are told in GJ; a kWh is 3.6 MJ by definition.
            let isThermal = carrier == .heat || carrier == .cooling
            let scale = isThermal ? Exact(36, over: 10_000) : .one
            table.rows.append([
                .text(carrier.title),
                Print.number(
                    imported.amount.map { $0 * scale },
                    trace: StatementTrace.carrier(carrier, .imported, period),
                    isEstimated: imported.isEstimated),
                .word(isThermal ? "GJ" : carrier.unit), .text(source(of: carrier)),
                Print.percent(imported.estimatedShare), Print.percent(imported.completeness),
            ])
            guard balance.hasGeneration else { continue }
            table.rows.append([
                .text(LocalizedText(en: "Own generation", zh: "自发电量")),
                Print.figure(
                    accounts.figure(balance.generated, in: period),
                    trace: StatementTrace.carrier(carrier, .generated, period)),
                .word(carrier.unit), .text(LocalizedText(en: "meter", zh: "计量表")),
                Print.percent(accounts.figure(balance.generated, in: period).estimatedShare),
                Print.percent(accounts.figure(balance.generated, in: period).completeness),
            ])
        }
        return table
    }

    /// Whether meters or people tell of a carrier.
    private func source(of carrier: Carrier) -> LocalizedText {
        let mains = plan.tree.mains(of: carrier)
        let areEntered = mains.contains { $0.source == .entries }
        let areMetered = mains.contains { $0.source != .entries }
        switch (areMetered, areEntered) {
        case (true, true): return LocalizedText(en: "meter and bills", zh: "计量表和账单")
        case (false, true): return LocalizedText(en: "bills", zh: "账单")
        default: return LocalizedText(en: "meter", zh: "计量表")
        }
    }

    /// Each carrier beside the period before and the same period of the year before.
    func comparison() -> Table {
        var table = Table(
            key: "comparison", title: LocalizedText(en: "Compared", zh: "对比"),
            columns: [
                .words("carrier", "Carrier", "能源种类"), .words("unit", "Unit", "单位"),
                .number("net", "This period", "本期"), .number("before", "Period before", "上期"),
                .number("before_change_percent", "Change", "环比", unit: "%"),
                .number("year_before", "Year before", "上年同期"),
                .number("year_change_percent", "Change", "同比", unit: "%"),
                .number("co2", "CO₂", "二氧化碳", unit: "kgCO2"),
            ])
        for carrier in plan.tree.carriers {
            func net(_ span: AccountingPeriod) -> AccountFigure? {
                accounts.balance(of: carrier, in: span).map { accounts.figure($0.net, in: span) }
            }
            guard let now = net(period) else { continue }
            let (before, year) = (net(period.before), net(period.yearBefore))
            func cell(_ figure: AccountFigure?, _ span: AccountingPeriod) -> Cell {
                guard let figure else { return Print.number(nil) }
                return Print.figure(
                    figure, trace: StatementTrace.carrier(carrier, .net, span))
            }
            table.rows.append([
                .text(carrier.title), .word(carrier.unit), cell(now, period),
                cell(before, period.before), Print.change(now.amount, from: before?.amount),
                cell(year, period.yearBefore), Print.change(now.amount, from: year?.amount),
                converted(.co2, carrier),
            ])
        }
        return table
    }

    /// What the roof made, how much of it was used here, and what is left when it is set off.
    func photovoltaic() -> Table {
        var table = Table(
            key: "photovoltaic", title: LocalizedText(en: "Photovoltaics", zh: "光伏发电"),
            columns: [
                .words("line", "Line", "项目"), .number("amount", "Value", "数值"),
                .words("unit", "Unit", "单位"),
            ])
        guard let balance = accounts.balance(of: .electricity, in: period) else { return table }
        func add(_ en: String, _ zh: String, _ cell: Cell, _ unit: String) {
            table.rows.append([.text(LocalizedText(en: en, zh: zh)), cell, .word(unit)])
        }
        func side(_ total: Counts.Total, _ side: StatementTrace.Side?) -> Cell {
            Print.figure(
                accounts.figure(total, in: period),
                trace: side.map { StatementTrace.carrier(.electricity, $0, period) })
        }
        let none = Cell.missing(LocalizedText(en: "no meter", zh: "无计量"))
        let generated = balance.hasGeneration ? side(balance.generated, .generated) : none
        add("Generated", "发电量", generated, "kWh")
        add(
            "Given away", "上网电量", balance.hasExport ? side(balance.exported, .exported) : none,
            "kWh")
        let isWhole = balance.hasGeneration && balance.hasExport
        add("Used here", "自用电量", isWhole ? side(balance.ownUse, nil) : none, "kWh")
        add("Gross use", "总用电量", side(balance.gross, .gross), "kWh")
        add("Set off", "抵扣量", generated, "kWh")
        add("Net use", "抵扣后用电量", side(balance.net, .net), "kWh")
        let known = isWhole && balance.generated.knownSlots > 0
        add(
            "Part of the generation used here", "自发自用率",
            Print.percent(known ? share(balance.ownUse.sum, of: balance.generated.sum) : nil), "%")
        add(
            "Part of the use that was made here", "自给率",
            Print.percent(known ? share(balance.ownUse.sum, of: balance.gross.sum) : nil), "%")
        return table
    }
}
