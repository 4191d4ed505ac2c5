import EnergyAccounting
import LocatedText
import TestSeeds
import Testing

private typealias Texts = TariffTestTexts

@Suite("Refused tariff files")
struct TariffRefusalTests {
    @Test("never trap on numbers beyond reason, and say what they are")
    func absurd() {
        let nines = String(repeating: "9", count: 40)
        for text in [
            "price: \(nines) CNY/kWh", "price: 0.\(nines) CNY/kWh",
            "price: 1 CNY/kWh\ncapacity: { price: 1 CNY/(kVA*month), kva: \(nines) kVA }",
            "price: 1 CNY/kWh\nas: \(nines)",
        ] {
            #expect(TariffRefusal.faults(Texts.text("", price: text)).count == 1, "\(text)")
        }
        let text = Texts.text("").replacing("2026-01-01", with: "9999-12-31")
        #expect(TariffRefusal.faults(text) == [])
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
            TariffRefusal.faults(text).map(\.message) == [
                "'Works' is not a name", "'yuan' is not a currency",
                "a price per 'm3' does not fit electricity", "no band holds 21:00-22:00",
                "'true' is not accepted here",
            ])
    }
}
