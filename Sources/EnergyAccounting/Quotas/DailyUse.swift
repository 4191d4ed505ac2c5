/// What was used day by day, from one civil day on; a day of which nothing is known has no value.
package struct DailyUse: Hashable, Sendable {
    package var first: CivilDate
    /// One for each day, in the unit of whatever is judged.
    package var values: [Exact?]

    /// - Parameter values: from `first` on, one for each day, nil where nothing is known.
    package init(from first: CivilDate, _ values: [Exact?]) {
        self.first = first
        self.values = values
    }

    /// Above this no site's day lies, and sums of such figures would lose their last digits.
    static let largest = Exact(1_000_000_000_000_000)

    /// Whether a day's figure is beyond any site's.
    var isBeyondRange: Bool { values.contains { ($0?.magnitude ?? .zero) > Self.largest } }

    /// nil where nothing is known, which is so outside of the days too.
    package subscript(day: CivilDate) -> Exact? {
        let index = day.dayNumber - first.dayNumber
        return values.indices.contains(index) ? values[index] : nil
    }
}

/// The days of a year as the year before had them: one value for each day of the period.
///
/// The 29th of February is given the 28th of the year before. Days of which nothing is known are
/// filled with the mean of the known days of their month, else of all.
package struct YearShape: Hashable, Sendable {
    package let period: AccountingPeriod
    /// One for each day of the period; filled, so without holes.
    package let values: [Exact]
    /// Which of them were known.
    package let isKnown: [Bool]

    /// - Parameter leastShare: of the days that have to be known, 0 to 1.
    /// - Returns: nil when fewer are known, when the period is longer than a year, and when a
    ///   figure is beyond any site's.
    package init?(of use: DailyUse, for period: AccountingPeriod, leastShare: Exact) {
        guard period.days <= Self.longestPeriod, !use.isBeyondRange else { return nil }
        let days = (0..<period.days).map { period.first.advanced(days: $0) }
        let before: [Exact?] = days.map { day in
            let same =
                CivilDate(year: day.year - 1, month: day.month, day: day.day)
                ?? CivilDate(year: day.year - 1, month: day.month, day: day.day - 1)
            return same.flatMap { use[$0] }
        }
        let known = before.count { $0 != nil }
        guard known > 0, Exact(known) >= leastShare * Exact(period.days) else { return nil }
        self.period = period
        isKnown = before.map { $0 != nil }
        values = FilledDays(before, months: days.map(\.month)).values
    }

    /// A year with a day to spare; nothing longer is forecast.
    static let longestPeriod = 367

    /// How many days had to be filled.
    package var filledDays: Int { isKnown.count { !$0 } }

    /// The share of the year's use that fell on its days through `last`; nil without any use.
    ///
    /// It is the seasonal part of a glide path: an office of the south has used more than half by
    /// the end of a hot August.
    package func share(through last: CivilDate) -> Exact? {
        let elapsed = max(0, min(last.dayNumber - period.first.dayNumber + 1, values.count))
        let total = values.reduce(Exact.zero, +)
        guard total > .zero else { return nil }
        return values[..<elapsed].reduce(Exact.zero, +) / total
    }
}

/// Days with their holes filled: with the mean of the known days of the same month, else of all.
struct FilledDays {
    let values: [Exact]
    /// What was put in, and on how many days.
    let filled: Exact
    let days: Int

    /// - Parameter months: the month of each value.
    init(_ given: [Exact?], months: [Int]) {
        var sums: [Int: (sum: Exact, count: Int)] = [:]
        var all = (sum: Exact.zero, count: 0)
        for (value, month) in zip(given, months) {
            guard let value else { continue }
            sums[month, default: (.zero, 0)].sum += value
            sums[month, default: (.zero, 0)].count += 1
            all = (all.sum + value, all.count + 1)
        }
        var (filled, days) = (Exact.zero, 0)
        values = zip(given, months).map { value, month in
            if let value { return value }
            let (sum, count) = sums[month] ?? all
            let mean = count == 0 ? .zero : sum / Exact(count)
            filled += mean
            days += 1
            return mean
        }
        self.filled = filled
        self.days = days
    }
}
