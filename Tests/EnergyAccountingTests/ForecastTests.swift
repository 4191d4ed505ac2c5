import EnergyAccounting
import Telemetry
import TestSeeds
import Testing

@Suite("The forecast to the end of a year")
struct ForecastTests {
    private let year = AccountingPeriod(year: 2025)!

    /// So many days from the first of a year, each as `value` has it; the index counts from 0.
    private func use(
        _ year: Int, days: Int, _ value: (Int) -> Exact?
    ) throws -> DailyUse {
        DailyUse(from: try Given.day("\(year)-01-01"), (0..<days).map(value))
    }

    private func forecast(
        _ use: DailyUse, through: String, lastYear: DailyUse? = nil,
        _ options: ForecastOptions = ForecastOptions()
    ) throws -> YearForecast {
        try YearForecaster(options)
            .forecast(year, use: use, through: try Given.day(through), lastYear: lastYear).get()
    }

    private func refusal(
        _ use: DailyUse, through: String, lastYear: DailyUse? = nil
    ) throws -> YearForecast.Refusal? {
        let result = YearForecaster()
            .forecast(year, use: use, through: try Given.day(through), lastYear: lastYear)
        if case .failure(let refusal) = result { return refusal }
        return nil
    }

    @Test("is the count itself, without any width, once every day is known")
    func counted() throws {
        let found = try forecast(
            try use(2025, days: 365) { Exact($0) }, through: "2025-12-31")
        #expect(found.method == .counted)
        #expect(found.expected == Exact(364 * 365 / 2))
        #expect(found.low == found.expected && found.high == found.expected)
        #expect(found.remainingDays == 0 && found.filledDays == 0 && found.knownDays == 365)
    }

    @Test("scales the rest of last year by how this year compares with the same days of it")
    func lastYear() throws {
        // Last year 10 each day to the end of June, then 30; this year 12 each day so far, so 6/5.
        // 181 days · 12 = 2172, and 184 days · 30 · 6/5 = 6624.
        let found = try forecast(
            try use(2025, days: 181) { _ in Exact(12) }, through: "2025-06-30",
            lastYear: try use(2024, days: 366) { Exact($0 < 182 ? 10 : 30) })
        #expect(found.method == .lastYear)
        #expect(found.actual == Exact(2172))
        #expect(found.remaining == Exact(6624))
        #expect(found.expected == Exact(8796))
        #expect(found.remainingDays == 184)
        // Six months with one and the same ratio have no spread.
        #expect(found.low == found.expected && found.high == found.expected)
    }

    @Test("has the width that Student's t gives for the spread of the months")
    func width() throws {
        // Months of 90, 100, 110 % of last year's hundred a day, then the rest of the year.
        let ratios = [90, 100, 110]
        let this = try use(2025, days: 90) { index in
            Exact(ratios[index < 31 ? 0 : index < 59 ? 1 : 2])
        }
        let last = try use(2024, days: 366) { _ in Exact(100) }
        let found = try forecast(this, through: "2025-03-31", lastYear: last)
        // (31·90 + 28·100 + 31·110) / 9000 = 1, and 275 days · 100 are to come.
        #expect(found.remaining == Exact(27_500))
        // s = 0.1, n = 3, t(2) = 1.886, k = 275 / (365/12) = 9.0411;
        // 1.886 · 0.1 · √(1/9.0411 + 1/3) · 27500 = 3455.7
        #expect(abs((found.high - found.expected).double - 3455.7) < 0.5)
        #expect(found.high - found.expected == found.expected - found.low)
        let wide = try forecast(
            this, through: "2025-03-31", lastYear: last, ForecastOptions(level: .percent95))
        // t(2) = 4.303 in place of 1.886.
        #expect(abs((wide.high - wide.expected).double - 7884.3) < 1)
    }

    @Test("takes no month for a ratio of which less than a week is known")
    func shortMonth() throws {
        // As above with six days of April at 300 %, which raise the ratio of the whole to 1.125.
        let this = try use(2025, days: 96) { index in
            Exact(index < 31 ? 90 : index < 59 ? 100 : index < 90 ? 110 : 300)
        }
        let last = try use(2024, days: 366) { _ in Exact(100) }
        let found = try forecast(this, through: "2025-04-06", lastYear: last)
        #expect(found.remaining.plainText == "30262.5")
        // 1.886 · 0.1 · √(1/8.8438 + 1/3) · 30262.5
        #expect(abs((found.high - found.expected).double - 3813.4) < 0.5)
    }

    @Test("takes no week for a ratio of which less than four days are known")
    func shortWeek() throws {
        // Each day 10, but in one week three days of 20 and four unknown. The full weeks have one
        // and the same ratio, and so no width.
        let this = try use(2025, days: 63) { index in
            (28..<35).contains(index) ? (index < 31 ? Exact(20) : nil) : Exact(10)
        }
        let found = try forecast(this, through: "2025-03-04")
        #expect(found.method == .recentWeeks)
        #expect(found.filledDays == 4)
        #expect(found.high == found.expected)
    }

    @Test("takes the weekdays of the last weeks where no year before is known")
    func recentWeeks() throws {
        // 2025-01-01 is a Wednesday. Workdays 10, weekends 3, for the 59 days to the end of
        // February; 306 days remain from Saturday, 1 March: 43 weeks of 56 and 5 days,
        // Saturday to Wednesday, of 3 + 3 + 10 + 10 + 10.
        let this = try use(2025, days: 59) { Exact([2, 3, 4, 5, 6, 0, 1][$0 % 7] < 5 ? 10 : 3) }
        #expect(try Given.day("2025-01-01").weekday == 3)
        let found = try forecast(this, through: "2025-02-28")
        #expect(found.method == .recentWeeks)
        #expect(found.remaining == Exact(43 * 56 + 36))
        #expect(found.low == found.expected && found.high == found.expected)
    }

    @Test("takes the weeks too where last year is known too little, or too few months compare")
    func fallsBack() throws {
        let this = try use(2025, days: 181) { Exact(10 + $0 % 3) }
        let sparse = try use(2024, days: 366) { $0 % 5 == 0 ? nil : Exact(10) }
        #expect(try forecast(this, through: "2025-06-30", lastYear: sparse).method == .recentWeeks)
        let whole = try use(2024, days: 366) { _ in Exact(10) }
        #expect(try forecast(this, through: "2025-06-30", lastYear: whole).method == .lastYear)
        let young = try use(2025, days: 59) { _ in Exact(10) }
        #expect(try forecast(young, through: "2025-02-28", lastYear: whole).method == .recentWeeks)
        let still = try use(2024, days: 366) { _ in .zero }
        #expect(try forecast(this, through: "2025-06-30", lastYear: still).method == .recentWeeks)
    }

    @Test("fills a day that passed unknown with the mean of its month, and counts it")
    func filled() throws {
        // January 10 a day, February 20 but for two days, March 40.
        let this = try use(2025, days: 90) { index in
            index < 31 ? Exact(10) : index < 59 ? (index < 33 ? nil : Exact(20)) : Exact(40)
        }
        let last = try use(2024, days: 366) { _ in Exact(20) }
        let found = try forecast(this, through: "2025-03-31", lastYear: last)
        #expect(found.actual == Exact(310 + 26 * 20 + 31 * 40))
        #expect(found.filledDays == 2)
        #expect(found.filled == Exact(40))
        #expect(found.knownDays == 88)
        #expect(found.expected == found.actual + found.filled + found.remaining)
    }

    @Test("tells how many days of last year were filled")
    func filledLastYear() throws {
        let this = try use(2025, days: 181) { _ in Exact(10) }
        let last = try use(2024, days: 366) { $0 < 10 ? nil : Exact(10) }
        let found = try forecast(this, through: "2025-06-30", lastYear: last)
        #expect(found.filledDaysOfLastYear == 10)
        #expect(found.remaining == Exact(1840))
    }

    @Test("refuses, and says why, when too little is known")
    func refusals() throws {
        let few = try use(2025, days: 27) { _ in Exact(10) }
        #expect(
            try refusal(few, through: "2025-01-27") == .tooFewDays(known: 27, needed: 28))
        let enough = try use(2025, days: 28) { _ in Exact(10) }
        #expect(try refusal(enough, through: "2025-01-28") == nil)
        #expect(
            try refusal(enough, through: "2025-02-26") == .mostlyUnknown(known: 28, elapsed: 57))
        #expect(try refusal(enough, through: "2025-02-25") == nil)
        let nothing = try use(2025, days: 60) { _ in .zero }
        #expect(try refusal(nothing, through: "2025-03-01") == .noSpread)
        #expect(try refusal(few, through: "2020-01-01") == .tooFewDays(known: 0, needed: 28))
        let long = try Given.period("2025-01-01..2027-01-01")
        let result = YearForecaster().forecast(
            long, use: enough, through: try Given.day("2025-01-28"))
        #expect(throws: YearForecast.Refusal.tooLong) { try result.get() }
        #expect(
            YearForecast.Refusal.tooFewDays(known: 3, needed: 28).text.en
                == "only 3 days are known, and 28 are needed")
    }

    @Test("does not expect less than was counted, unless days are below nought")
    func floor() throws {
        // A year that goes up and down wildly, with one day to come.
        let this = try use(2025, days: 364) { Exact($0 / 30 % 2 == 0 ? 1 : 1000) }
        let last = try use(2024, days: 366) { _ in Exact(10) }
        let found = try forecast(this, through: "2025-12-30", lastYear: last)
        #expect(found.low == found.actual)
        #expect(found.high > found.expected)
        let net = try use(2025, days: 364) { Exact($0 / 30 % 2 == 0 ? -1 : 1000) }
        let other = try forecast(net, through: "2025-12-30", lastYear: last)
        #expect(other.low < other.actual)
    }

    @Test("gives the 29th of February the 28th of a year before that has none")
    func leapYear() throws {
        let last = try use(2023, days: 365) { Exact($0) }
        let shape = try #require(
            YearShape(of: last, for: AccountingPeriod(year: 2024)!, leastShare: .one))
        #expect(shape.values.count == 366)
        #expect(Array(shape.values[57...60]) == [57, 58, 58, 59].map { Exact($0) })
        #expect(shape.filledDays == 0)
    }

    @Test("holds its point in its interval and adds up, whatever the days are")
    func property() throws {
        var random = SeededGenerator(77)
        var methods: Set<YearForecast.Method> = []
        for _ in 0..<150 {
            let elapsed = Int.random(in: 28...365, using: &random)
            let holes = Int.random(in: 2...30, using: &random)
            let top = [1, 100, 1_000_000][Int.random(in: 0..<3, using: &random)]
            let bottom = random.oneIn(4) ? -top / 3 : 0
            func days(_ count: Int, holes: Int) -> [Exact?] {
                (0..<count).map { _ in
                    random.oneIn(holes) ? nil : Exact(decimal: random.decimal(bottom...top))
                }
            }
            let this = DailyUse(
                from: try Given.day("2025-01-01"), days(elapsed, holes: holes))
            let last = DailyUse(
                from: try Given.day("2024-01-01"), days(366, holes: holes * 4))
            let result = YearForecaster().forecast(
                year, use: this,
                through: try Given.day("2025-01-01").advanced(days: elapsed - 1),
                lastYear: random.oneIn(3) ? nil : last)
            guard case .success(let found) = result else { continue }
            methods.insert(found.method)
            #expect(found.low <= found.expected && found.expected <= found.high)
            #expect(found.expected == found.actual + found.filled + found.remaining)
            #expect(found.knownDays + found.filledDays + found.remainingDays == 365)
            #expect(found.actual == this.values.compactMap { $0 }.reduce(.zero, +))
        }
        #expect(methods.isSuperset(of: [.lastYear, .recentWeeks]))
    }

    @Test("survives absurd figures")
    func absurd() throws {
        let huge = try #require(Exact(text: "999999999999999999999999999999999999"))
        let this = try use(2025, days: 100) { $0 % 2 == 0 ? huge : Exact(1, over: 999_999_937) }
        let result = YearForecaster().forecast(
            year, use: this, through: try Given.day("2025-04-10"), lastYear: this)
        #expect(throws: YearForecast.Refusal.beyondRange) { try result.get() }
        // A year before with such a day is no year to compare with.
        let sane = try use(2025, days: 100) { _ in Exact(10) }
        let mad = try use(2024, days: 366) { $0 == 9 ? huge : Exact(10) }
        #expect(
            try forecast(sane, through: "2025-04-10", lastYear: mad).method == .recentWeeks)
    }
}
