import EnergyAccounting
import LocatedText
import TestSeeds
import Testing

private typealias Texts = TariffTestTexts

@Suite("Refused tariff files")
struct TariffRefusalTests {
    private func faults(_ text: String) -> [Fault] {
        do {
            _ = try TariffFile.parse(text, file: "t.yaml")
            return []
        } catch {
            return error.all
        }
    }

    /// The one fault of a text and the line on which it is reported.
    private func onlyFault(
        _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> (message: String, remedy: String, line: String) {
        let faults = faults(text)
        #expect(
            faults.count == 1, "\(faults.map(\.description))", sourceLocation: sourceLocation)
        let fault = try #require(faults.first, sourceLocation: sourceLocation)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line = try #require(
            lines.indices.contains(fault.location.line - 1)
                ? lines[fault.location.line - 1] : nil, sourceLocation: sourceLocation)
        // The columns of the houses' YAML are characters from 1.
        return (
            fault.message, fault.remedy ?? "", String(line.dropFirst(fault.location.column - 1))
        )
    }

    private static let bands =
        "bands: [{ band: peak, price: 1 CNY/kWh }, { band: valley, price: 0.5 CNY/kWh }]\n"

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
        let fault = try onlyFault(
            Texts.text("times: [{ hours: \(hours) }]", price: Self.bands))
        #expect(fault.message == message)
        #expect(fault.line.hasPrefix(line), "\(fault.line)")
    }

    @Test("propose the nearest band")
    func nearest() throws {
        let fault = try onlyFault(
            Texts.text(
                "times: [{ hours: { peak: 08:00-22:00, vally: 22:00-08:00 } }]", price: Self.bands))
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
        let fault = try onlyFault(
            Texts.text(
                "seasons: \(seasons)\ntimes: [{ hours: { peak: 00:00-24:00 } }]",
                price: Self.bands))
        #expect(fault.message == message)
        #expect(fault.line.hasPrefix(line), "\(fault.line)")
    }

    private static let days =
        "days: { weekend: sat, known: 2026, holidays: [2026-05-01], source: s, status: example }"

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
        let faults = faults(Texts.text(times, days: Self.days, price: Self.bands))
        #expect(faults.map(\.message).contains(message), "\(faults)")
    }

    @Test("refuse a season without times by its name")
    func seasonWithoutTimes() throws {
        let fault = try onlyFault(
            Texts.text(
                """
                seasons: [{ season: summer, months: [7] }, { season: rest, other: true }]
                times: [{ seasons: rest, hours: { peak: 00:00-24:00 } }]
                """, price: Self.bands))
        #expect(fault.message == "a working-day of the season 'summer' has no times")
    }

    @Test("refuse times for a kind of day of which nobody says when it comes")
    func unknownKind() throws {
        for (kind, remedy) in [("weekend", "weekend: [sat, sun]"), ("holiday", "holidays: […]")] {
            let fault = try onlyFault(
                Texts.text(
                    """
                    times:
                      - { days: [working-day, \(kind)], hours: { peak: 00:00-24:00 } }
                    """, price: Self.bands))
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
        let fault = try onlyFault(
            Texts.text("", days: "days: { \(days), source: s, status: example }"))
        #expect(fault.message == message)
    }

    @Test(
        "refuse days that no table covers, or two",
        arguments: [
            (
                "2026-01-01", "2026-03-31", "2026-04-02", "",
                "no table covers 2026-04-01"
            ),
            (
                "2026-01-01", "2026-03-31", "2026-06-01", "",
                "no table covers 2026-04-01..2026-05-31"
            ),
            (
                "2026-01-01", "2026-03-31", "2026-03-31", "",
                "two tables cover 2026-03-31: this one and the one from 2026-01-01"
            ),
            (
                "2026-01-01", "2026-12-31", "2026-03-01", "2026-03-31",
                "two tables cover 2026-03-01..2026-03-31: this one and the one from 2026-01-01"
            ),
            (
                "2026-01-01", "", "2026-01-01", "2026-01-31",
                "two tables cover 2026-01-01..2026-01-31: this one and the one from 2026-01-01"
            ),
            (
                "2026-01-01", "2025-12-31", "2026-01-02", "",
                "the last day 2025-12-31 lies before the first, 2026-01-01"
            ),
        ])
    func validity(from: String, until: String, next: String, nextUntil: String, message: String)
        throws
    {
        func table(_ from: String, _ until: String) -> String {
            "  - { from: \(from), \(until.isEmpty ? "" : "until: \(until), ")source: s, "
                + "status: example, price: 1 CNY/kWh }\n"
        }
        let head = Texts.text("", price: "").components(before: "tables:")
        let tables = [table(from, until), table(next, nextUntil)]
        for tables in [tables, tables.reversed()] {
            let fault = try onlyFault(head + "tables:\n" + tables.joined())
            #expect(fault.message == message)
        }
    }

    @Test(
        "refuse prices that are missing, or in another unit or currency",
        arguments: [
            ("price: 1 CNY/m3", "a price per 'm3' does not fit electricity"),
            ("price: 1 CNY/MWh", "a price per 'MWh' does not fit electricity"),
            ("price: 1 USD/kWh", "the price is in 'USD' and the tariff in CNY"),
            ("price: 1", "'1' is not a price"),
            ("price: 1 CNY", "'1 CNY' is not a price"),
            ("price: 1 CNY/", "'1 CNY/' is not a price"),
            ("price: 1e3 CNY/kWh", "the price is in 'e3 CNY' and the tariff in CNY"),
            ("price: [1]", "a text is expected, not a list"),
            ("fixed: 1 CNY/month", "the table has no price"),
            ("bands: []\ntimes: []", "a table has one band at least"),
            (
                "bands: [{ band: peak }]\ntimes: [{ hours: { peak: 00:00-24:00 } }]",
                "'price' is missing"
            ),
            (
                "bands: [{ band: night, price: 1 CNY/kWh }]\n"
                    + "times: [{ hours: { night: 00:00-24:00 } }]",
                "the band 'night' has no title"
            ),
            (
                "bands: [{ band: peak, price: 1 CNY/kWh }, { band: peak, price: 2 CNY/kWh }]\n"
                    + "times: [{ hours: { peak: 00:00-24:00 } }]",
                "the band 'peak' stands twice"
            ),
            (
                "bands: [{ band: Peak-1, price: 1 CNY/kWh }, { band: peak, price: 1 CNY/kWh }]\n"
                    + "times: [{ hours: { peak: 00:00-24:00 } }]",
                "'Peak-1' is not a name"
            ),
            (
                "bands: [{ band: peak, price: 1 CNY/kWh }]",
                "'times' is missing: when each band holds"
            ),
            (
                "price: 1 CNY/kWh\ntimes: [{ hours: { peak: 00:00-24:00 } }]",
                "one price holds at all times, and 'times' stands beside it"
            ),
            (
                "price: 1 CNY/kWh\nbands: [{ band: peak, price: 1 CNY/kWh }]\n"
                    + "times: [{ hours: { peak: 00:00-24:00 } }]",
                "'price' stands beside 'bands'"
            ),
            ("price: 1 CNY/kWh\nas: 2025-01-01", "no other table begins on 2025-01-01"),
            ("price: 1 CNY/kWh\nprise: 2", "unknown key 'prise'"),
        ])
    func prices(table: String, message: String) {
        let messages = faults(Texts.text("", price: table)).map(\.message)
        #expect(messages.contains(message), "\(messages)")
    }

    @Test("keep to one unit for all tables of a carrier that they do not know")
    func units() {
        let text = """
            format: tariff/1
            tariff: t
            title: { en: T, zh: 表 }
            carrier: compressed-air
            currency: CNY
            tables:
              - { from: 2026-01-01, source: s, status: example, price: 0.1 CNY/m3 }
              - { from: 2026-02-01, source: s, status: example, price: 0.1 CNY/Nm3 }
            """
        #expect(
            faults(text).map(\.message) == [
                "a price per 'Nm3' in a tariff whose first price is per 'm3'"
            ])
        #expect(faults(text.replacing("Nm3", with: "m³")) == [])
    }

    @Test("read no chain of references, and no times of a table that has none")
    func references() {
        let tables = """
              - { from: 2026-02-01, source: s, status: example, price: 1 CNY/kWh, as: 2026-01-01 }
              - { from: 2026-03-01, source: s, status: example, price: 1 CNY/kWh, as: 2026-02-01 }
              - { from: 2026-04-01, source: s, status: example, as: 2026-01-01,
                  bands: [{ band: peak, price: 1 CNY/kWh }] }
            """
        #expect(
            faults(Texts.text("") + tables).map(\.message) == [
                "the table of 2026-02-01 refers to another one itself",
                "the table of 2026-01-01 has one price and no times",
            ])
    }

    @Test("complain at the reference when a band of the other table has no price here")
    func referenceWithoutPrice() throws {
        let tables = """
              - { from: 2026-02-01, source: s, status: example, as: 2026-01-01,
                  bands: [{ band: peak, price: 1 CNY/kWh }] }
            """
        let fault = try onlyFault(
            Texts.text(
                "times: [{ hours: { peak: 08:00-22:00, valley: 22:00-08:00 } }]",
                price: Self.bands) + tables)
        #expect(fault.message == "the band 'valley' has no price in this table")
        #expect(fault.line.hasPrefix("2026-01-01,"))
    }

    @Test(
        "refuse charges that cannot be meant",
        arguments: [
            ("capacity: { price: 30 CNY/kVA, kva: 100 kVA }", "the price is per 'kVA'"),
            (
                "capacity: { price: 30 CNY/(kVA*month), kva: 100 kW }",
                "'100 kW' is not a number of kVA"
            ),
            ("capacity: { price: 30 CNY/(kVA*month) }", "'kva' is missing"),
            ("capacity: { price: 30 CNY/(kVA*month), kva: -1 kVA }", "'-1 kVA' is below zero"),
            (
                "demand: { price: 30 CNY/(kW*month), over: 20min }",
                "demand is not taken over '20min'"
            ),
            (
                "demand: { price: -30 CNY/(kW*month), over: 15min }",
                "a charge by the month cannot be negative"
            ),
            (
                "demand: { price: 30 CNY/(kW*month), over: 15min, "
                    + "excess: { above: 105 %, share: 200 % } }",
                "there is no contracted demand to exceed"
            ),
            (
                "demand: { price: 30 CNY/(kW*month), over: 15min, contracted: 8 kW, "
                    + "excess: { above: 95 %, share: 200 % } }",
                "'above' is less than the contracted demand itself"
            ),
            ("fixed: 12 CNY/day", "the price is per 'day'"),
            (
                "fixed: { price: 12 CNY/month, source: a letter }", "'status' is missing"
            ),
            (
                "power_factor: { on: energy, steps: [{ from: 0.5, percent: 1 }] }",
                "no step holds the power factors from 0 to below 0.5"
            ),
            (
                "power_factor: { on: energy, steps: "
                    + "[{ below: 0.85, percent: 1 }, { from: 0.9, percent: 0 }] }",
                "no step holds the power factors from 0.85 to below 0.9"
            ),
            (
                "power_factor: { on: energy, steps: "
                    + "[{ below: 0.9, percent: 1 }, { from: 0.85, percent: 0 }] }",
                "the power factors from 0.85 to below 0.9 stand in two steps"
            ),
            (
                "power_factor: { on: energy, steps: [{ below: 0.9, percent: 1 }] }",
                "no step holds the power factors from 0.9 to 1"
            ),
            (
                "power_factor: { on: energy, steps: [{ percent: 1 }, { percent: 2 }] }",
                "it is not said where the step ends"
            ),
            (
                "power_factor: { on: energy, steps: "
                    + "[{ below: 0.9, percent: 1 }, { below: 0.9, percent: 1 }, { percent: 0 }] }",
                "a step from 0.9 to below 0.9 holds nothing"
            ),
            (
                "power_factor: { on: energy, steps: [{ below: 90, percent: 1 }, { percent: 2 }] }",
                "'90' is not a power factor"
            ),
            (
                "power_factor: { on: energy, steps: [] }",
                "the table of power factors is empty"
            ),
            (
                "power_factor: { on: light, steps: [{ percent: 1 }] }",
                "'light' is not accepted here"
            ),
            (
                "power_factor: { on: energy, places: 99, steps: [{ percent: 1 }] }",
                "'99' places"
            ),
        ])
    func charges(charge: String, message: String) throws {
        #expect(try onlyFault(Texts.text(charge)).message == message)
    }

    @Test("never trap on numbers beyond reason, and say what they are")
    func absurd() {
        let nines = String(repeating: "9", count: 40)
        for text in [
            "price: \(nines) CNY/kWh", "price: 0.\(nines) CNY/kWh",
            "price: 1 CNY/kWh\ncapacity: { price: 1 CNY/(kVA*month), kva: \(nines) kVA }",
            "price: 1 CNY/kWh\nas: \(nines)",
        ] {
            #expect(faults(Texts.text("", price: text)).count == 1, "\(text)")
        }
        let text = Texts.text("").replacing("2026-01-01", with: "9999-12-31")
        #expect(faults(text) == [])
    }

    @Test("survive any slip of the pen, and bill what still reads", arguments: 1...8)
    func slips(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let whole = Array(
            (Texts.works + """

                    demand: { price: 48 CNY/(kW*month), over: 15min, contracted: 80 kW }
                    power_factor: { on: energy, places: 2, steps: [{ below: 0.9, percent: 5 }, { percent: 0 }] }
                """).utf8)
        let typed = Array("0123456789:-.,[]{} \n/axyz".utf8)
        let year = try #require(AccountingPeriod("2026"))
        var read = 0
        for _ in 0..<150 {
            var text = whole
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                let digits = text.indices.filter { (0x30...0x39).contains(text[$0]) }
                switch Int.random(in: 0..<6, using: &random) {
                case 0...2:
                    // Another digit is what most often still reads.
                    let digit = digits.randomElement(using: &random) ?? place
                    text[digit] = UInt8.random(in: 0x30...0x39, using: &random)
                case 3: text[place] = typed.randomElement(using: &random) ?? 0x20
                case 4: text.remove(at: place)
                default: text.insert(typed.randomElement(using: &random) ?? 0x20, at: place)
                }
            }
            guard
                let book = try? TariffFile.parse(
                    String(decoding: text, as: UTF8.self), file: "t.yaml")
            else { continue }
            read += 1
            let grid = CountGrid(.hour, of: year, calendar: Texts.shanghai)
            let schedule = book.schedule(for: grid, calendar: Texts.shanghai)
            let counts = Texts.counts(grid.count, each: .init(mantissa: 1, exponent: 0))
            let bill = book.bill(counts, schedule: schedule, period: year)
            #expect(bill.pricedQuantity + bill.unpricedQuantity == Exact(8760))
        }
        #expect(read > 5)
    }

    @Test("report the faults of all parts at once")
    func all() {
        let text = Texts.works.replacing("1.02 CNY/kWh", with: "1.02 CNY/m3")
            .replacing("works-2026", with: "Works").replacing("08:00-22:00", with: "08:00-21:00")
            .replacing("status: example\n    price", with: "status: true\n    price")
            .replacing("currency: CNY", with: "currency: yuan")
        #expect(
            faults(text).map(\.message) == [
                "'Works' is not a name", "'yuan' is not a currency",
                "a price per 'm3' does not fit electricity", "no band holds 21:00-22:00",
                "'true' is not accepted here",
            ])
    }
}

extension String {
    /// What stands before the first occurrence of a text.
    fileprivate func components(before text: String) -> String {
        firstRange(of: text).map { String(self[..<$0.lowerBound]) } ?? self
    }
}
