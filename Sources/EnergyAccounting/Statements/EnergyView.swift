import Telemetry

/// What people ask between two statements, in the same form as these.
package enum EnergyView {
    /// The periods that comparisons of a period need.
    package static func periods(beside period: AccountingPeriod) -> [AccountingPeriod] {
        var periods = [period]
        for other in [period.before, period.yearBefore] where !periods.contains(other) {
            periods.append(other)
        }
        return periods
    }

    /// Today, this month and this year, meter by meter.
    package static func now(
        _ accounts: EnergyAccounts, day: AccountingPeriod, month: AccountingPeriod,
        year: AccountingPeriod, site: String
    ) -> StatementDocument {
        var table = StatementDocument.Table(
            key: "now", title: LocalizedText(en: "Now", zh: "当前"),
            columns: [
                .words("meter", "Meter", "计量点"), .words("title", "Name", "名称"),
                .words("unit", "Unit", "单位"), .number("today", "Today", "今日"),
                .number("month", "This month", "本月"), .number("year", "This year", "本年"),
                .number("completeness_percent", "Year complete", "本年完整率", unit: "%"),
                .number("estimated_percent", "Estimated", "估算占比", unit: "%"),
            ])
        let tree = accounts.plan.tree
        for meter in tree.inTreeOrder {
            func cell(_ period: AccountingPeriod) -> StatementDocument.Cell {
                Print.figure(
                    accounts.figure(of: meter.id, in: period),
                    trace: StatementTrace.meter(meter, period))
            }
            let whole = accounts.figure(of: meter.id, in: year)
            let indent = String(repeating: "· ", count: tree.depth(of: meter.id))
            table.rows.append([
                .word(indent + meter.id), meter.title.map { .text($0) } ?? .word(""),
                .word(meter.carrier.unit), cell(day), cell(month), cell(year),
                Print.percent(whole.completeness), Print.percent(whole.estimatedShare),
            ])
        }
        return StatementDocument(
            kind: "now", title: LocalizedText(en: "Energy now", zh: "用能概况"), site: site,
            period: day.label, tables: [table])
    }

    /// Per area, head and output, all carriers together, and meters beside their peers.
    package static func intensity(
        _ accounts: EnergyAccounts, period: AccountingPeriod, site: String
    ) -> StatementDocument {
        let facts = StatementFacts(accounts: accounts, period: period)
        let tables = StatementTables(accounts: accounts, period: period)
        return StatementDocument(
            kind: "intensity", title: LocalizedText(en: "Energy intensity", zh: "用能强度"),
            site: site, period: period.label,
            facts: facts.basis + facts.electricity + facts.normalised + facts.together
                + facts.cost,
            tables: [tables.comparison(), tables.carriers()] + tables.peers(),
            notes: StatementNotes(accounts, period).all)
    }

    /// Meters beside those below them, and what electricity was used for, by end use, zone,
    /// machine and organisation.
    ///
    /// - Parameter accounts: which have read `periods(beside:)`; without the period before, no
    ///   change of the unaccounted share is told.
    package static func balance(
        _ accounts: EnergyAccounts, period: AccountingPeriod, site: String
    ) -> StatementDocument {
        let tables = StatementTables(accounts: accounts, period: period)
        return StatementDocument(
            kind: "balance", title: LocalizedText(en: "Energy balance", zh: "用能平衡"),
            site: site, period: period.label,
            tables: tables.balanced + tables.uses + [tables.remarks()].compactMap { $0 })
    }
}
