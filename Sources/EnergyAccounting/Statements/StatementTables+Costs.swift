import Telemetry

extension StatementTables {
    /// What a carrier cost, by band and by charge; nothing without a tariff.
    func bill(of carrier: Carrier) -> [Table] {
        guard let tariff = plan.tariff(for: carrier),
            let bill = accounts.bill(of: carrier, in: period)
        else { return [] }
        return bill.tables(of: tariff).map { table in
            var table = table
            // Several carriers stand in one statement, and a table's key is its name there.
            table.key += "_" + carrier.rawValue.replacing("-", with: "_")
            table.title = LocalizedText(
                en: "\(carrier.title.en): \(table.title.en)",
                zh: "\(carrier.title.zh)：\(table.title.zh)")
            return table
        }
    }

    /// A line for each month of a year, and the year.
    func months() -> Table {
        var table = Table(
            key: "months", title: LocalizedText(en: "By month", zh: "按月"),
            columns: [
                .words("month", "Month", "月份"),
                .number("electricity", "Electricity imported", "购入电量", unit: "kWh"),
                .number("generated", "Own generation", "自发电量", unit: "kWh"),
                .number("net", "Net", "净用电量", unit: "kWh"),
                .number("water", "Mains water", "自来水", unit: "m3"),
                .number("gas", "Gas", "燃气", unit: "m3"),
                .number("diesel", "Diesel", "柴油", unit: "L"),
                .number("per_area", "Per m², net", "单位面积净用电", unit: "kWh/m2"),
                .number("estimated_percent", "Estimated", "估算占比", unit: "%"),
                .number("completeness_percent", "Complete", "完整率", unit: "%"),
                .number("energy_cost", "Cost by price", "电量电费", unit: currency),
            ])
        func add(_ label: String, _ span: AccountingPeriod) {
            let balance = accounts.balance(of: .electricity, in: span)
            func figure(_ total: Counts.Total?, _ side: StatementTrace.Side) -> Cell {
                guard let total else { return Print.number(nil) }
                return Print.figure(
                    accounts.figure(total, in: span),
                    trace: StatementTrace.carrier(.electricity, side, span))
            }
            func imported(_ carrier: Carrier) -> Cell {
                guard let total = accounts.balance(of: carrier, in: span)?.imported else {
                    return Print.number(nil)
                }
                return Print.figure(
                    accounts.figure(total, in: span),
                    trace: StatementTrace.carrier(carrier, .imported, span))
            }
            let electricity = balance.map { accounts.figure($0.imported, in: span) }
            let net = balance.flatMap { accounts.figure($0.net, in: span).amount }
            let area = plan.area(over: span)
            table.rows.append([
                .word(label), figure(balance?.imported, .imported),
                balance?.hasGeneration == true
                    ? figure(balance?.generated, .generated) : Print.number(nil),
                figure(balance?.net, .net), imported(.water), imported(.gas), imported(.diesel),
                Print.number(
                    net.flatMap { net in area.map { net / $0 } }, places: Print.intensity),
                Print.percent(electricity?.estimatedShare),
                Print.percent(electricity?.completeness),
                cost(accounts.bill(of: .electricity, in: span)),
            ])
        }
        for month in period.months { add(month.label, month) }
        table.sums = [table.rows.count]
        add(period.label, period)
        return table
    }

    /// How the site stands beside its quotas and targets.
    func quotas() -> Table? {
        guard let year = AccountingPeriod(year: period.first.year) else { return nil }
        let judgements = accounts.quotaJudgements(of: year)
        guard !judgements.isEmpty else { return nil }
        var table = Table(
            key: "quotas", title: LocalizedText(en: "Quotas and targets", zh: "限额与目标"),
            columns: [
                .words("quota", "Quota", "限额"), .words("title", "Name", "名称"),
                .words("unit", "Unit", "单位"), .words("strength", "Strength", "效力"),
                .number("limit", "Limit", "指标值"),
                .number("allowance", "Allowance of the year", "年度限额总量"),
                .number("used", "Used so far", "已用"),
                .number("used_percent", "Used", "已用占比", unit: "%"),
                .number("path", "Even path to date", "均匀进度应为"),
                .number("beside_path", "Beside it", "与均匀进度之差"),
                .number("seasonal_path", "Path of the year before to date", "按上年节奏应为"),
                .number("beside_seasonal_path", "Beside it", "与上年节奏之差"),
                .number("expected", "Expected at the end", "年末预测"),
                .number("low", "at least", "下限"), .number("high", "at most", "上限"),
                .number("expected_percent", "Expected", "预测占比", unit: "%"),
                .number("excess", "Expected excess", "预测超额"),
                .number("surcharge", "Surcharge, estimated", "加价估算", unit: currency),
                .words("state", "Standing", "状态"),
                .words("state_code", "Standing, as a word", "状态代码"),
            ])
        for one in judgements {
            func beside(_ path: Exact?) -> Cell {
                Print.number(path.flatMap { path in one.counted.map { $0 - path } })
            }
            table.rows.append([
                .word(one.quota.id), .text(one.quota.title), .word(one.quota.unit.text),
                .text(one.quota.strength.text), Print.number(one.allowance?.limit),
                Print.number(one.allowance?.amount), Print.number(one.counted),
                Print.number(one.percentUsed), Print.number(one.linearPath),
                beside(one.linearPath), Print.number(one.seasonalPath),
                beside(one.seasonalPath), Print.number(one.forecast?.expected),
                Print.number(one.forecast?.low), Print.number(one.forecast?.high),
                Print.number(one.expectedPercent), Print.number(one.expectedExcess),
                Print.number(one.expectedSurcharge?.cost, places: Print.money),
                .text(one.state.text), .word(one.state.word),
            ])
        }
        return table
    }

    /// What people wrote down, and what was not believed.
    func remarks() -> Table? {
        guard let ledger = accounts.ledger(of: period) else { return nil }
        var table = Table(
            key: "remarks",
            title: LocalizedText(en: "Corrections and what was not believed", zh: "更正与剔除"),
            columns: [
                .words("meter", "Meter", "计量点"), .words("time", "When", "时间"),
                .words("what", "What", "事项"), .number("amount", "Amount", "数量"),
                .words("by", "By", "经办"), .words("reason", "Reason", "原因"),
            ])
        let (start, end) = (
            period.start(calendar: accounts.calendar), period.end(calendar: accounts.calendar)
        )
        for remark in ledger.remarks {
            guard let row = row(remark, within: start..<end) else { continue }
            table.rows.append(row)
        }
        return table.rows.isEmpty ? nil : table
    }

    private func row(_ remark: MeterLedger.Remark, within span: Range<Timestamp>) -> [Cell]? {
        func time(_ instant: Timestamp) -> Cell { .word(accounts.calendar.rfc3339(instant)) }
        func words(_ en: String, _ zh: String) -> Cell { .text(LocalizedText(en: en, zh: zh)) }
        switch remark {
        case .withheld(let meter, let start, _, let amount):
            guard span.contains(start) else { return nil }
            return [
                .word(meter), time(start),
                words("more than the connection carries, left out", "超过线路承载能力，已剔除"),
                Print.number(amount), .word(""), .word(""),
            ]
        case .exchanged(let one, let correction):
            guard span.contains(one.at) else { return nil }
            return [
                .word(one.meter), time(one.at), words("register exchanged", "换表"),
                Print.number(correction), .word(one.note.by), .word(one.note.reason),
            ]
        case .unfit(let one):
            guard span.contains(one.at) else { return nil }
            return [
                .word(one.meter), time(one.at),
                words("exchange does not fit the readings, not applied", "换表记录与读数不符，未采用"),
                Print.number(nil), .word(one.note.by), .word(one.note.reason),
            ]
        case .rescaled(let one):
            guard one.from < span.upperBound, span.lowerBound < one.to else { return nil }
            return [
                .word(one.meter), time(one.from), words("multiplied by", "倍率更正"),
                Print.number(one.factor, places: 6), .word(one.note.by), .word(one.note.reason),
            ]
        case .adjusted(let one):
            guard one.from < span.upperBound, span.lowerBound < one.to else { return nil }
            return [
                .word(one.meter), time(one.from), words("adjusted by", "用量调整"),
                Print.number(one.amount), .word(one.note.by), .word(one.note.reason),
            ]
        }
    }
}
