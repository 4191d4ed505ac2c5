import EnergyAccounting
import LocatedText
import Testing

private typealias Texts = TariffTestTexts

@Suite("Refused prices, charges and spans of tariff files")
struct TariffPriceRefusalTests {
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
            let fault = try TariffRefusal.onlyFault(head + "tables:\n" + tables.joined())
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
        let messages = TariffRefusal.faults(Texts.text("", price: table)).map(\.message)
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
            TariffRefusal.faults(text).map(\.message) == [
                "a price per 'Nm3' in a tariff whose first price is per 'm3'"
            ])
        #expect(TariffRefusal.faults(text.replacing("Nm3", with: "m³")) == [])
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
            TariffRefusal.faults(Texts.text("") + tables).map(\.message) == [
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
        let fault = try TariffRefusal.onlyFault(
            Texts.text(
                "times: [{ hours: { peak: 08:00-22:00, valley: 22:00-08:00 } }]",
                price: TariffRefusal.bands) + tables)
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
        #expect(try TariffRefusal.onlyFault(Texts.text(charge)).message == message)
    }
}

extension String {
    /// What stands before the first occurrence of a text.
    fileprivate func components(before text: String) -> String {
        firstRange(of: text).map { String(self[..<$0.lowerBound]) } ?? self
    }
}
