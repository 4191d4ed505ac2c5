import EnergyAccounting
import LocatedText
import Testing

private typealias Texts = TariffTestTexts

@Suite("Refused times, seasons and days of tariff files")
struct TariffTimesRefusalTests {
    private static let days =
        "days: { weekend: sat, known: 2026, holidays: [2026-05-01], source: s, status: example }"

    @Test(
        "refuse times that leave a minute of a day without a band or with two",
        arguments: [
            (
                "{ peak: 08:00-12:00, valley: 13:00-06:00 }",
                "no band holds 06:00-08:00, 12:00-13:00", "{ peak:"
            ),
            ("{ peak: 00:15-24:00 }", "no band holds 00:00-00:15", "{ peak:"),
            (
                "{ peak: 08:00-23:00, valley: 22:00-08:00 }",
                "22:00-23:00 stands in 'peak' and in 'valley'", "22:00-08:00"
            ),
            (
                "{ peak: [00:00-24:00, 08:00-08:15] }",
                "08:00-08:15 stands in 'peak' and in 'peak'", "08:00-08:15"
            ),
            (
                "{ peak: 08:00-22:10, valley: 22:00-08:00 }",
                "'08:00-22:10' does not stand on quarters of an hour", "08:00-22:10"
            ),
            ("{ peak: 00:00-00:00 }", "'00:00-00:00' holds no time", "00:00-00:00"),
            ("{ peak: 24:00-08:00 }", "'24:00-08:00' is not a span of a day", "24:00-08:00"),
            ("{ peak: 8:00-22:00 }", "'8:00-22:00' is not a span of a day", "8:00-22:00"),
            ("{ peak: 00:00-24:15 }", "'00:00-24:15' is not a span of a day", "00:00-24:15"),
            ("{ peak: 00:00 }", "'00:00' is not a span of a day", "00:00"),
            (
                "{ peak: 08:00-22:00, vally: 22:00-08:00 }",
                "the band 'vally' has no price in this table", "vally:"
            ),
        ])
    func hours(hours: String, message: String, line: String) throws {
        let fault = try TariffRefusal.onlyFault(
            Texts.text("times: [{ hours: \(hours) }]", price: TariffRefusal.bands))
        #expect(fault.message == message)
        #expect(fault.line.hasPrefix(line), "\(fault.line)")
    }

    @Test("propose the nearest band")
    func nearest() throws {
        let fault = try TariffRefusal.onlyFault(
            Texts.text(
                "times: [{ hours: { peak: 08:00-22:00, vally: 22:00-08:00 } }]",
                price: TariffRefusal.bands))
        #expect(fault.remedy == "did you mean 'valley'?")
    }

    @Test(
        "refuse seasons that leave a day of the year out or hold it twice",
        arguments: [
            (
                "[{ season: a, months: [1, 2, 3, 4, 5, 6, 7, 8, 9] }, "
                    + "{ season: b, months: [10, 12] }]",
                "no season holds 11-01..11-30", "[{ season: a"
            ),
            (
                "[{ season: a, days: [01-01..02-28, 03-01..12-31] }]", "no season holds 02-29",
                "[{ season"
            ),
            (
                "[{ season: a, months: [7, 8] }, { season: b, days: [08-15..07-10] }]",
                "07-01..07-10, 08-15..08-31 lies in 'a' and in 'b'", "08-15..07-10"
            ),
            (
                "[{ season: a, months: [7, 7] }, { season: b, other: true }]",
                "07-01..07-31 lies in 'a' and in 'a'", "7] }"
            ),
            (
                "[{ season: a, months: [13] }, { season: b, other: true }]",
                "'13' is not a month", "13"
            ),
            (
                "[{ season: a, days: [02-30] }, { season: b, other: true }]",
                "'02-30' is not a span of days of the year", "02-30"
            ),
            (
                "[{ season: a, other: true }, { season: b, other: true }]",
                "'a' takes what is left of the year already", "true }]"
            ),
            (
                "[{ season: a, other: true }, { season: a, months: [1] }]",
                "the season 'a' stands twice", "a, months"
            ),
            (
                "[{ season: a, other: true }, { season: b }]", "the season 'b' has no days",
                "{ season: b"
            ),
        ])
    func seasons(seasons: String, message: String, line: String) throws {
        let fault = try TariffRefusal.onlyFault(
            Texts.text(
                "seasons: \(seasons)\ntimes: [{ hours: { peak: 00:00-24:00 } }]",
                price: TariffRefusal.bands))
        #expect(fault.message == message)
        #expect(fault.line.hasPrefix(line), "\(fault.line)")
    }

    @Test(
        "refuse a season or a kind of day without times or with two",
        arguments: [
            ("[{ days: [working-day, weekend], hours: H }]", "a holiday has no times"),
            ("[{ hours: H }, { days: holiday, hours: H }]", "the times of a holiday stand twice"),
            ("[{ days: sunday, hours: H }, { hours: H }]", "'sunday' is not accepted here"),
            (
                "[{ seasons: summer, hours: H }, { hours: H }]", "the table has no seasons"
            ),
        ])
    func classes(times: String, message: String) {
        let hours = "{ peak: 00:00-24:00 }"
        let times = "times: " + times.replacing("H", with: hours)
        let faults = TariffRefusal.faults(
            Texts.text(times, days: Self.days, price: TariffRefusal.bands))
        #expect(faults.map(\.message).contains(message), "\(faults)")
    }

    @Test("refuse a season without times by its name")
    func seasonWithoutTimes() throws {
        let fault = try TariffRefusal.onlyFault(
            Texts.text(
                """
                seasons: [{ season: summer, months: [7] }, { season: rest, other: true }]
                times: [{ seasons: rest, hours: { peak: 00:00-24:00 } }]
                """, price: TariffRefusal.bands))
        #expect(fault.message == "a working-day of the season 'summer' has no times")
    }

    @Test("refuse times for a kind of day of which nobody says when it comes")
    func unknownKind() throws {
        for (kind, remedy) in [("weekend", "weekend: [sat, sun]"), ("holiday", "holidays: […]")] {
            let fault = try TariffRefusal.onlyFault(
                Texts.text(
                    """
                    times:
                      - { days: [working-day, \(kind)], hours: { peak: 00:00-24:00 } }
                    """, price: TariffRefusal.bands))
            #expect(fault.message == "the tariff does not say which day is a \(kind)")
            #expect(fault.remedy.contains(remedy))
        }
    }

    @Test(
        "refuse days that contradict each other",
        arguments: [
            (
                "known: 2026, holidays: [2026-05-01], working_days: [2026-05-01]",
                "2026-05-01 stands in 'holidays' already"
            ),
            (
                "known: 2026, holidays: [2026-05-01..2026-05-03, 2026-05-03]",
                "2026-05-03 stands in 'holidays' already"
            ),
            (
                "known: 2026, holidays: [2027-01-01]",
                "'2027-01-01' lies outside 'known: 2026'"
            ),
            (
                "holidays: [2026-05-01]",
                "'known' is missing: the days for which holidays are stated"
            ),
            ("known: 2026, holidays: [1.5.]", "'1.5.' is not a day or a span of days"),
            (
                "known: 2020-01-01..2030-12-31, holidays: [2020-01-01..2029-12-31]",
                "'2020-01-01..2029-12-31' is longer than a year"
            ),
            ("weekend: [saturday]", "'saturday' is not accepted here"),
        ])
    func days(days: String, message: String) throws {
        let fault = try TariffRefusal.onlyFault(
            Texts.text("", days: "days: { \(days), source: s, status: example }"))
        #expect(fault.message == message)
    }
}
