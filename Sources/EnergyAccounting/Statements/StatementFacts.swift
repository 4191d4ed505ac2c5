import Telemetry

/// The figures above the tables: of the whole site, per area, per head, by output.
struct StatementFacts {
    let accounts: EnergyAccounts
    let period: AccountingPeriod

    var plan: EnergyPlan { accounts.plan }

    typealias Fact = StatementDocument.Fact

    func fact(
        _ key: String, _ en: String, _ zh: String, _ cell: StatementDocument.Cell,
        unit: String = ""
    ) -> Fact {
        Fact(key, LocalizedText(en: en, zh: zh), cell, unit: unit)
    }

    /// What the site fills in: owner, address, permit.
    var particulars: [Fact] {
        plan.particulars.map { Fact($0.key, $0.title, .word($0.value)) }
    }

    /// Area, people and output, each the mean or the sum of the period.
    var basis: [Fact] {
        var facts = [
            fact(
                "area", "Area, mean of the period", "面积（期间平均）",
                Print.number(plan.area(over: period)), unit: "m2")
        ]
        if let people = plan.people(over: period) {
            facts.append(
                fact("people", "People, mean", "人数（期间平均）", Print.number(people)))
        }
        if let output = plan.output(over: period) {
            facts.append(
                fact("output", "Output", "产值", Print.number(output), unit: "10⁴ CNY"))
        }
        return facts
    }

    /// Electricity gross and net, and both by area, head and output.
    var electricity: [Fact] {
        guard let balance = accounts.balance(of: .electricity, in: period) else { return [] }
        let gross = accounts.figure(balance.gross, in: period)
        let net = accounts.figure(balance.net, in: period)
        let imported = accounts.figure(balance.imported, in: period)
        func side(
            _ key: String, _ en: String, _ zh: String, _ figure: AccountFigure,
            _ side: StatementTrace.Side
        ) -> Fact {
            fact(
                key, en, zh,
                Print.figure(
                    figure, trace: StatementTrace.carrier(.electricity, side, period)),
                unit: "kWh")
        }
        var facts = [
            side("electricity_gross", "Electricity, gross", "总用电量", gross, .gross),
            side("electricity_net", "Electricity, net of own generation", "净用电量（扣减自发）", net, .net),
        ]
        func per(_ key: String, _ en: String, _ zh: String, _ divisor: Exact?, _ unit: String) {
            guard let divisor, !divisor.isZero else { return }
            for (name, figure, words) in [
                ("gross", gross, ("gross", "总")), ("net", net, ("net", "净")),
            ] {
                facts.append(
                    fact(
                        "\(key)_\(name)", "\(en), \(words.0)", "\(zh)（\(words.1)）",
                        Print.number(
                            figure.amount.map { $0 / divisor }, places: Print.intensity,
                            isEstimated: figure.isEstimated), unit: unit))
            }
        }
        per("per_area", "Per m²", "单位面积用电", plan.area(over: period), "kWh/m2")
        per("per_head", "Per head", "人均用电", plan.people(over: period), "kWh/人")
        per(
            "per_output", "Per 10⁴ yuan of output", "万元产值用电", plan.output(over: period),
            "kWh/10⁴ CNY")
        for production in products {
            per(
                "per_\(production.product)", "Per \(production.unit) of \(production.product)",
                "每\(production.unit)\(production.product)用电", production.amount,
                "kWh/\(production.unit)")
        }
        facts.append(
            fact(
                "estimated_percent", "Estimated", "估算占比", Print.percent(imported.estimatedShare),
                unit: "%"))
        facts.append(
            fact(
                "completeness_percent", "Complete", "完整率", Print.percent(imported.completeness),
                unit: "%"))
        facts.append(
            fact(
                "coverage_percent", "Readings received", "读数到达率", Print.percent(imported.coverage),
                unit: "%"))
        return facts
    }

    /// What was made of each product in the period's months.
    private var products: [(product: String, unit: String, amount: Exact)] {
        let months = Set(period.months)
        guard period.kind == .month || period.kind == .year else { return [] }
        var sums: [String: (unit: String, amount: Exact)] = [:]
        var known: [String: Set<AccountingPeriod>] = [:]
        for one in plan.entries.productions where months.contains(one.month) {
            let before = sums[one.product]
            sums[one.product] = (one.unit, (before?.amount ?? .zero) + one.amount)
            known[one.product, default: []].insert(one.month)
        }
        // A year of which one month was written down would have too much energy for each.
        return sums.filter { known[$0.key] == months }.sorted { $0.key < $1.key }.map {
            ($0.key, $0.value.unit, $0.value.amount)
        }
    }

    /// All carriers together in coal and CO₂, and both by area and head.
    var together: [Fact] {
        var facts: [Fact] = []
        for (kind, key, unit) in [
            (FactorKind.coal, "coal", "kgce"), (FactorKind.co2, "co2", "kgCO2"),
        ] {
            let conversions = plan.tree.carriers.map {
                ($0, accounts.converted(kind, $0, in: period))
            }
            let known = conversions.filter { !$0.1.factors.isEmpty }
            guard !known.isEmpty else { continue }
            let sum = known.reduce(Exact.zero) { $0 + $1.1.known }
            let names = (kind.text.en, kind.text.zh)
            facts.append(
                fact(
                    key, "All carriers, \(names.0)", "综合能耗折\(names.1)", Print.number(sum),
                    unit: unit))
            if let area = plan.area(over: period) {
                facts.append(
                    fact(
                        "\(key)_per_area", "\(names.0) per m²", "单位面积\(names.1)",
                        Print.number(sum / area, places: Print.intensity), unit: "\(unit)/m2"))
            }
            if let people = plan.people(over: period), !people.isZero {
                facts.append(
                    fact(
                        "\(key)_per_head", "\(names.0) per head", "人均\(names.1)",
                        Print.number(sum / people, places: Print.intensity), unit: "\(unit)/人"))
            }
        }
        return facts
    }

    /// From where on the site finds a share worth a look, as words: they are no figures of energy.
    var looks: [Fact] {
        let figures: [(DiagnosisFigure, String, String)] = [
            (.lookUnaccounted, "Worth a look: not accounted for, above", "关注线：未计量占比高于"),
            (.lookComplete, "Worth a look: complete, below", "关注线：完整率低于"),
        ]
        return figures.compactMap { figure, en, zh in
            guard let value = plan.diagnosis?.entries[figure]?.values.first else { return nil }
            return fact(
                figure.rawValue + "_percent", en, zh, .word(value.plainText), unit: "%")
        }
    }

    /// The money for all carriers that have a tariff, by the prices of their hours.
    var cost: [Fact] {
        let bills = plan.tree.carriers.compactMap { accounts.bill(of: $0, in: period) }
            .filter { $0.unknownSlots < $0.slots }
        guard !bills.isEmpty else { return [] }
        return [
            fact(
                "energy_cost", "Cost by price, all carriers with a tariff", "用能费用（有价格表的能源）",
                Print.number(
                    bills.reduce(Exact.zero) { $0 + $1.energyAmount }, places: Print.money),
                unit: plan.tariffs.first?.currency ?? "CNY")
        ]
    }
}
