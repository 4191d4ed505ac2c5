import Telemetry

extension StatementTables {
    /// Meters beside those below them, and how much more of each nobody measures than in the
    /// period before.
    func balances() -> Table? {
        var table = Table(
            key: "balances", title: LocalizedText(en: "Meters and those below them", zh: "上下级计量平衡"),
            columns: [
                .words("meter", "Meter", "计量点"), .words("title", "Name", "名称"),
                .words("unit", "Unit", "单位"), .number("amount", "Amount", "用量"),
                .number("children", "Those below", "下级合计"),
                .number("unaccounted", "Not accounted for", "未计量"),
                .number("unaccounted_percent", "Share", "占比", unit: "%"),
                .number("before_percent", "Share, period before", "上期占比", unit: "%"),
                .number("change_points", "Change in points", "占比变化（百分点）"),
            ])
        for meter in plan.tree.inTreeOrder {
            guard let balance = accounts.balance(below: meter.id, in: period) else { continue }
            let children = balance.children.reduce(Counts.Total()) { $0 + $1.total }
            let share = balance.unaccountedShare
            let before = accounts.balance(below: meter.id, in: period.before)?.unaccountedShare
            table.rows.append([
                .word(meter.id), title(of: meter), .word(meter.carrier.unit),
                Print.figure(
                    accounts.figure(balance.whole, in: period),
                    trace: StatementTrace.meter(meter, period)),
                Print.figure(accounts.figure(children, in: period), trace: nil),
                Print.figure(accounts.figure(balance.unaccounted, in: period), trace: nil),
                Print.percent(share), Print.percent(before),
                Print.percent(share.flatMap { share in before.map { share - $0 } }),
            ])
        }
        return table.rows.isEmpty ? nil : table
    }

    /// What nobody measures below each meter, month by month; nil for a period within one month.
    ///
    /// Months that have not begun are left out; of a month that the period cuts, its days count.
    func balancesByMonth() -> Table? {
        let months = period.months.compactMap { month -> AccountingPeriod? in
            let (first, last) = (max(month.first, period.first), min(month.last, period.last))
            let isWhole = first == month.first && last == month.last
            return isWhole ? month : AccountingPeriod(from: first, through: last)
        }.filter { $0.start(calendar: accounts.calendar) < accounts.now }
        guard period.months.count > 1 else { return nil }
        var table = Table(
            key: "balances_by_month",
            title: LocalizedText(en: "Not accounted for, by month", zh: "未计量部分（按月）"),
            columns: [
                .words("meter", "Meter", "计量点"), .words("title", "Name", "名称"),
                .words("month", "Month", "月份"), .words("unit", "Unit", "单位"),
                .number("unaccounted", "Not accounted for", "未计量"),
                .number("unaccounted_percent", "Share", "占比", unit: "%"),
            ])
        for meter in plan.tree.inTreeOrder {
            for month in months {
                guard let balance = accounts.balance(below: meter.id, in: month) else { continue }
                table.rows.append([
                    .word(meter.id), title(of: meter), .word(month.label),
                    .word(meter.carrier.unit),
                    Print.figure(accounts.figure(balance.unaccounted, in: month), trace: nil),
                    Print.percent(balance.unaccountedShare),
                ])
            }
        }
        return table.rows.isEmpty ? nil : table
    }
}

extension EnergyAccounts {
    /// A meter beside those directly below it; nil when there are none or the period was not read.
    func balance(below meter: String, in period: AccountingPeriod) -> MeterBalance? {
        ledger(of: period)?.balance(below: meter, over: slots(of: period))
    }
}
