import Telemetry

extension EnergyView {
    /// Hours of the night as they are written, `23:00-05:00`; nil for anything else.
    package static func night(_ text: String) -> NightHours? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        func hour(_ text: Substring) -> Int? {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[1] == "00", parts[0].utf8.count == 2,
                let hour = Int(parts[0]), (0...24).contains(hour)
            else { return nil }
            return hour % 24
        }
        guard ends.count == 2, let from = hour(ends[0]), let until = hour(ends[1]) else {
            return nil
        }
        return NightHours(from: from, until: until)
    }

    /// Base load, load factor, peak, the mean day and the load duration of one meter, beside those
    /// of another period.
    ///
    /// - Parameters:
    ///   - other: nil takes the period before; where it was not read, nothing stands beside.
    ///   - quarters: of the same period, for the peak over 15 minutes.
    package static func profile(
        _ accounts: EnergyAccounts, of meter: Meter, period: AccountingPeriod,
        beside other: AccountingPeriod? = nil, night: NightHours, quarters: MeterLedger,
        site: String
    ) -> StatementDocument {
        var document = StatementDocument(
            kind: "profile",
            title: LocalizedText(en: "Load profile: \(meter.id)", zh: "负荷曲线：\(meter.id)"),
            site: site, period: period.label)
        guard let ledger = accounts.ledger(of: period),
            let hours = slots(of: meter, ledger, period, accounts)
        else { return document }
        let other = other ?? period.before
        let profile = LoadProfile(hours, night: night)
        let before = accounts.ledger(of: other)
            .flatMap { slots(of: meter, $0, other, accounts) }
            .map { LoadProfile($0, night: night) }
        let peak = slots(of: meter, quarters, period, accounts).flatMap { DemandPeak($0) }
        let unit = meter.carrier.unit == "kWh" ? "kW" : "\(meter.carrier.unit)/h"
        document.facts = facts(profile, peak, unit, accounts.calendar)
        let comparison = before.map { LoadComparison(before: $0, after: profile) }
        document.tables = [
            meanDay(profile, comparison, unit), duration(hours, unit),
            comparison.map { compared($0, other, unit) },
        ].compactMap { $0 }
        return document
    }

    /// The slots of a period that have ended; nil for a meter that is not in the ledger.
    private static func slots(
        of meter: Meter, _ ledger: MeterLedger, _ period: AccountingPeriod,
        _ accounts: EnergyAccounts
    ) -> LoadSlots? {
        guard let column = ledger.column(of: meter.id) else { return nil }
        let days = ProfileDays(freeWeekdays: [6, 7], holidays: [], workedDays: [])
        let all = LoadSlots(column.counts, ledger.grid, calendar: accounts.calendar, days: days)
        return LoadSlots(
            all.slots.filter { period.contains($0.date) && $0.end <= accounts.now }.map { slot in
                var slot = slot
                slot.energy = slot.energy.map { $0 * column.scale }
                return slot
            })
    }

    private static func facts(
        _ profile: LoadProfile, _ peak: DemandPeak?, _ unit: String, _ calendar: SiteCalendar
    ) -> [StatementDocument.Fact] {
        func fact(
            _ key: String, _ en: String, _ zh: String, _ cell: StatementDocument.Cell,
            _ unit: String
        ) -> StatementDocument.Fact {
            .init(key, LocalizedText(en: en, zh: zh), cell, unit: unit)
        }
        return [
            fact(
                "base_load", "Base load at night", "夜间基础负荷", Print.number(profile.baseLoad),
                unit),
            fact(
                "night_day_percent", "Night beside day", "夜昼比",
                Print.percent(profile.nightDayRatio), "%"),
            fact(
                "weekend_percent", "Weekend beside working days", "周末与工作日之比",
                Print.percent(profile.weekendRatio), "%"),
            fact("peak", "Peak over 15 min", "最大需量（15分钟）", Print.number(peak?.power), unit),
            fact(
                "peak_at", "at", "出现时间",
                peak.map { .word(calendar.rfc3339($0.start)) } ?? Print.number(nil), ""),
            fact(
                "load_factor_percent", "Load factor", "负荷率", Print.percent(peak?.loadFactor), "%"),
            fact(
                "completeness_percent", "Complete", "完整率",
                Print.number(profile.load.completenessPercent), "%"),
        ]
    }

    /// The mean power of each hour of the day by class of days, beside that of another period.
    private static func meanDay(
        _ profile: LoadProfile, _ comparison: LoadComparison?, _ unit: String
    ) -> StatementDocument.Table {
        let classes = DayClass.allCases.filter { profile.byClass[$0] != nil }
        var table = StatementDocument.Table(
            key: "mean_day", title: LocalizedText(en: "The mean day", zh: "典型日"),
            columns: [.words("hour", "Hour", "时段")])
        for one in classes {
            let key = one.rawValue.replacing("-", with: "_")
            table.columns.append(StatementDocument.Column(key, one.title, unit: unit))
            guard comparison != nil else { continue }
            table.columns.append(
                .number(
                    key + "_before", "\(one.title.en), compared with", "\(one.title.zh)（对比期）",
                    unit: unit))
        }
        for hour in 0..<24 {
            let name = (hour < 10 ? "0" : "") + "\(hour):00"
            table.rows.append(
                [.word(name)]
                    + classes.flatMap { one -> [StatementDocument.Cell] in
                        let hours = profile.byClass[one]?.hours ?? []
                        let now = Print.number(
                            hours.indices.contains(hour) ? hours[hour].meanPower : nil)
                        guard let changes = comparison?.hours[one] else { return [now] }
                        return [
                            now,
                            Print.number(
                                changes.indices.contains(hour) ? changes[hour].before : nil),
                        ]
                    })
        }
        return table
    }

    /// The load that is reached or exceeded for each part of the time; nil where nothing is known.
    private static func duration(_ slots: LoadSlots, _ unit: String) -> StatementDocument.Table? {
        let percentages = [0, 1, 5] + Array(stride(from: 10, through: 100, by: 10))
        guard let curve = LoadDurationCurve(slots, at: percentages.map { Exact($0) }) else {
            return nil
        }
        var table = StatementDocument.Table(
            key: "load_duration", title: LocalizedText(en: "Load duration", zh: "负荷持续曲线"),
            columns: [
                .number("percent", "Part of the known time", "占已知时间", unit: "%"),
                .number("power", "At least", "负荷不低于", unit: unit),
            ])
        table.rows = curve.points.map {
            [Print.number($0.percent, places: 0), Print.number($0.power)]
        }
        return table
    }

    /// The indicators beside those of another period.
    private static func compared(
        _ comparison: LoadComparison, _ other: AccountingPeriod, _ unit: String
    ) -> StatementDocument.Table {
        var table = StatementDocument.Table(
            key: "compared",
            title: LocalizedText(
                en: "Compared with \(other.label)", zh: "与 \(other.label) 对比"),
            columns: [
                .words("indicator", "Indicator", "指标"), .words("unit", "Unit", "单位"),
                .number("before", "Before", "对比期"), .number("now", "Now", "本期"),
                .number("difference", "Difference", "差值"),
                .number("change_percent", "Change", "变化", unit: "%"),
            ])
        for indicator in LoadComparison.Indicator.allCases {
            guard let change = comparison.changes[indicator] else { continue }
            let places = indicator.isRatio ? Print.intensity : Print.amount
            table.rows.append([
                .text(indicator.title), .word(indicator.isRatio ? "" : unit),
                Print.number(change.before, places: places),
                Print.number(change.after, places: places),
                Print.number(change.difference, places: places),
                Print.number(change.percent, places: Print.percent),
            ])
        }
        return table
    }
}
