import Telemetry

/// What a year is expected to come to, with an interval and how it was found.
package struct YearForecast: Hashable, Sendable {
    /// How the rest of the year was found.
    package enum Method: String, Hashable, Sendable {
        /// Every day has passed and is known.
        case counted
        /// The rest of the year before, scaled by how this year so far compares with it.
        case lastYear = "last-year"
        /// The mean of each weekday in the last weeks; it sees no seasons.
        case recentWeeks = "recent-weeks"

        package var text: LocalizedText {
            switch self {
            case .counted: LocalizedText(en: "every day is counted", zh: "全部按实计量")
            case .lastYear:
                LocalizedText(
                    en: "the rest of last year, scaled by this year so far",
                    zh: "按本年至今与上年同期之比推算上年剩余天数")
            case .recentWeeks:
                LocalizedText(
                    en: "the weekdays of the last weeks; it sees no seasons",
                    zh: "按近几周各星期日均值推算，不含季节变化")
            }
        }
    }

    /// Why there is no forecast.
    package enum Refusal: Error, Hashable, Sendable {
        case tooFewDays(known: Int, needed: Int)
        /// Of the days that have passed more are unknown than known.
        case mostlyUnknown(known: Int, elapsed: Int)
        /// Nothing was used, or the weeks give no spread.
        case noSpread
        /// The period is longer than a year.
        case tooLong
        /// A figure lies beyond what a site uses.
        case beyondRange

        package var text: LocalizedText {
            switch self {
            case .tooFewDays(let known, let needed):
                LocalizedText(
                    en: "only \(known) days are known, and \(needed) are needed",
                    zh: "仅有\(known)天数据，至少需要\(needed)天")
            case .mostlyUnknown(let known, let elapsed):
                LocalizedText(
                    en: "only \(known) of \(elapsed) days are known",
                    zh: "已过\(elapsed)天中仅有\(known)天数据")
            case .noSpread:
                LocalizedText(
                    en: "the weeks so far say nothing of the rest", zh: "近几周数据不足以推算")
            case .tooLong:
                LocalizedText(en: "the period is longer than a year", zh: "期间超过一年")
            case .beyondRange:
                LocalizedText(en: "the figures are beyond any site's", zh: "数值超出合理范围")
            }
        }
    }

    package var method: Method
    package var period: AccountingPeriod
    /// The last day that was counted.
    package var through: CivilDate
    package var level: IntervalLevel
    /// The sum of the known days.
    package var actual: Exact
    package var knownDays: Int
    /// What was put in for the days that passed unknown, at the mean of their month.
    package var filled: Exact
    package var filledDays: Int
    /// What is expected of the days to come.
    package var remaining: Exact
    package var remainingDays: Int
    /// Days of the year before that were filled; 0 with the other methods.
    package var filledDaysOfLastYear: Int
    /// `actual` + `filled` + `remaining`.
    package var expected: Exact
    /// The ends of the interval, which holds `expected`.
    package var low: Exact
    package var high: Exact
}

/// What a forecast asks of its days. These are figures of statistics, not of law.
package struct ForecastOptions: Hashable, Sendable {
    package var level: IntervalLevel
    /// Days of this year that have to be known.
    package var leastDays: Int
    /// Share of the days of the year before that has to be known, 0 to 1.
    package var leastShareOfLastYear: Exact
    /// Weeks that the weekdays are taken from.
    package var weeks: Int

    /// - Parameters: `leastDays` is raised to 1, and `weeks` is kept within 4 to 52.
    package init(
        level: IntervalLevel = .percent80, leastDays: Int = 28,
        leastShareOfLastYear: Exact = Exact(9, over: 10), weeks: Int = 8
    ) {
        self.level = level
        self.leastDays = max(1, leastDays)
        self.leastShareOfLastYear = leastShareOfLastYear
        self.weeks = max(4, min(weeks, 52))
    }
}

/// How often the interval holds the truth, if the spread so far goes on.
package enum IntervalLevel: Int, Hashable, Sendable {
    case percent80 = 80
    case percent95 = 95

    /// Student's t, two-sided, for 1 to 12 degrees of freedom.
    ///
    /// Beyond 12 the last is used, which makes the interval a little wider than it needs to be.
    func quantile(freedom: Int) -> Double {
        let table = self == .percent80 ? Self.student80 : Self.student95
        return table[max(0, min(freedom - 1, table.count - 1))]
    }

    private static let student80 = [
        3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356,
    ]
    private static let student95 = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
    ]
}
