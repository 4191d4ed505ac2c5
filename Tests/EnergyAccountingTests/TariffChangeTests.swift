import EnergyAccounting
import LocatedText
import Telemetry
import Testing

private typealias Texts = TariffTestTexts

@Suite("Changes of a tariff")
struct TariffChangeTests {
    private func works(_ edits: [(String, String)] = []) throws -> TariffBook {
        let text = edits.reduce(Texts.works) { $0.replacing($1.0, with: $1.1) }
        return try TariffFile.parse(text, file: "t.yaml")
    }

    @Test("are none between equal states, nor where only titles, sources or cuts differ")
    func none() throws {
        let old = try works()
        #expect(old.differences(from: old) == [])
        #expect(try works([("a contract", "the new contract")]).differences(from: old) == [])
        let cut = try works([
            (
                "  - from: 2026-07-01\n",
                "  - { from: 2026-07-01, source: s, status: example, price: 0.70 CNY/kWh }\n"
                    + "  - from: 2026-08-01\n"
            )
        ])
        #expect(cut.tables.count == 3)
        #expect(cut.differences(from: old) == [])
    }

    @Test("are a price with the days and the hours that it concerns")
    func price() throws {
        let changes = try works([("1.02", "1.1")]).differences(
            from: works(), in: AccountingPeriod("2026-01"))
        // 21 working days of January with 14 hours of peak each.
        #expect(changes.count == 1)
        let change = try #require(changes.first)
        #expect(change.subject == .energy)
        #expect(change.table == CivilDate("2026-01-01"))
        #expect(change.old?.price == Exact(102, over: 100))
        #expect(change.new?.price == Exact(11, over: 10))
        #expect(change.first == CivilDate("2026-01-02"))
        #expect(change.last == CivilDate("2026-01-30"))
        #expect(change.days == 21)
        #expect(change.hours == Exact(294))
        #expect(
            change.text.en
                == "2026-01-02..2026-01-30 (21 days, 294 h): "
                + "Peak 1.02 CNY/kWh → Peak 1.1 CNY/kWh")
        #expect(
            change.text.zh
                == "2026-01-02..2026-01-30（21 天，294 小时）：高峰 1.02 CNY/kWh → 高峰 1.1 CNY/kWh")
    }

    @Test("are hours that moved to another band")
    func moved() throws {
        let changes = try works([("08:00", "08:45")]).differences(
            from: works(), in: AccountingPeriod("2026-01-05"))
        #expect(
            changes.map(\.text.en) == [
                "2026-01-05 (1 day, 0.75 h): Peak 1.02 CNY/kWh → Valley 0.3 CNY/kWh"
            ])
    }

    @Test("are days that became holidays")
    func days() throws {
        let changes = try works([("2026-01-01, ", "2026-01-01..2026-01-02, ")])
            .differences(from: works())
        #expect(
            changes.map(\.text.en) == [
                "2026-01-02 (1 day, 14 h): Peak 1.02 CNY/kWh → Valley 0.3 CNY/kWh"
            ])
    }

    @Test("are prices that came or went with the days of a table")
    func validity() throws {
        let longer = try works([("from: 2026-01-01", "from: 2025-12-31")])
        // The holidays of 2025 are not stated, so that the day has no price in either state.
        #expect(try longer.differences(from: works()) == [])
        let known = [
            ("from: 2026-01-01", "from: 2025-12-31"),
            ("known: 2026", "known: 2025-12-31..2026-12-31"),
        ]
        #expect(
            try works(known).differences(from: works()).map(\.text.en) == [
                "2025-12-31 (1 day, 10 h): no price → Valley 0.3 CNY/kWh",
                "2025-12-31 (1 day, 14 h): no price → Peak 1.02 CNY/kWh",
            ])
        let ended = try works([("from: 2026-07-01", "from: 2026-07-01\n    until: 2027-07-01")])
        let after = ended.differences(from: try works())
        #expect(
            after.map(\.text.en) == ["2027-07-02 (1 day, 24 h): All day 0.7 CNY/kWh → no price"])
    }

    @Test("are charges beside the energy, by their days")
    func charges() throws {
        func book(_ charges: String) throws -> TariffBook {
            try Texts.book(charges)
        }
        let old = try book(
            """
            capacity: { price: 30 CNY/(kVA*month), kva: 100 kVA }
            fixed: 10 CNY/month
            power_factor: { on: energy, steps: [{ below: 0.9, percent: 5 }, { percent: 0 }] }
            """)
        let new = try book(
            """
            capacity: { price: 30 CNY/(kVA*month), kva: 200 kVA }
            demand: { price: 48 CNY/(kW*month), over: 15min, contracted: 80 kW,
                      excess: { above: 105 %, share: 200 % } }
            power_factor: { on: energy, steps: [{ below: 0.9, percent: 6 }, { percent: 0 }] }
            """)
        let month = try #require(AccountingPeriod("2026-01"))
        #expect(
            new.differences(from: old, in: month).map(\.text.en) == [
                "2026-01-01..2026-01-31 (31 days): Capacity charge "
                    + "30 CNY/(kVA*month) × 100 kVA → 30 CNY/(kVA*month) × 200 kVA",
                "2026-01-01..2026-01-31 (31 days): Demand charge "
                    + "no price → 48 CNY/(kW*month), 15 min, 80 kW, > 105 % × 200 %",
                "2026-01-01..2026-01-31 (31 days): Fixed charge 10 CNY/month → no price",
                "2026-01-01..2026-01-31 (31 days): Power factor adjustment 2 steps → 2 steps",
            ])
    }

    @Test("are everything when the currency is another")
    func currency() throws {
        let euros = try TariffFile.parse(
            Texts.text("").replacing("CNY", with: "EUR"), file: "t.yaml")
        let changes = euros.differences(
            from: try Texts.book(""), in: AccountingPeriod("2026-01-01"))
        #expect(
            changes.map(\.text.en) == [
                "2026-01-01 (1 day, 24 h): All day 1 CNY/kWh → All day 1 EUR/kWh"
            ])
    }
}
