import Telemetry

/// Electricity beside the weather and the people of a period.
extension StatementFacts {
    /// By degree day, by area and degree day, and by person-day, gross and net; what cannot be told
    /// is missing with its reason.
    var normalised: [Fact] {
        guard let balance = accounts.balance(of: .electricity, in: period) else { return [] }
        let sides = [
            Side("gross", "gross", "总", accounts.figure(balance.gross, in: period)),
            Side("net", "net", "净", accounts.figure(balance.net, in: period)),
        ]
        return degreeDays(sides) + personDays(sides)
    }

    /// One side of the balance, under the words by which its facts are told.
    private struct Side {
        var key: String
        var en: String
        var zh: String
        var figure: AccountFigure

        init(_ key: String, _ en: String, _ zh: String, _ figure: AccountFigure) {
            self.key = key
            self.en = en
            self.zh = zh
            self.figure = figure
        }
    }

    /// What an amount is divided by, or why it is not.
    private enum Divisor {
        case known(Exact, isScaled: Bool)
        case unknown(LocalizedText)
    }

    private func degreeDays(_ sides: [Side]) -> [Fact] {
        let variables = plan.variables.filter { $0.degreeDays != nil }
        guard !variables.isEmpty else {
            let reason = LocalizedText(
                en: "no outdoor temperature is configured", zh: "未配置室外温度")
            return [
                fact(
                    "per_degree_day", "Per degree day", "单位度日用电", .missing(reason),
                    unit: "kWh/(K·d)")
            ]
        }
        return variables.flatMap { variable -> [Fact] in
            guard let base = variable.degreeDays else { return [] }
            let days = accounts.degreeDays(
                base, in: period, unknownDaysPercent: unknownDaysPercent)
            let (divisor, words) = (divisor(days), words(base))
            let key = variable.name.replacing("-", with: "_")
            var facts = [
                fact(
                    "degree_days_\(key)", "Degree days, \(words.en)", "度日数（\(words.zh)）",
                    days.value.map {
                        Print.double($0, places: Print.amount, isEstimated: days.isScaled)
                    } ?? .missing(unknown(days)), unit: "K·d"),
                fact(
                    "degree_days_\(key)_complete_percent", "Days of known temperature",
                    "气温已知天数占比", Print.percent(Exact(days.knownDays) / Exact(max(1, days.days))),
                    unit: "%"),
            ]
            facts += quotients(
                sides, divisor, "per_\(key)", "Per degree day, \(words.en)",
                "单位度日用电（\(words.zh)）", unit: "kWh/(K·d)")
            facts += quotients(
                sides, byArea(divisor), "per_area_\(key)", "Per m² and degree day, \(words.en)",
                "单位面积度日用电（\(words.zh)）", unit: "kWh/(m2·K·d)", places: 6)
            return facts
        }
    }

    private func personDays(_ sides: [Side]) -> [Fact] {
        let days = accounts.personDays(in: period)
        let unknown = LocalizedText(
            en: "the number of people is not known for all days", zh: "期间内人数不全")
        let divisor: Divisor =
            hasEnded
            ? days.flatMap { $0.isZero ? nil : .known($0, isScaled: false) } ?? .unknown(unknown)
            : .unknown(notEnded)
        return [
            fact(
                "person_days", "Person-days", "人·日", Print.number(days, missing: unknown),
                unit: "person·d")
        ]
            + quotients(
                sides, divisor, "per_person_day", "Per person-day", "人日均用电",
                unit: "kWh/(person·d)")
    }

    private func quotients(
        _ sides: [Side], _ divisor: Divisor, _ key: String, _ en: String, _ zh: String,
        unit: String, places: Int = Print.intensity
    ) -> [Fact] {
        sides.map { side in
            let cell: StatementDocument.Cell =
                switch divisor {
                case .unknown(let reason): .missing(reason)
                case .known(let by, let isScaled):
                    Print.number(
                        side.figure.amount.map { $0 / by }, places: places,
                        isEstimated: side.figure.isEstimated || isScaled)
                }
            return fact(
                "\(key)_\(side.key)", "\(en), \(side.en)", "\(zh)（\(side.zh)）", cell, unit: unit)
        }
    }

    private func divisor(_ days: DegreeDays) -> Divisor {
        guard hasEnded else { return .unknown(notEnded) }
        guard let value = days.value, let exact = ScaledInteger(rounding: value) else {
            return .unknown(unknown(days))
        }
        guard value > 0 else {
            return .unknown(
                LocalizedText(en: "no degree days in the period", zh: "期间内度日数为零"))
        }
        return .known(Exact(exact), isScaled: days.isScaled)
    }

    private func byArea(_ divisor: Divisor) -> Divisor {
        guard case .known(let days, let isScaled) = divisor else { return divisor }
        guard let area = plan.area(over: period), !area.isZero else {
            return .unknown(
                LocalizedText(en: "the area is not known for all days", zh: "期间内面积不全"))
        }
        return .known(days * area, isScaled: isScaled)
    }

    private var hasEnded: Bool { period.end(calendar: accounts.calendar) <= accounts.now }

    private var notEnded: LocalizedText {
        LocalizedText(en: "the period has not ended", zh: "期间尚未结束")
    }

    private func unknown(_ days: DegreeDays) -> LocalizedText {
        LocalizedText(
            en: "the temperature of \(days.days - days.knownDays) of \(days.days) days is unknown",
            zh: "\(days.days) 天中有 \(days.days - days.knownDays) 天气温未知")
    }

    private func words(_ base: DegreeDayBase) -> LocalizedText {
        switch base.kind {
        case .heating:
            LocalizedText(
                en: "heating below \(base.celsius) °C", zh: "采暖，基准 \(base.celsius) °C")
        case .cooling:
            LocalizedText(
                en: "cooling above \(base.celsius) °C", zh: "制冷，基准 \(base.celsius) °C")
        }
    }

    /// As the site's method has it for months; without a method none may be unknown.
    private var unknownDaysPercent: Exact {
        plan.baselines?.method.limits[.month]?.unknownDaysPercent ?? .zero
    }
}
