import Telemetry

/// Savings beside the frozen baselines of a site.
extension StatementTables {
    /// Everything of the statement of savings.
    func allSavings() -> [Table] {
        let compared = compared()
        var tables = [baselines(compared)].compactMap { $0 }
        for one in compared {
            guard case .success(let savings) = one.result else { continue }
            tables.append(self.savings(savings, beside: one.baseline))
        }
        if let remarks = savingsRemarks(compared) { tables.append(remarks) }
        if !compared.isEmpty { tables.append(Self.fits(compared.map(\.baseline))) }
        return tables + compared.map { Self.coefficients($0.baseline) }
    }

    /// What a baseline says of the period.
    struct Compared {
        var baseline: FrozenBaseline
        var result: Result<EnergySavings, BaselineRefusals>
    }

    /// Every frozen baseline beside the period, in the order of the configuration.
    func compared() -> [Compared] {
        (plan.baselines?.frozen ?? []).map { named in
            Compared(
                baseline: named.baseline,
                result: accounts.savings(beside: named.baseline, in: period))
        }
    }

    /// One line for each baseline; nil where there is none.
    func baselines(_ compared: [Compared]) -> Table? {
        guard !compared.isEmpty else { return nil }
        var table = Table(
            key: "baselines", title: LocalizedText(en: "Beside the baselines", zh: "与节能量基准比较"),
            columns: [
                .words("baseline", "Baseline", "基准"), .words("meter", "Meter", "计量点"),
                .words("title", "Name", "名称"),
                .number("periods", "Days or months compared", "参与比较的日/月数"),
                .number("measured", "Measured", "实测用量", unit: "kWh"),
                .number("adjusted_baseline", "Baseline, adjusted", "调整后基准用量", unit: "kWh"),
                .number("saved", "Saved", "节能量", unit: "kWh"),
                .number("saved_percent", "Saved", "节能率", unit: "%"),
                .number("uncertainty", "Uncertainty, ±", "不确定度 ±", unit: "kWh"),
                .number("uncertainty_percent", "of what was saved", "占节能量", unit: "%"),
                .number("confidence_percent", "Confidence", "置信水平", unit: "%"),
                .number("saved_money", "Saved", "节约费用", unit: currency),
                .number("contractor_money", "Contractor's share", "节能服务公司分享", unit: currency),
                .words("standing", "Standing", "结论"),
            ])
        for one in compared {
            let meter = plan.tree[one.baseline.subject]
            let start: [Cell] = [
                .word(one.baseline.id), .word(one.baseline.subject),
                meter.map { title(of: $0) } ?? .word(""),
            ]
            switch one.result {
            case .success(let savings):
                table.rows.append(
                    start + figures(savings, of: one.baseline.subject) + [.text(standing(savings))])
            case .failure(let refusals):
                let blanks = Array(repeating: Cell.missing(Self.refused), count: 10)
                table.rows.append(start + blanks + [.text(refusals.text)])
            }
        }
        return table
    }

    private static let refused = LocalizedText(en: "not told", zh: "不予计算")

    /// Whether a part of what a meter counted in the periods compared is estimated.
    private func isEstimated(_ savings: EnergySavings, of meter: String) -> Bool {
        savings.rows.contains { accounts.figure(of: meter, in: $0.period).isEstimated }
    }

    private func figures(_ savings: EnergySavings, of meter: String) -> [Cell] {
        let uncertainty = savings.uncertainty
        return [
            Print.number(Exact(savings.rows.count), places: 0),
            Print.number(savings.measured, isEstimated: isEstimated(savings, of: meter)),
            Print.number(savings.adjustedBaseline),
            Print.number(savings.saved), Print.number(savings.savedPercent, places: Print.percent),
            Print.double(uncertainty.energy),
            Print.double(
                uncertainty.percentOfSavings,
                missing: LocalizedText(en: "nothing was saved", zh: "无节能量")),
            Print.number(uncertainty.confidencePercent, places: Print.percent),
            Print.number(savings.savedMoney, places: Print.money, missing: Self.noPrice),
            Print.number(savings.contractorMoney, places: Print.money, missing: Self.noShare),
        ]
    }

    private static let noPrice = LocalizedText(en: "no price", zh: "无价格")
    private static let noShare = LocalizedText(en: "no contract", zh: "无分享约定")

    private func standing(_ savings: EnergySavings) -> LocalizedText {
        let uncertainty = savings.uncertainty
        if savings.saved <= .zero {
            return LocalizedText(
                en: "no less was used than the baseline says", zh: "用量未低于基准")
        }
        if uncertainty.isTooLarge {
            return LocalizedText(
                en: "not proved: the uncertainty is too large a part of it",
                zh: "未获证实：不确定度占比过大")
        }
        return LocalizedText(en: "saved", zh: "节能")
    }

    /// The days or months of one baseline, and their sum.
    func savings(_ savings: EnergySavings, beside baseline: FrozenBaseline) -> Table {
        var table = Table(
            key: "savings_" + baseline.tableKey,
            title: LocalizedText(en: "Savings: \(baseline.id)", zh: "节能量：\(baseline.id)"),
            columns: [
                .words("period", "Period", "时段"),
                .number("measured", "Measured", "实测用量", unit: "kWh"),
                .number("modelled", "Modelled", "模型用量", unit: "kWh"),
                .number("adjustment", "Adjustments", "调整量", unit: "kWh"),
                .number("saved", "Saved", "节能量", unit: "kWh"),
                .number("uncertainty", "Uncertainty, ±", "不确定度 ±", unit: "kWh"),
                .words("remark", "Remark", "备注"),
            ])
        let meter = plan.tree[baseline.subject]
        for row in savings.rows {
            let remarks = [outside(row), scaled(row, baseline)].compactMap { $0 }
            table.rows.append([
                .word(row.period.label),
                Print.number(
                    row.measured, trace: meter.map { StatementTrace.meter($0, row.period) },
                    isEstimated: accounts.figure(of: baseline.subject, in: row.period).isEstimated),
                Print.number(row.modelled), Print.number(row.adjustment),
                Print.number(row.saved), Print.double(savings.uncertainty(of: row)),
                .text(
                    LocalizedText(
                        en: remarks.map(\.en).joined(separator: "; "),
                        zh: remarks.map(\.zh).joined(separator: "；"))),
            ])
        }
        table.sums = [table.rows.count]
        let modelled = savings.rows.reduce(Exact.zero) { $0 + $1.modelled }
        table.rows.append([
            .text(LocalizedText(en: "Total", zh: "合计")),
            Print.number(
                savings.measured, isEstimated: isEstimated(savings, of: baseline.subject)),
            Print.number(modelled), Print.number(savings.adjustedBaseline - modelled),
            Print.number(savings.saved), Print.double(savings.uncertainty.energy), .word(""),
        ])
        return table
    }

    private func outside(_ row: EnergySavings.Row) -> LocalizedText? {
        guard !row.extrapolated.isEmpty else { return nil }
        return LocalizedText(
            en: "outside of what the baseline has seen: "
                + row.extrapolated.joined(separator: ", "),
            zh: "超出基准期范围：" + row.extrapolated.joined(separator: "、"))
    }

    /// Degree days that were scaled up from fewer days than there are.
    private func scaled(_ row: EnergySavings.Row, _ baseline: FrozenBaseline) -> LocalizedText? {
        let limits = plan.baselines?.method.limits[baseline.model.interval]
        let found = baseline.model.terms.compactMap(\.variable.degreeDays).lazy.map {
            accounts.degreeDays(
                $0, in: row.period, unknownDaysPercent: limits?.unknownDaysPercent ?? .zero)
        }.first(where: \.isScaled)
        return found.map {
            LocalizedText(
                en: "degree days scaled from \($0.knownDays) of \($0.days) days",
                zh: "度日数由 \($0.days) 天中的 \($0.knownDays) 天折算")
        }
    }

    /// Periods for which nothing is claimed, why, and what the method refuses; nil without any.
    func savingsRemarks(_ compared: [Compared]) -> Table? {
        var table = Table(
            key: "savings_remarks",
            title: LocalizedText(en: "Left out and refused", zh: "未计入与不予计算"),
            columns: [
                .words("baseline", "Baseline", "基准"), .words("what", "What", "事项"),
                .words("reason", "Reason", "原因"),
            ])
        func add(_ baseline: FrozenBaseline, _ what: LocalizedText, _ reason: LocalizedText) {
            table.rows.append([.word(baseline.id), .text(what), .text(reason)])
        }
        for one in compared {
            switch one.result {
            case .success(let savings):
                for reason in savings.shortcomings {
                    add(
                        one.baseline, LocalizedText(en: "left out", zh: "未计入"), reason.text)
                }
            case .failure(let refusals):
                for reason in refusals.reasons { add(one.baseline, Self.refused, reason.text) }
            }
            if one.baseline.model.interval == .month, !isWholeMonths {
                add(
                    one.baseline, LocalizedText(en: "left out", zh: "未计入"),
                    LocalizedText(
                        en: "days of \(period.label) that are no whole month",
                        zh: "\(period.label) 中不足整月的日期"))
            }
            for adjustment in one.baseline.adjustments where adjustment.days(in: period) > 0 {
                add(
                    one.baseline, LocalizedText(en: "adjustment", zh: "调整"),
                    adjustment.words)
            }
        }
        return table.rows.isEmpty ? nil : table
    }

    private var isWholeMonths: Bool {
        let months = period.months
        return months.first?.first == period.first && months.last?.last == period.last
    }
}

extension BaselineRefusals {
    /// All reasons in one sentence.
    package var text: LocalizedText {
        LocalizedText(
            en: "not told: " + reasons.map(\.text.en).joined(separator: "; "),
            zh: "不予计算：" + reasons.map(\.text.zh).joined(separator: "；"))
    }
}

extension BaselineAdjustment {
    /// What was agreed on, in words.
    fileprivate var words: LocalizedText {
        let amount = change.amount.shortText
        let (en, zh) =
            switch change {
            case .kilowattHoursPerDay: ("\(amount) kWh a day", "每日 \(amount) kWh")
            case .percent: ("\(amount) %", "\(amount)%")
            }
        return LocalizedText(
            en: "\(en) from \(from)\(through.map { " through \($0)" } ?? ""): \(reason)",
            zh: "自 \(from)\(through.map { " 至 \($0)" } ?? "") \(zh)：\(reason)")
    }
}
