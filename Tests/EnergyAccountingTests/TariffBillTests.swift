import EnergyAccounting
import LocatedText
import Telemetry
import TestSeeds
import Testing

private typealias Texts = TariffTestTexts

@Suite("Tariff bills")
struct TariffBillTests {
    private let january = AccountingPeriod(year: 2026, month: 1)!

    private func schedule(
        _ book: TariffBook, _ period: AccountingPeriod, _ resolution: Resolution = .hour
    ) -> TariffSchedule {
        book.schedule(
            for: CountGrid(resolution, of: period, calendar: Texts.shanghai),
            calendar: Texts.shanghai)
    }

    /// A bill with one and a half kWh in each hour.
    private func bill(
        _ book: TariffBook, _ period: String, months: [String: TariffMonth] = [:]
    ) throws -> TariffBill {
        let period = try #require(AccountingPeriod(period))
        let schedule = schedule(book, period)
        let counts = Texts.counts(
            schedule.grid.count, each: ScaledInteger(mantissa: 15, exponent: 1))
        var byMonth: [AccountingPeriod: TariffMonth] = [:]
        for (month, measured) in months {
            byMonth[try #require(AccountingPeriod(month))] = measured
        }
        return book.bill(counts, schedule: schedule, period: period, months: byMonth)
    }

    @Test("of a month are quantities by band, each at its price")
    func month() throws {
        // January 2026 has 21 working days (the first is a holiday) and 10 other days: 294 hours
        // of peak and 210 + 240 hours of valley.
        let book = try TariffFile.parse(Texts.works, file: "t.yaml")
        let bill = try bill(book, "2026-01")
        #expect(bill.energy.map(\.band.name) == ["peak", "valley"])
        #expect(bill.energy.map(\.quantity) == [Exact(441), Exact(675)])
        #expect(
            bill.energy.map(\.amount) == [try Texts.decimal("449.82"), try Texts.decimal("202.5")])
        #expect(bill.total == (try Texts.decimal("652.32")))
        #expect(bill.meanEnergyPrice == (try Texts.decimal("652.32")) / Exact(1116))
        #expect(bill.charges == [])
        #expect(bill.missing == [])
        #expect(bill.slots == 744)
        #expect(bill.isComplete)
    }

    @Test("keep the tables of a period apart")
    func twoTables() throws {
        let book = try TariffFile.parse(Texts.works, file: "t.yaml")
        let bill = try bill(book, "2026-06-30..2026-07-02")
        #expect(bill.energy.map(\.table) == [0, 0, 1])
        #expect(bill.energy.map(\.band.name) == ["peak", "valley", "all"])
        #expect(bill.energy.map(\.quantity) == [Exact(21), Exact(15), Exact(72)])
        // 21 × 1.02 + 15 × 0.3 + 72 × 0.7
        #expect(bill.total == (try Texts.decimal("76.32")))
    }

    @Test("say what is estimated, what is unknown and what has no price")
    func gaps() throws {
        let text = Texts.works.replacing("from: 2026-01-01", with: "from: 2026-01-05")
        let book = try TariffFile.parse(text, file: "t.yaml")
        let period = try #require(AccountingPeriod("2026-01-04..2026-01-05"))
        let schedule = schedule(book, period)
        var counts = Texts.counts(48, each: ScaledInteger(mantissa: 1, exponent: 0))
        counts[3] = .init(increase: nil)
        counts[24 + 9] = .init(
            increase: ScaledInteger(mantissa: 25, exponent: 1), isEstimated: true)
        counts[24 + 10] = .init(increase: nil)
        let bill = book.bill(counts, schedule: schedule, period: period)
        #expect(bill.energy.map(\.quantity) == [try Texts.decimal("14.5"), Exact(10)])
        #expect(bill.energy.map(\.estimated) == [try Texts.decimal("2.5"), .zero])
        #expect(bill.estimatedQuantity == (try Texts.decimal("2.5")))
        #expect(bill.unpriced.keys.map { $0 } == [.noTable])
        #expect(bill.unpricedQuantity == Exact(23))
        #expect(bill.unknownSlots == 2)
        #expect(bill.daysWithoutTable == 1)
        #expect(bill.total == (try Texts.decimal("17.79")))
        #expect(!bill.isComplete)
    }

    @Test("say when the grid does not hold the whole period, and take what it holds")
    func cutOff() throws {
        let book = try Texts.book("")
        let schedule = schedule(book, try #require(AccountingPeriod("2026-01-01..2026-01-30")))
        let counts = Texts.counts(
            schedule.grid.count, each: ScaledInteger(mantissa: 1, exponent: 0))
        let bill = book.bill(counts, schedule: schedule, period: january)
        #expect(bill.total == Exact(720))
        #expect(bill.isCutOff)
        #expect(!bill.isComplete)
        let short = book.bill(Counts(count: 100), schedule: schedule, period: january)
        #expect(short.unknownSlots == 720)
        #expect(short.energy == [])
        #expect(short.meanEnergyPrice == nil)
    }

    // MARK: Charges

    @Test("charge whole months for capacity and by the month, and parts of months by their days")
    func byDays() throws {
        let book = try Texts.book(
            "capacity: { price: 30 CNY/(kVA*month), kva: 100 kVA }\nfixed: 14 CNY/month",
            price: "price: 0 CNY/kWh")
        let whole = try bill(book, "2026-02")
        #expect(whole.charges.map(\.kind) == [.capacity, .fixed])
        #expect(whole.charges.map(\.amount) == [Exact(3000), Exact(14)])
        #expect(whole.total == Exact(3014))
        // 31 of 31 days of January, 14 of 28 of February.
        let part = try bill(book, "2026-01-01..2026-02-14")
        #expect(part.charges.map(\.amount) == [Exact(3000), Exact(14), Exact(1500), Exact(7)])
        #expect(part.charges.map(\.days) == [31, 31, 14, 14])
    }

    @Test("share a month between two tables by the days of each")
    func twoTablesInAMonth() throws {
        let text =
            Texts.text("fixed: 31 CNY/month") + """
                  - { from: 2026-01-11, source: s, status: example, price: 1 CNY/kWh, fixed: 62 CNY/month }
                """
        let bill = try bill(TariffFile.parse(text, file: "t.yaml"), "2026-01")
        #expect(bill.charges.map(\.amount) == [Exact(10), Exact(42)])
        #expect(bill.charges.map(\.table) == [0, 1])
    }

    @Test(
        "charge the demand that was measured, the contracted one at least, and an excess more",
        arguments: [
            ("", "90", ["3600"]), ("", "0", ["0"]), ("", "-5", ["0"]),
            (", contracted: 100 kW", "90", ["4000"]),
            (", contracted: 100 kW", "120", ["4000", "800"]),
            (", contracted: 100 kW, excess: { above: 105 %, share: 200 % }", "105", ["4000"]),
            // 105 kW at 40, 15 kW at 80.
            (
                ", contracted: 100 kW, excess: { above: 105 %, share: 200 % }", "120",
                ["4200", "1200"]
            ),
        ])
    func demand(rule: String, measured: String, amounts: [String]) throws {
        let book = try Texts.book("demand: { price: 40 CNY/(kW*month), over: 15min\(rule) }")
        #expect(book.hasDemandCharge)
        let bill = try bill(
            book, "2026-01",
            months: ["2026-01": TariffMonth(maximumDemand: try Texts.decimal(measured))])
        #expect(bill.charges.map(\.amount) == (try amounts.map { try Texts.decimal($0) }))
        #expect(
            bill.charges.map(\.kind)
                == Array([TariffBill.Kind.demand, .excessDemand].prefix(amounts.count)))
        #expect(bill.isComplete)
    }

    @Test("leave a demand charge out that nobody measured, and say so")
    func missingDemand() throws {
        let book = try Texts.book("demand: { price: 40 CNY/(kW*month), over: 15min }")
        let bill = try bill(
            book, "2026-01-01..2026-02-28",
            months: ["2026-02": TariffMonth(maximumDemand: Exact(10))])
        #expect(bill.missing.map(\.kind) == [.demand])
        #expect(bill.missing.map(\.month.label) == ["2026-01"])
        #expect(bill.missing[0].reason.en == "The greatest demand of the month is not known")
        #expect(bill.charges.map(\.amount) == [Exact(400)])
        #expect(!bill.isComplete)
        #expect(bill.meanEnergyPrice == .one)
    }

    private static let adjusted = """
        capacity: { price: 10 CNY/(kVA*month), kva: 100 kVA }
        demand: { price: 40 CNY/(kW*month), over: 15min }
        fixed: 500 CNY/month
        power_factor: { on: [ON], steps: [{ below: 0.85, percent: 5 }, { percent: -0.5 }] }
        """

    @Test(
        "adjust energy, capacity and demand by the power factor as the table says",
        arguments: [
            // Energy 1116, capacity 1000, demand 400; cos φ 0.8 costs 5 %, 0.96 gives 0.5 % back.
            ("energy", 4, 3, "1116", "55.8"), ("energy, demand", 4, 3, "1516", "75.8"),
            ("energy, capacity, demand", 4, 3, "2516", "125.8"),
            ("energy, capacity, demand", 24, 7, "2516", "-12.58"), ("demand", 1, 0, "400", "-2"),
        ])
    func powerFactor(on: String, active: Int, reactive: Int, base: String, amount: String) throws {
        let book = try Texts.book(Self.adjusted.replacing("ON", with: on))
        let bill = try bill(
            book, "2026-01",
            months: [
                "2026-01": TariffMonth(
                    maximumDemand: Exact(10), active: Exact(active), reactive: Exact(reactive))
            ])
        let line = try #require(bill.charges.last)
        #expect(line.kind == .powerFactor)
        #expect(line.quantity == Exact(text: base))
        #expect(line.amount == Exact(text: amount))
        #expect(bill.total == (try Texts.decimal("3016")) + line.amount)
    }

    @Test(
        "adjust nothing without a power factor, and say why",
        arguments: [
            (
                TariffMonth(maximumDemand: Exact(10), active: Exact(1)),
                "Active or reactive energy of the month is not known"
            ),
            (
                TariffMonth(maximumDemand: Exact(10), active: .zero, reactive: .zero),
                "Active and reactive energy of the month give no power factor"
            ),
            (
                TariffMonth(maximumDemand: Exact(10), active: Exact(-1), reactive: Exact(1)),
                "Active and reactive energy of the month give no power factor"
            ),
            (
                TariffMonth(active: Exact(4), reactive: Exact(3)),
                "The demand charge to which it applies is missing"
            ),
        ])
    func noPowerFactor(measured: TariffMonth, reason: String) throws {
        let book = try Texts.book(Self.adjusted.replacing("ON", with: "energy, demand"))
        let bill = try bill(book, "2026-01", months: ["2026-01": measured])
        #expect(bill.missing.last?.kind == .powerFactor)
        #expect(bill.missing.last?.reason.en == reason)
        #expect(!bill.charges.contains { $0.kind == .powerFactor })
        #expect(!bill.isComplete)
    }

    @Test(
        "compare power factors exactly, and round them only when the table says so",
        arguments: [
            // 117 ÷ √(117² + 44²) is 0.936, 44 ÷ … is 0.352.
            ("", 117, 44, "0.936"), ("places: 2, ", 117, 44, "0.94"),
            ("places: 1, ", 117, 44, "0.9"), ("places: 2, ", 44, 117, "0.35"),
            ("places: 3, ", 44, 117, "0.352"), ("places: 2, ", 1, 1, "0.71"),
            ("", 1, 1, "0.7071"), ("places: 4, ", 0, 7, "0"), ("places: 4, ", 7, 0, "1"),
        ])
    func rounding(places: String, active: Int, reactive: Int, factor: String) throws {
        let book = try Texts.book(
            "power_factor: { \(places)on: energy, "
                + "steps: [{ below: 0.936, percent: 1 }, { below: 0.94, percent: 2 }, { percent: 3 }] }"
        )
        let adjustment = try #require(book.tables[0].charges.powerFactor)
        let found = try #require(
            adjustment.step(active: Exact(active), reactive: Exact(reactive)))
        #expect(found.factor == Exact(text: factor))
        let value = try Texts.decimal(factor)
        let percent =
            value < Exact(936, over: 1000) ? 1 : value < Exact(94, over: 100) ? 2 : 3
        #expect(found.step.percent == Exact(percent))
    }

    // MARK: Splits

    @Test("of a virtual meter come from the splits of its meters, combined")
    func virtualMeter() throws {
        let book = try TariffFile.parse(Texts.works, file: "t.yaml")
        let schedule = schedule(book, january)
        var main = Texts.counts(744, each: ScaledInteger(mantissa: 5, exponent: 0))
        var part = Texts.counts(744, each: ScaledInteger(mantissa: 35, exponent: 1))
        main[0] = .init(increase: nil)
        part[1] = .init(increase: ScaledInteger(mantissa: 35, exponent: 1), isEstimated: true)
        let split = schedule.split(main, period: january)
            .adding(schedule.split(part, period: january), times: Exact(-1))
        let bill = book.bill(split, period: january)
        // 294 × 1.5 in the peak; in the valley 449 × 5 − 450 × 3.5.
        #expect(bill.energy.map(\.quantity) == [Exact(441), Exact(670)])
        #expect(bill.energy.map(\.estimated) == [.zero, Exact(7, over: 2)])
        #expect(bill.unknownSlots == 1)
        #expect(bill.slots == 744)
    }

    @Test("add up over any cut of a period, and with the total of the column", arguments: 1...20)
    func partitions(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let book = try TariffFile.parse(Texts.works, file: "t.yaml")
        let period = try #require(AccountingPeriod("2025-12-20..2026-07-10"))
        let schedule = schedule(book, period)
        let count = schedule.grid.count
        var counts = Counts(count: count)
        for slot in 0..<count where Int.random(in: 0..<20, using: &random) > 0 {
            counts[slot] = .init(
                increase: ScaledInteger(
                    mantissa: Int128(Int.random(in: -5...100_000, using: &random)),
                    exponent: Int.random(in: 0...4, using: &random)),
                isEstimated: Bool.random(using: &random))
        }
        let whole = schedule.split(counts, slots: 0..<count)
        let total = counts.total(0..<count)
        let unpriced = whole.unpriced.values.reduce(TariffSplit.Quantity()) { $0 + $1 }
        #expect(whole.priced.sum + unpriced.sum == total.sum)
        #expect(whole.priced.estimated + unpriced.estimated == total.estimated)
        #expect(whole.priced.slots + unpriced.slots == total.knownSlots)
        #expect(whole.unknownSlots == total.slots - total.knownSlots)
        // The two halves of any cut, read as splits of the same slots, add up to the whole.
        let cut = Int.random(in: 0...count, using: &random)
        let both = schedule.split(counts, slots: 0..<cut)
            .adding(schedule.split(counts, slots: cut..<count))
        #expect(both.parts.mapValues(\.sum) == whole.parts.mapValues(\.sum))
        #expect(both.parts.mapValues(\.estimated) == whole.parts.mapValues(\.estimated))
        #expect(both.unpriced.mapValues(\.sum) == whole.unpriced.mapValues(\.sum))
        // The amount is the sum of the slots at their prices.
        var amount = Exact.zero
        for slot in 0..<count {
            guard case .priced(let part) = schedule[slot], let increase = counts[slot].increase
            else { continue }
            amount += Exact(increase) * book.tables[part.table].bands[part.band].price
        }
        #expect(book.bill(whole, period: period).total == amount, "seed \(seed)")
    }

    @Test("of another book's split price nothing that they do not have")
    func foreign() throws {
        let split = schedule(try TariffFile.parse(Texts.works, file: "t.yaml"), january)
            .split(
                Texts.counts(744, each: ScaledInteger(mantissa: 1, exponent: 0)), period: january)
        let bill = try Texts.book("fixed: 1 CNY/month").bill(split, period: january)
        #expect(bill.energy.map(\.quantity) == [Exact(294)])
        #expect(bill.unpricedQuantity == Exact(450))
        #expect(!bill.isComplete)
    }

    // MARK: As a statement

    @Test("stand in a statement with every line, and with what is missing and why")
    func statement() throws {
        let text = Texts.works.replacing("from: 2026-01-01", with: "from: 2026-01-05")
            .replacing(
                "    price: 0.7 CNY/kWh",
                with: "    price: 0.7 CNY/kWh\n"
                    + "    demand: { price: 40 CNY/(kW*month), over: 15min }\n"
                    + "    fixed: 31 CNY/month")
        let book = try TariffFile.parse(text, file: "t.yaml")
        func printed(_ row: [StatementDocument.Cell]) -> [String] {
            row.map {
                switch $0 {
                case .text(let text): text.en
                case .number(let number): number.text
                case .missing(let why): "– \(why.en)"
                }
            }
        }
        let first = try bill(book, "2026-01-04..2026-01-05")
        let energy = try #require(first.tables(of: book).first)
        let gap = "No table of the tariff covers the day"
        #expect(first.tables(of: book).count == 1)
        #expect(
            energy.rows.map(printed) == [
                ["2026-01-05..2026-06-30", "Peak", "21.00", "0.00", "1.02", "21.42"],
                ["2026-01-05..2026-06-30", "Valley", "15.00", "0.00", "0.3", "4.50"],
                ["– ", gap, "36.00", "0.00", "– \(gap)", "– \(gap)"],
                ["Sum", "", "36.00", "0.00", "0.7200", "25.92"],
            ])
        #expect(energy.sums == [3])
        #expect(energy.rows.allSatisfy { $0.count == energy.columns.count })
        #expect(
            first.notes(of: book).map(\.en) == [
                "Prices 2026-01-05..2026-06-30: a contract (example)",
                "Days that no table of the tariff covers: 1",
            ])
        let july = try bill(book, "2026-07-01..2026-07-02")
        let charges = try #require(july.tables(of: book).last)
        let why = "– The greatest demand of the month is not known"
        #expect(
            charges.rows.map(printed) == [
                ["2026-07", "2026-07-01..", "Fixed charge", "1", "31", "2", "", "2.00"],
                ["2026-07", "2026-07-01..", "Demand charge", why, why, why, why, why],
            ])
        #expect(charges.rows.allSatisfy { $0.count == charges.columns.count })
    }
}
