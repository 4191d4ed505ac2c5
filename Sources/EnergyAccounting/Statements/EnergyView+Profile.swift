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

    /// Base load, load factor, peak and the mean day of one meter.
    ///
    /// - Parameter quarters: of the same period, for the peak over 15 minutes.
    package static func profile(
        _ accounts: EnergyAccounts, of meter: Meter, period: AccountingPeriod, night: NightHours,
        quarters: MeterLedger, site: String
    ) -> StatementDocument {
        var document = StatementDocument(
            kind: "profile",
            title: LocalizedText(en: "Load profile: \(meter.id)", zh: "负荷曲线：\(meter.id)"),
            site: site, period: period.label)
        guard let ledger = accounts.ledger(of: period), let column = ledger.column(of: meter.id)
        else { return document }
        let days = ProfileDays(freeWeekdays: [6, 7], holidays: [], workedDays: [])
        func slots(_ column: (counts: Counts, scale: Exact), _ grid: CountGrid) -> LoadSlots {
            LoadSlots(
                LoadSlots(column.counts, grid, calendar: accounts.calendar, days: days).slots
                    .filter { $0.end <= accounts.now }
                    .map { slot in
                        var slot = slot
                        slot.energy = slot.energy.map { $0 * column.scale }
                        return slot
                    })
        }
        let profile = LoadProfile(slots(column, ledger.grid), night: night)
        let peak = quarters.column(of: meter.id).flatMap {
            DemandPeak(slots($0, quarters.grid))
        }
        let unit = meter.carrier.unit == "kWh" ? "kW" : "\(meter.carrier.unit)/h"
        document.facts = facts(profile, peak, unit, accounts.calendar)
        document.tables = [meanDay(profile, unit)]
        return document
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

    private static func meanDay(
        _ profile: LoadProfile, _ unit: String
    ) -> StatementDocument.Table {
        let classes = DayClass.allCases.filter { profile.byClass[$0] != nil }
        var table = StatementDocument.Table(
            key: "mean_day", title: LocalizedText(en: "The mean day", zh: "典型日"),
            columns: [.words("hour", "Hour", "时段")])
        for one in classes {
            table.columns.append(
                StatementDocument.Column(
                    one.rawValue.replacing("-", with: "_"), one.title, unit: unit))
        }
        for hour in 0..<24 {
            let name = (hour < 10 ? "0" : "") + "\(hour):00"
            table.rows.append(
                [.word(name)]
                    + classes.map { one in
                        let hours = profile.byClass[one]?.hours ?? []
                        return Print.number(
                            hours.indices.contains(hour) ? hours[hour].meanPower : nil)
                    })
        }
        return table
    }
}
