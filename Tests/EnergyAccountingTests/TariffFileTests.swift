import EnergyAccounting
import LocatedText
import Telemetry
import Testing

private typealias Texts = TariffTestTexts

@Suite("Tariff files")
struct TariffFileTests {
    private func parse(_ text: String) throws -> TariffBook {
        try TariffFile.parse(text, file: "t.yaml")
    }

    @Test("tell name, carrier, unit, tables and what each figure rests on")
    func reads() throws {
        let book = try parse(Texts.works)
        #expect(book.name == "works-2026")
        #expect(book.title == LocalizedText(en: "Works", zh: "工厂"))
        #expect(book.carrier == "electricity")
        #expect(book.currency == "CNY")
        #expect(book.unit == "kWh")
        #expect(book.tables.map(\.label) == ["2026-01-01..2026-06-30", "2026-07-01.."])
        #expect(book.tables[0].origin.source == "a contract")
        #expect(book.tables[0].origin.status == "example")
        #expect(book.tables[0].bands.map(\.name) == ["peak", "valley"])
        #expect(book.tables[0].bands[0].title == LocalizedText(en: "Peak", zh: "高峰"))
        #expect(book.tables[0].bands[1].price == Exact(3, over: 10))
        #expect(!book.tables[0].isFlat)
        #expect(book.tables[1].isFlat)
        #expect(!book.needsQuarters)
        let plan = book.tables[0].calendar.plan(season: 0, dayClass: .workingDay)
        #expect(plan.runs.map(\.start) == [0, 32, 88])
        #expect(plan.runs.map(\.end) == [32, 88, 96])
        #expect(plan.runs.map(\.band) == [1, 0, 1])
    }

    @Test(
        "know the kind of a day, make-up days included",
        arguments: [
            ("2026-01-01", TariffDayClass.holiday), ("2026-01-02", .workingDay),
            ("2026-01-03", .weekend), ("2026-02-14", .workingDay), ("2026-02-15", .weekend),
            ("2026-02-20", .holiday), ("2026-02-21", .weekend), ("2025-12-31", nil),
            ("2027-01-01", nil),
        ])
    func kinds(day: String, kind: TariffDayClass?) throws {
        let date = try #require(CivilDate(day))
        #expect(try parse(Texts.works).days.dayClass(ofDay: date.dayNumber) == kind)
    }

    @Test("find the table of a day, and none before the first")
    func tables() throws {
        let book = try parse(Texts.works)
        func from(_ day: String) throws -> String? {
            book.table(on: try #require(CivilDate(day)))?.from.description
        }
        #expect(try from("2025-12-31") == nil)
        #expect(try from("2026-01-01") == "2026-01-01")
        #expect(try from("2026-06-30") == "2026-01-01")
        #expect(try from("2026-07-01") == "2026-07-01")
        #expect(try from("2099-01-01") == "2026-07-01")
    }

    @Test("cut the year by months, by days over the new year, and by what is left")
    func seasons() throws {
        let book = try Texts.book(
            """
            bands: [{ band: peak, price: 1 CNY/kWh }]
            seasons:
              - { season: summer, months: [7, 8], title: { en: Summer, zh: 夏 } }
              - { season: winter, days: [12-15..01-31, 02-29] }
              - { season: rest, other: true }
            times: [{ hours: { peak: 00:00-24:00 } }]
            """, price: "")
        let year = book.tables[0].calendar
        func season(_ day: String) throws -> String {
            year.seasons[year.season(ofDay: try #require(CivilDate(day)).dayNumber)].name
        }
        #expect(year.seasons[0].title.zh == "夏")
        #expect(year.seasons[1].title.zh == "winter")
        for (day, name) in [
            ("2026-07-01", "summer"), ("2026-08-31", "summer"), ("2026-09-01", "rest"),
            ("2026-12-14", "rest"), ("2026-12-15", "winter"), ("2026-01-31", "winter"),
            ("2026-02-01", "rest"), ("2028-02-29", "winter"), ("2026-02-28", "rest"),
        ] {
            #expect(try season(day) == name, "\(day)")
        }
    }

    @Test("take over from another table what they do not state, but never its prices")
    func takenOver() throws {
        let text =
            Texts.text(
                """
                bands: [{ band: peak, price: 1 CNY/kWh }, { band: valley, price: 0.5 CNY/kWh }]
                times: [{ hours: { peak: 08:00-22:00, valley: 22:00-08:00 } }]
                fixed: 10 CNY/month
                capacity: { price: 30 CNY/(kVA*month), kva: 500 kVA, source: own, status: verified }
                """, price: "") + """
                  - from: 2026-02-01
                    source: s2
                    status: verified
                    as: 2026-01-01
                    bands: [{ band: valley, price: 0.4 CNY/kWh }, { band: peak, price: 2 CNY/kWh }]
                    fixed: { price: 11 CNY/month }
                """
        let book = try parse(text)
        let second = book.tables[1]
        #expect(book.tables[0].until == CivilDate("2026-01-31"))
        let runs = second.calendar.plan(season: 0, dayClass: .workingDay).runs
        #expect(runs.map { second.bands[$0.band].name } == ["valley", "peak", "valley"])
        #expect(second.charges.fixed?.price == Exact(11))
        #expect(second.charges.fixed?.origin.source == "s2")
        #expect(second.charges.capacity?.kva == Exact(500))
        #expect(second.charges.capacity?.origin.source == "own")
    }

    @Test("need quarters only when a band begins within an hour")
    func quarters() throws {
        func book(_ edge: String) throws -> TariffBook {
            try Texts.book(
                """
                bands: [{ band: peak, price: 1 CNY/kWh }, { band: valley, price: 0.5 CNY/kWh }]
                times: [{ hours: { peak: "07:00-\(edge)", valley: "\(edge)-07:00" } }]
                """, price: "")
        }
        #expect(try !book("11:00").needsQuarters)
        #expect(try book("11:30").needsQuarters)
        #expect(try book("11:15").needsQuarters)
    }
}
