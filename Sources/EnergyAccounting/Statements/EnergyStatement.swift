import Telemetry

/// The statements that can be made of a site's accounts.
package enum EnergyStatement: String, Hashable, Sendable, CaseIterable {
    case monthly
    case yearly
    case annualReturn = "annual-return"
    case siteDeclaration = "site-declaration"
    case flash
    case disclosure
    case institution
    case photovoltaic
    case quota
    case savings

    package var title: LocalizedText {
        switch self {
        case .monthly: LocalizedText(en: "Energy statement of the month", zh: "月度用能报表")
        case .yearly: LocalizedText(en: "Energy statement of the year", zh: "年度用能报表")
        case .annualReturn: LocalizedText(en: "Annual return of building energy", zh: "建筑能耗数据年报")
        case .siteDeclaration:
            LocalizedText(en: "Energy declaration of a construction site", zh: "施工工地能耗申报表")
        case .flash: LocalizedText(en: "Flash report of energy and CO₂", zh: "能耗和碳排放统计快报")
        case .disclosure: LocalizedText(en: "Disclosure of energy and CO₂", zh: "建筑能耗及碳排放公示")
        case .institution:
            LocalizedText(en: "Assessment of a public institution", zh: "公共机构节能目标考核表")
        case .photovoltaic:
            LocalizedText(en: "Own photovoltaics set off", zh: "自有光伏发电抵扣核算表")
        case .quota: LocalizedText(en: "Quota and surcharge", zh: "能耗限额执行情况表")
        case .savings:
            LocalizedText(en: "Savings beside the baselines", zh: "节能量核算表")
        }
    }

    /// What is demanded by law and what is only encouraged or announced; nil where it is neither.
    var standing: LocalizedText? {
        switch self {
        case .siteDeclaration:
            LocalizedText(
                en: "A declaration is encouraged, not demanded.", zh: "本申报为鼓励性，非强制。")
        case .disclosure:
            LocalizedText(
                en: "A duty to disclose has been announced, not enacted; this sheet is voluntary.",
                zh: "公示披露制度尚在研究建立，本表为自愿公示。")
        default: nil
        }
    }

    /// Whether it is made for a year.
    package var isYearly: Bool {
        switch self {
        case .monthly, .flash, .photovoltaic, .siteDeclaration, .disclosure, .savings: false
        case .yearly, .annualReturn, .institution, .quota: true
        }
    }

    /// Whether it tells charges by the month, which rest on quarters of an hour.
    package var isBilled: Bool { self == .monthly || self == .yearly }

    /// The statement by which a month or a year is closed; nil for other periods.
    package static func closing(_ period: AccountingPeriod) -> EnergyStatement? {
        switch period.kind {
        case .month: .monthly
        case .year: .yearly
        case .day, .span: nil
        }
    }

    /// The periods that have to be read before it can be made.
    package func periods(for period: AccountingPeriod) -> [AccountingPeriod] {
        if self == .savings { return [period] }
        var periods = [period]
        for other in [period.before, period.yearBefore] where !periods.contains(other) {
            periods.append(other)
        }
        if self == .quota || self == .disclosure || self == .institution {
            if let year = AccountingPeriod(year: period.first.year) {
                // A year holds its months; what lies inside need not be read again.
                periods =
                    [year, year.before]
                    + periods.filter { one in
                        !(year.first <= one.first && one.last <= year.last)
                            && !(year.before.first <= one.first && one.last <= year.before.last)
                    }
            }
        }
        return periods
    }

    /// The statement of a period.
    ///
    /// - Parameters:
    ///   - accounts: which have read `periods(for:)`.
    ///   - site: its name, as it is written.
    package func document(
        of period: AccountingPeriod, accounts: EnergyAccounts, site: String
    ) -> StatementDocument {
        let tables = StatementTables(accounts: accounts, period: period)
        let facts = StatementFacts(accounts: accounts, period: period)
        var document = StatementDocument(
            kind: rawValue, title: title, site: site, period: period.label)
        let bills = isBilled ? accounts.plan.tree.carriers.flatMap { tables.bill(of: $0) } : []
        switch self {
        case .monthly:
            document.facts =
                facts.basis + facts.electricity + facts.together + facts.cost + facts.looks
            document.tables =
                [tables.carriers(), tables.meters()]
                + tables.uses + tables.balanced
                + [tables.baselines(tables.compared())].compactMap { $0 } + bills
        case .yearly:
            document.facts =
                facts.basis + facts.electricity + facts.together + facts.cost + facts.looks
            document.tables =
                [tables.months(), tables.carriers(), tables.meters()]
                + tables.uses + tables.balanced
                + [tables.baselines(tables.compared())].compactMap { $0 } + bills
        case .annualReturn:
            document.facts = facts.particulars + facts.basis + facts.together
            document.tables = [tables.annualReturn()]
        case .siteDeclaration:
            document.facts =
                facts.particulars + facts.basis + facts.electricity + facts.together
            document.tables =
                [tables.carriers()] + [tables.zones(), tables.machines()].compactMap { $0 }
        case .flash:
            document.facts = facts.basis + facts.electricity + facts.together
            document.tables = [tables.comparison()] + [tables.quotas()].compactMap { $0 }
        case .disclosure:
            document.facts =
                facts.particulars + facts.basis + facts.electricity + facts.together
            document.tables = [tables.comparison()] + [tables.quotas()].compactMap { $0 }
        case .institution:
            document.facts = facts.particulars + facts.basis + facts.electricity + facts.together
            document.tables = [tables.quotas()].compactMap { $0 } + [tables.carriers()]
        case .photovoltaic:
            document.facts = facts.basis + facts.electricity
            document.tables = [tables.photovoltaic()]
        case .quota:
            document.facts = facts.basis + facts.electricity
            document.tables = [tables.quotas()].compactMap { $0 }
        case .savings:
            document.tables = tables.allSavings()
        }
        if let remarks = tables.remarks() { document.tables.append(remarks) }
        let notes = StatementNotes(accounts, period)
        document.notes =
            (standing.map { [$0] } ?? []) + (self == .savings ? notes.savings : notes.all)
        return document
    }
}
