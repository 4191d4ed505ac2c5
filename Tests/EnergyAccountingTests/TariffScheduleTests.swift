import EnergyAccounting
import LocatedText
import Telemetry
import TestSeeds
import Testing

private typealias Texts = TariffTestTexts

@Suite("Tariff schedules")
struct TariffScheduleTests {
    /// The hour from 2 to 3, which the clocks of Europe skip in spring and repeat in autumn, has a
    /// band of its own.
    private static let early = """
        bands:
          - { band: night, title: { en: Night, zh: 夜 }, price: 1 CNY/kWh }
          - { band: early, title: { en: Early, zh: 凌晨 }, price: 10 CNY/kWh }
          - { band: day, title: { en: Day, zh: 日 }, price: 100 CNY/kWh }
        times: [{ hours: { night: [00:00-02:00, 03:00-06:00], early: 02:00-03:00, day: 06:00-24:00 } }]
        """

    /// The names of the bands, slot by slot; `-` and the gap where there is none.
    private func names(
        _ book: TariffBook, _ resolution: Resolution, _ period: String, _ calendar: SiteCalendar
    ) throws -> [String] {
        let period = try #require(AccountingPeriod(period))
        let schedule = book.schedule(
            for: CountGrid(resolution, of: period, calendar: calendar), calendar: calendar)
        return (0..<schedule.grid.count).map { slot in
            switch schedule[slot] {
            case .priced(let part): book.tables[part.table].bands[part.band].name
            case .unpriced(let gap): "-\(gap)"
            }
        }
    }

    private func tally(_ names: [String]) -> [String: Int] {
        names.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    @Test(
        "price each real hour of a day on which the clocks change by the hour that they show",
        arguments: [
            ("2026-03-28", ["night": 5, "early": 1, "day": 18]),
            ("2026-03-29", ["night": 5, "day": 18]),
            ("2026-10-25", ["night": 5, "early": 2, "day": 18]),
        ])
    func clockChange(day: String, hours: [String: Int]) throws {
        let book = try Texts.book(Self.early, price: "")
        let names = try names(book, .hour, day, Texts.berlin)
        #expect(tally(names) == hours)
        let quarters = try self.names(book, .quarterHour, day, Texts.berlin)
        #expect(tally(quarters) == hours.mapValues { $0 * 4 })
    }

    @Test("give hours of half-hour zones their bands, and quarters too")
    func halfHourZone() throws {
        let india = SiteCalendar(zone: "Asia/Kolkata", initialOffset: 19_800)
        let book = try Texts.book(Self.early, price: "")
        let hours = ["night": 5, "early": 1, "day": 18]
        #expect(tally(try names(book, .hour, "2026-05-05", india)) == hours)
        let quarters = tally(try names(book, .quarterHour, "2026-05-05", india))
        #expect(quarters == hours.mapValues { $0 * 4 })
    }

    @Test("leave a slot without a price in which the band changes, and price its quarters")
    func edgeInside() throws {
        let book = try Texts.book(
            """
            bands: [{ band: peak, price: 1 CNY/kWh }, { band: valley, price: 0.5 CNY/kWh }]
            times: [{ hours: { peak: 08:00-12:30, valley: 12:30-08:00 } }]
            """, price: "")
        #expect(book.needsQuarters)
        let hours = try names(book, .hour, "2026-05-05", Texts.shanghai)
        #expect(hours[11] == "peak")
        #expect(hours[12] == "-edgeInside")
        #expect(hours[13] == "valley")
        #expect(tally(hours) == ["peak": 4, "valley": 19, "-edgeInside": 1])
        let quarters = try names(book, .quarterHour, "2026-05-05", Texts.shanghai)
        #expect(tally(quarters) == ["peak": 18, "valley": 78])
        #expect(quarters[48...51].elementsEqual(["peak", "peak", "valley", "valley"]))
    }

    @Test("have no price before the first table and behind the last")
    func noTable() throws {
        let text = Texts.works.replacing(
            "from: 2026-07-01", with: "from: 2026-07-01\n    until: 2026-07-02")
        let book = try TariffFile.parse(text, file: "t.yaml")
        let before = try names(book, .hour, "2025-12-31..2026-01-01", Texts.shanghai)
        #expect(tally(before) == ["-noTable": 24, "valley": 24])
        let after = try names(book, .hour, "2026-06-30..2026-07-04", Texts.shanghai)
        #expect(tally(after) == ["peak": 14, "valley": 10, "all": 48, "-noTable": 48])
    }

    @Test("have no price where it depends on holidays that nobody has stated")
    func unknownDays() throws {
        let text = Texts.works.replacing("until: 2026-06-30", with: "until: 2027-06-30")
            .replacing("from: 2026-07-01", with: "from: 2027-07-01")
        let book = try TariffFile.parse(text, file: "t.yaml")
        let names = try names(book, .hour, "2026-12-31..2027-01-01", Texts.shanghai)
        #expect(tally(names) == ["peak": 14, "valley": 10, "-dayUnknown": 24])
        #expect(tally(try self.names(book, .hour, "2027-08-01", Texts.shanghai)) == ["all": 24])
    }

    @Test("price days of unknown kind in a season whose days are all alike")
    func alikeInSeason() throws {
        let book = try Texts.book(
            """
            bands: [{ band: peak, price: 1 CNY/kWh }, { band: valley, price: 0.5 CNY/kWh }]
            seasons: [{ season: summer, months: [7] }, { season: rest, other: true }]
            times:
              - { seasons: summer, hours: { peak: 00:00-24:00 } }
              - { seasons: rest, days: [working-day, weekend], hours: { peak: 00:00-24:00 } }
              - { seasons: rest, days: holiday, hours: { valley: 00:00-24:00 } }
            """,
            days: "days: { weekend: sun, known: 2026, source: s, status: example }", price: "")
        #expect(
            tally(try names(book, .hour, "2027-06-30..2027-07-01", Texts.shanghai)) == [
                "-dayUnknown": 24, "peak": 24,
            ])
    }

    @Test("agree with a look at the clock at every quarter, whatever the zone", arguments: 1...30)
    func clock(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        // Two changes of the clocks at some hour of 2026, by a quarter to two hours.
        var offset = Int.random(in: -48...56, using: &random) * 900
        var transitions: [SiteCalendar.Transition] = []
        let initial = offset
        for month in [4, 9] {
            offset +=
                Int.random(in: 1...8, using: &random) * (Bool.random(using: &random) ? 900 : -900)
            let at = Texts.instant(
                2026, month, Int.random(in: 1...28, using: &random),
                Int.random(in: 0...23, using: &random))
            transitions.append(.init(at: at, offset: offset))
        }
        let calendar = SiteCalendar(zone: "X", initialOffset: initial, transitions: transitions)
        let book = try TariffFile.parse(
            Texts.works.replacing("08:00", with: "08:45").replacing("22:00", with: "21:30"),
            file: "t.yaml")
        let period = try #require(AccountingPeriod("2025-12-15..2026-10-31"))
        let grid = CountGrid(.quarterHour, of: period, calendar: calendar)
        let schedule = book.schedule(for: grid, calendar: calendar)
        var wrong = 0
        for slot in 0..<grid.count {
            let civil = calendar.civil(grid.start(slot))
            let expected: String
            switch (civil.year, civil.month) {
            case (2025, _): expected = "none"
            case (_, 7...): expected = "all"
            default:
                let date = try #require(
                    CivilDate(year: civil.year, month: civil.month, day: civil.day))
                let isHoliday =
                    (civil.month, civil.day) == (1, 1)
                    || (civil.month == 2 && (16...20).contains(civil.day))
                let isWork =
                    (civil.month, civil.day) == (2, 14) || (!isHoliday && date.weekday < 6)
                let minute = civil.hour * 60 + civil.minute
                expected = isWork && (525..<1290).contains(minute) ? "peak" : "valley"
            }
            var found = "none"
            if case .priced(let part) = schedule[slot] {
                found = book.tables[part.table].bands[part.band].name
                if part.month.first.month != civil.month { wrong += 1 }
            }
            if found != expected { wrong += 1 }
        }
        #expect(wrong == 0, "seed \(seed)")
    }

    @Test("of an empty grid are empty")
    func empty() throws {
        let grid = CountGrid(
            .hour, from: Texts.instant(2026, 1, 1), to: Texts.instant(2026, 1, 1), calendar: .utc)
        let schedule = try Texts.book("").schedule(for: grid, calendar: .utc)
        #expect(schedule.parts == [])
        let split = schedule.split(Counts(count: 0), slots: 0..<10)
        #expect(split == TariffSplit())
    }
}
