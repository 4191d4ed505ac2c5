import Telemetry

/// Forecasts the end of a year from its days so far:
///
///     known days ─▶ sum ────────────────────────────────────────────┐
///     unknown days that passed ─▶ mean of their month ──────────────┤
///     days to come ─┬ a year before, 3 months to compare: its rest  ├─▶ expected ± half the width
///                   │ × (this year so far / the same days of it)    │
///                   └ else: mean of each weekday in the last weeks ─┘
///
/// The spread of n ratios (month by month, or week by week) with the sample deviation s gives the
/// half width t(n − 1) · s · √(1/k + 1/n) · A, where A is all that was not counted and k the months
/// or weeks that it spans: the prediction of a mean of k from a mean of n.
package struct YearForecaster: Sendable {
    package var options: ForecastOptions

    package init(_ options: ForecastOptions = ForecastOptions()) { self.options = options }

    /// - Parameters:
    ///   - period: the year; any period of at most 367 days.
    ///   - use: its days so far; days before its first are unknown.
    ///   - through: the last day that has passed.
    ///   - lastYear: the days of the year before, as far as there are any.
    package func forecast(
        _ period: AccountingPeriod, use: DailyUse, through: CivilDate, lastYear: DailyUse? = nil
    ) -> Result<YearForecast, YearForecast.Refusal> {
        guard period.days <= YearShape.longestPeriod else { return .failure(.tooLong) }
        guard !use.isBeyondRange else { return .failure(.beyondRange) }
        let days = SeenDays(period, use, through)
        if days.knownCount == period.days { return .success(counted(days)) }
        guard days.knownCount >= options.leastDays else {
            return .failure(.tooFewDays(known: days.knownCount, needed: options.leastDays))
        }
        guard days.knownCount * 2 >= days.seen.count else {
            return .failure(.mostlyUnknown(known: days.knownCount, elapsed: days.seen.count))
        }
        let shape = lastYear.flatMap {
            YearShape(of: $0, for: period, leastShare: options.leastShareOfLastYear)
        }
        guard let rest = shape.flatMap({ byLastYear(days, $0) }) ?? byRecentWeeks(days) else {
            return .failure(.noSpread)
        }
        return assembled(days, rest)
    }

    /// What is expected of the days to come, and the ratios that say how sure that is.
    private struct Rest {
        var method: YearForecast.Method
        var amount: Exact
        var ratios: [Double]
        /// The days that one ratio stands for.
        var daysPerRatio: Double
        var filledDaysOfLastYear = 0
    }

    private func counted(_ days: SeenDays) -> YearForecast {
        YearForecast(
            method: .counted, period: days.period, through: days.through, level: options.level,
            actual: days.actual, knownDays: days.knownCount, filled: .zero, filledDays: 0,
            remaining: .zero, remainingDays: 0, filledDaysOfLastYear: 0, expected: days.actual,
            low: days.actual, high: days.actual)
    }

    private func assembled(
        _ days: SeenDays, _ rest: Rest
    ) -> Result<YearForecast, YearForecast.Refusal> {
        let uncounted = days.filling.filled + rest.amount
        let spans =
            Double(days.filling.days + days.remainingCount) / rest.daysPerRatio
        let width =
            options.level.quantile(freedom: rest.ratios.count - 1)
            * Self.deviation(rest.ratios)
            * (1 / spans + 1 / Double(rest.ratios.count)).squareRoot()
            * uncounted.magnitude.double
        guard let half = Exact(nearest: width) else { return .failure(.beyondRange) }
        let expected = days.actual + uncounted
        // Nobody gives back what was counted, unless the days themselves go below nought.
        let floor = days.hasNegative || expected < days.actual ? nil : days.actual
        let low = expected - half
        return .success(
            YearForecast(
                method: rest.method, period: days.period, through: days.through,
                level: options.level, actual: days.actual, knownDays: days.knownCount,
                filled: days.filling.filled, filledDays: days.filling.days, remaining: rest.amount,
                remainingDays: days.remainingCount,
                filledDaysOfLastYear: rest.filledDaysOfLastYear, expected: expected,
                low: floor.map { max($0, low) } ?? low, high: expected + half))
    }

    // MARK: By the year before

    /// Months of which both years are known for a week at least; fewer than three say too little.
    private static let leastMonths = 3
    private static let leastDaysOfMonth = 7

    private func byLastYear(_ days: SeenDays, _ shape: YearShape) -> Rest? {
        var months: [Int: (this: Exact, last: Exact, days: Int)] = [:]
        var (this, last) = (Exact.zero, Exact.zero)
        for (index, value) in days.seen.enumerated() where shape.isKnown[index] {
            guard let value else { continue }
            this += value
            last += shape.values[index]
            var month = months[days.months[index], default: (.zero, .zero, 0)]
            month = (month.this + value, month.last + shape.values[index], month.days + 1)
            months[days.months[index]] = month
        }
        guard last > .zero, this >= .zero else { return nil }
        let ratios = months.sorted { $0.key < $1.key }.map(\.value)
            .filter { $0.days >= Self.leastDaysOfMonth && $0.last > .zero }
            .map { ($0.this / $0.last).double }
        guard ratios.count >= Self.leastMonths else { return nil }
        let ahead = shape.values[days.seen.count...].reduce(Exact.zero, +)
        return Rest(
            method: .lastYear, amount: ahead * this / last, ratios: ratios,
            daysPerRatio: 365.0 / 12, filledDaysOfLastYear: shape.filledDays)
    }

    // MARK: By the last weeks

    /// Weeks of which four days at least are known; fewer than three say too little.
    private static let leastWeeks = 3
    private static let leastDaysOfWeek = 4

    private func byRecentWeeks(_ days: SeenDays) -> Rest? {
        let first = max(0, days.seen.count - options.weeks * 7)
        let window = Array(first..<days.seen.count)
        var means = Array(repeating: (sum: Exact.zero, count: 0), count: 8)
        for index in window {
            guard let value = days.seen[index] else { continue }
            // Place 0 is for all weekdays, and stands in for one that is never known.
            for place in [0, days.weekday(index)] {
                means[place] = (means[place].sum + value, means[place].count + 1)
            }
        }
        guard means[0].count >= options.leastDays else { return nil }
        func mean(_ weekday: Int) -> Exact {
            let one = means[weekday].count > 0 ? means[weekday] : means[0]
            return one.sum / Exact(one.count)
        }
        var ratios: [Double] = []
        for end in stride(from: days.seen.count, to: first, by: -7) {
            let week = (max(first, end - 7)..<end).filter { days.seen[$0] != nil }
            let usual = week.reduce(Exact.zero) { $0 + mean(days.weekday($1)) }
            guard week.count >= Self.leastDaysOfWeek, usual > .zero else { continue }
            let sum = week.reduce(Exact.zero) { $0 + (days.seen[$1] ?? .zero) }
            ratios.append((sum / usual).double)
        }
        guard ratios.count >= Self.leastWeeks else { return nil }
        let ahead = (days.seen.count..<days.period.days).reduce(Exact.zero) {
            $0 + mean(days.weekday($1))
        }
        return Rest(method: .recentWeeks, amount: ahead, ratios: ratios, daysPerRatio: 7)
    }

    /// The sample deviation, in the unit of the values.
    private static func deviation(_ values: [Double]) -> Double {
        guard values.count > 1 else { return 0 }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }
}

/// The days of a period that have passed, known or not.
private struct SeenDays {
    let period: AccountingPeriod
    /// The last of them, not after the period.
    let through: CivilDate
    /// One for each.
    let seen: [Exact?]
    /// The month of each.
    let months: [Int]
    let filling: FilledDays
    let actual: Exact
    let knownCount: Int
    let hasNegative: Bool

    init(_ period: AccountingPeriod, _ use: DailyUse, _ through: CivilDate) {
        self.period = period
        self.through = min(through, period.last)
        let count = max(0, min(through.dayNumber - period.first.dayNumber + 1, period.days))
        let days = (0..<count).map { period.first.advanced(days: $0) }
        seen = days.map { use[$0] }
        months = days.map(\.month)
        filling = FilledDays(seen, months: months)
        let known = seen.compactMap { $0 }
        actual = known.reduce(.zero, +)
        knownCount = known.count
        hasNegative = known.contains(where: \.isNegative)
    }

    var remainingCount: Int { period.days - seen.count }

    /// 1 is Monday; of days to come too.
    func weekday(_ index: Int) -> Int { period.first.advanced(days: index).weekday }
}

extension Exact {
    /// The decimal of nine places next to a double; nil when it is not finite or above 10¹⁸.
    fileprivate init?(nearest value: Double) {
        guard let decimal = ScaledInteger(rounding: value) else { return nil }
        self.init(decimal)
    }
}
