import EnergyAccounting
import Telemetry
import TestSeeds
import Testing

@Suite("Exact numbers")
struct ExactTests {
    @Test(
        "are rounded half to even, once, where they are printed",
        arguments: [
            ("0.125", 2, "0.12"), ("0.135", 2, "0.14"), ("-0.125", 2, "-0.12"),
            ("-0.135", 2, "-0.14"), ("2.5", 0, "2"), ("3.5", 0, "4"), ("-0.004", 2, "0.00"),
            ("0.0050000001", 2, "0.01"), ("1234", 3, "1234.000"), ("0.05", 1, "0.0"),
        ])
    func rounding(text: String, places: Int, printed: String) throws {
        #expect(try #require(Exact(text: text)).text(places: places) == printed)
    }

    @Test("a third and two thirds are one")
    func thirds() {
        let third = Exact(1, over: 3)
        #expect(third + third * Exact(2) == .one)
        #expect(third.text(places: 4) == "0.3333")
        #expect(Exact(-2, over: -6) == third)
        #expect(Exact(2, over: -6) == -third)
        #expect(-third < .zero && .zero < third && third < .one)
    }

    @Test(
        "are read as they are written, and nothing else is",
        arguments: ["", "-", "1e5", "1,5", "0x10", "1.2.3", " 1", "1_000", "٣"])
    func refused(text: String) { #expect(Exact(text: text) == nil) }

    @Test("a decimal comes back with its digits")
    func decimals() throws {
        var random = SeededGenerator(7)
        for _ in 0..<500 {
            let digits = Int64.random(in: -9_999_999_999...9_999_999_999, using: &random)
            let decimal = ScaledInteger(mantissa: Int128(digits), exponent: 6)
            let exact = Exact(decimal)
            #expect(exact.rounded(places: 6).mantissa == Int128(digits))
            #expect(Exact(ScaledInteger(exact)) == exact)
            #expect(Exact(text: exact.text(places: 6)) == exact)
        }
    }

    @Test("sums do not depend on the order, whatever the denominators")
    func order() {
        var random = SeededGenerator(11)
        for _ in 0..<200 {
            let numbers = (0..<12).map { _ in
                Exact(
                    Int128(Int64.random(in: -1_000_000...1_000_000, using: &random)),
                    over: Int128(Int.random(in: 1...400, using: &random)))
            }
            let sum = numbers.reduce(Exact.zero, +)
            #expect(numbers.shuffled(using: &random).reduce(Exact.zero, +) == sum)
            #expect(sum - numbers.reversed().reduce(Exact.zero, +) == .zero)
        }
    }

    @Test("beyond 127 bits the last digits go, and nothing traps")
    func overflow() {
        let huge = Exact(Int128.max / 2, over: 3)
        let ratio = Exact(1_000_003, over: 999_983)
        let product = huge * ratio
        let expected = Double(Int128.max / 2) / 3 * 1_000_003 / 999_983
        #expect((product.double / expected - 1).magnitude < 1e-14)
        let small = huge + Exact(1, over: Int128.max)
        #expect((small.double / huge.double - 1).magnitude < 1e-15)
        // What is far beyond any figure is the greatest there is.
        #expect(huge * huge == Exact(Int128.max, over: 1))
        #expect(-huge * huge == Exact(-Int128.max, over: 1))
    }
}

@Suite("Accounting periods")
struct AccountingPeriodTests {
    @Test(
        "are read and written the same",
        arguments: ["2026", "2026-03", "2026-03-01", "2026-03-01..2026-03-15"])
    func labels(text: String) { #expect(AccountingPeriod(text)?.label == text) }

    @Test(
        "what is no period is refused",
        arguments: [
            "", "26", "2026-13", "2026-3", "2026-02-30", "2026-03-15..2026-03-01", "2026-03-01..",
            "..", "2026-", "-2026", "2026-03-01...2026-03-02", "２０２６",
        ])
    func refused(text: String) { #expect(AccountingPeriod(text) == nil) }

    @Test(
        "have the one before and the same a year before",
        arguments: [
            ("2026", "2025", "2025"), ("2026-01", "2025-12", "2025-01"),
            ("2026-03-01", "2026-02-28", "2025-03-01"),
            ("2024-02-29", "2024-02-28", "2023-02-28"),
            ("2026-03-01..2026-03-15", "2026-02-14..2026-02-28", "2025-03-01..2025-03-15"),
        ])
    func neighbours(text: String, before: String, year: String) throws {
        let period = try #require(AccountingPeriod(text))
        #expect(period.before.label == before)
        #expect(period.yearBefore.label == year)
    }

    @Test("a year has its months, and a span the months that it touches")
    func months() throws {
        #expect(AccountingPeriod("2026")?.months.count == 12)
        let span = try #require(AccountingPeriod("2025-11-30..2026-02-01"))
        #expect(span.months.map(\.label) == ["2025-11", "2025-12", "2026-01", "2026-02"])
        #expect(span.days == 64)
    }

    @Test("days know their weekday")
    func weekdays() throws {
        #expect(CivilDate("1970-01-01")?.weekday == 4)
        #expect(CivilDate("2026-11-22")?.weekday == 7)
        #expect(CivilDate("2026-11-23")?.weekday == 1)
        #expect(CivilDate("1969-12-31")?.weekday == 3)
    }

    @Test("a value that changes on a day has the mean of the days, or none")
    func steps() throws {
        func day(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }
        let area = DatedSteps([
            .init(from: try day("2026-03-11"), value: Exact(6000)),
            .init(from: try day("2026-01-01"), value: Exact(3000)),
        ])
        #expect(area.value(on: try day("2025-12-31")) == nil)
        #expect(area.value(on: try day("2026-03-10")) == Exact(3000))
        let march = try #require(AccountingPeriod("2026-03"))
        #expect(area.mean(over: march) == Exact(10 * 3000 + 21 * 6000, over: 31))
        #expect(area.mean(over: try #require(AccountingPeriod("2025"))) == nil)
        #expect(area.mean(over: try #require(AccountingPeriod("2026-04"))) == Exact(6000))
    }
}

@Suite("The slots of the accounts")
struct CountGridTests {
    /// Central European time in 2026.
    private let berlin = SiteCalendar(
        zone: "Europe/Berlin", initialOffset: 3600,
        transitions: [
            .init(at: Timestamp(milliseconds: 1_774_746_000_000), offset: 7200),
            .init(at: Timestamp(milliseconds: 1_792_890_000_000), offset: 3600),
        ])

    @Test(
        "a day has 24 hours, and where the clocks change 23 or 25",
        arguments: [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25), ("2026", 8760)])
    func hours(period: String, count: Int) throws {
        let period = try #require(AccountingPeriod(period))
        let grid = CountGrid(.hour, of: period, calendar: berlin)
        #expect(grid.count == count)
        #expect(grid.bounds.first == period.start(calendar: berlin))
        #expect(grid.bounds.last == period.end(calendar: berlin))
        for slot in stride(from: 0, to: grid.count, by: 7) {
            #expect(grid.slot(of: grid.start(slot)) == slot)
            #expect(grid.slot(of: grid.end(slot) - .milliseconds(1)) == slot)
        }
        #expect(grid.slot(of: grid.bounds[0] - .milliseconds(1)) == nil)
        #expect(grid.slot(of: period.end(calendar: berlin)) == nil)
    }

    @Test("the slots of a month are those that begin in it")
    func ranges() throws {
        let year = CountGrid(.hour, of: try #require(AccountingPeriod("2026")), calendar: berlin)
        var reached = 0
        for month in try #require(AccountingPeriod("2026")).months {
            let slots = year.slots(
                from: month.start(calendar: berlin), to: month.end(calendar: berlin))
            #expect(slots.lowerBound == reached)
            reached = slots.upperBound
        }
        #expect(reached == year.count)
    }
}
