import EnergyAccounting
import LocatedText
import Telemetry
import Testing

private let one = "- { id: main, counter: main.e }"

@Suite("The figures of statements, beside what was worked out by hand")
struct StatementFiguresTests {
    private func statement(
        _ kind: EnergyStatement, _ period: String, _ accounts: EnergyAccounts
    ) throws -> StatementDocument {
        kind.document(of: try SampleAccounts.period(period), accounts: accounts, site: "House")
    }

    @Test("a meter stands beside the month before and the same month of the year before")
    func besides() throws {
        let accounts = try SampleAccounts.make(
            one, periods: ["2026-03", "2026-02", "2025-03"], now: "2026-04-01"
        ) { _, date, _ in SampleAccounts.kWh(date.year == 2025 ? 4 : date.month == 2 ? 10 : 5) }
        // 744 h · 5, 672 h · 10, 744 h · 4
        #expect(
            try statement(.monthly, "2026-03", accounts).rows(
                "meters",
                ["amount", "before", "before_change_percent", "year_before", "year_change_percent"])
                == [["3720.00", "6720.00", "-44.64", "2976.00", "25.00"]])
        #expect(
            try statement(.flash, "2026-03", accounts).rows(
                "comparison",
                ["net", "before", "before_change_percent", "year_before", "year_change_percent"])
                == [["3720.00", "6720.00", "-44.64", "2976.00", "25.00"]])
    }

    @Test("each month of a year is told by its own area, and the year by the mean of its days")
    func monthlyAreas() throws {
        let accounts = try SampleAccounts.make(
            one, periods: ["2025", "2024"], now: "2026-01-01",
            change: { plan in
                plan.entries.area = DatedSteps([
                    .init(from: try Given.day("2025-01-01"), value: Exact(100)),
                    .init(from: try Given.day("2025-02-01"), value: Exact(200)),
                ])
            }
        ) { _, _, _ in SampleAccounts.kWh(1) }
        let rows = try statement(.yearly, "2025", accounts).rows("months", ["month", "per_area"])
        // 744 h by 100 m² and 672 h by 200 m²; 8760 by (31 · 100 + 334 · 200) / 365.
        #expect(rows[0] == ["2025-01", "7.4400"])
        #expect(rows[1] == ["2025-02", "3.3600"])
        #expect(rows.last == ["2025", "45.7425"])
    }

    @Test("a product has a figure only where each month of the period has its number")
    func products() throws {
        let entries = try energyEntries(
            """
              - { produced: concrete, unit: m3, month: 2026-02, amount: 100 }
              - { produced: lifts, unit: pcs, month: 2026-03, amount: 93 }

            """)
        let accounts = try SampleAccounts.make(
            one, periods: ["2026", "2025"], now: "2026-04-01",
            change: { $0.entries = entries }
        ) { _, date, _ in date.year == 2026 && date.month < 4 ? SampleAccounts.kWh(1) : nil }
        let march = try statement(.monthly, "2026-03", accounts)
        #expect(try march.factAsRead("per_lifts_gross") == "8.0000")
        #expect(!march.facts.contains { $0.key.hasPrefix("per_concrete") })
        let year = try statement(.yearly, "2026", accounts)
        #expect(!year.facts.contains { $0.key.hasPrefix("per_lifts") })
    }

    @Test("figures by area keep the mark of an estimate")
    func markedFigures() throws {
        let accounts = try SampleAccounts.make(
            one, periods: ["2026-03"], now: "2026-04-01", change: { $0.floorArea = Exact(93) }
        ) { _, date, hour in SampleAccounts.kWh(1, isEstimated: date.day == 3 && hour == 4) }
        let document = try statement(.monthly, "2026-03", accounts)
        #expect(try document.factAsRead("per_area_gross") == "≈ 8.0000")
        #expect(try document.factAsRead("estimated_percent") == "0.13")
    }

    @Test("heat is returned in GJ, 3.6 MJ to the kWh, and everything else in its own unit")
    func annualReturn() throws {
        let accounts = try SampleAccounts.make(
            one + "\n- { id: hot, carrier: heat, counter: hot.e }"
                + "\n- { id: tap, carrier: water, counter: tap.e }",
            periods: ["2025", "2024"], now: "2026-01-01"
        ) { meter, _, _ in SampleAccounts.kWh(["main": 1, "hot": 10, "tap": 2][meter] ?? 0) }
        // 8760 h; 87 600 kWh · 0.0036
        #expect(
            try statement(.annualReturn, "2025", accounts).rows(
                "annual_return", ["carrier", "amount", "unit", "source"]) == [
                    ["Electricity", "8760.00", "kWh", "meter"],
                    ["Mains water", "17520.00", "m3", "meter"],
                    ["Heat", "315.36", "GJ", "meter"],
                ])
    }

    @Test("a roof's energy is told as generated, given away, used here and set off")
    func photovoltaic() throws {
        let accounts = try SampleAccounts.make(
            one + "\n- { id: pv, role: generation, counter: pv.e }"
                + "\n- { id: feed, role: export, counter: feed.e }",
            periods: ["2026-03"], now: "2026-04-01"
        ) { meter, _, _ in SampleAccounts.kWh(["main": 7, "pv": 5, "feed": 2][meter] ?? 0) }
        // Used here 5 − 2 = 3 of 5; gross 7 + 5 − 2 = 10, of which 3 were made here.
        #expect(
            try statement(.photovoltaic, "2026-03", accounts).rows(
                "photovoltaic", ["line", "amount"]) == [
                    ["Generated", "3720.00"], ["Given away", "1488.00"], ["Used here", "2232.00"],
                    ["Gross use", "7440.00"], ["Set off", "3720.00"], ["Net use", "3720.00"],
                    ["Part of the generation used here", "60.00"],
                    ["Part of the use that was made here", "30.00"],
                ])
    }

    @Test("what was withheld or corrected is told in its own month and in no other")
    func remarks() throws {
        let accounts = try SampleAccounts.make(
            "- { id: main, counter: main.e, limit: 50 kW }", periods: ["2026-01-01..2026-03-31"],
            now: "2026-04-01",
            change: { plan in
                plan.entries = try energyEntries(
                    """
                      - { adjust: main, from: '2026-02-01T00:00:00+08:00',
                          to: '2026-02-02T00:00:00+08:00', amount: 5, by: A, reason: lost }

                    """)
            }
        ) { _, date, hour in
            SampleAccounts.kWh(date.month == 3 && date.day == 9 && hour == 8 ? 9999 : 1)
        }
        func remarks(_ month: String) throws -> [[String]] {
            let document = EnergyView.balance(
                accounts, period: try SampleAccounts.period(month), site: "House")
            guard document.tables.contains(where: { $0.key == "remarks" }) else { return [] }
            return try document.rows("remarks", ["time", "amount"])
        }
        #expect(try remarks("2026-01") == [])
        #expect(try remarks("2026-02") == [["2026-02-01T00:00:00+08:00", "5.00"]])
        #expect(try remarks("2026-03") == [["2026-03-09T08:00:00+08:00", "9999.00"]])
        // The amount is spread over the day, which is an estimate; what was withheld is not known.
        let february = try SampleAccounts.period("2026-02")
        #expect(accounts.figure(of: "main", in: february).amount == Exact(677))
        #expect(accounts.figure(of: "main", in: february).estimated == Exact(29))
        let march = accounts.figure(of: "main", in: try SampleAccounts.period("2026-03"))
        #expect(march.amount == Exact(743))
        #expect(march.completeness == Exact(743, over: 744))
    }

    /// A main meter whose register was exchanged on 10 February, read from 9 to 10 (80 to 90) and
    /// for an hour from `next` on (6 to 9); it counted 1 kWh an hour.
    private func exchanged(
        at: String, next: Int, estimated: Range<Int>
    ) throws -> EnergyAccounts {
        let entries = try energyEntries(
            """
            - { exchange: main, at: '2026-02-10T\(at):00+08:00', old_end: 93, new_start: 1,
                reason: broken, by: Li }
            """)
        let day = try Given.day("2026-02-10")
        let midnight = day.start(calendar: SampleAccounts.calendar)
        func slot(_ hour: Int, _ first: Double, _ last: Double) -> CounterRegisters.Slot {
            CounterRegisters.Slot(
                start: midnight + .seconds(3600 * hour),
                end: midnight + .seconds(3600 * (hour + 1)),
                first: first, last: last, minimum: first, maximum: last)
        }
        let register = AccountNeeds.Register(
            series: try #require(SeriesID("main.e")), at: entries.exchanges[0].at)
        return try SampleAccounts.make(
            one, periods: ["2026-01-01..2026-03-31"], now: "2026-04-01",
            registers: [
                register: CounterRegisters(
                    policy: CounterPolicy(modulus: nil, resets: .manual),
                    slots: [slot(9, 80, 90), slot(next, 6, 9)])
            ], change: { $0.entries = entries }
        ) { _, date, hour in
            SampleAccounts.kWh(1, isEstimated: date == day && estimated.contains(hour))
        }
    }

    @Test("an exchange is told in its own month, with what it changed")
    func exchange() throws {
        let accounts = try exchanged(at: "10:30", next: 11, estimated: 0..<0)
        func remarks(_ month: String) throws -> [[String]] {
            let document = EnergyView.balance(
                accounts, period: try SampleAccounts.period(month), site: "House")
            guard document.tables.contains(where: { $0.key == "remarks" }) else { return [] }
            return try document.rows("remarks", ["time", "what", "amount", "by", "reason"])
        }
        // (93 − 90) + (6 − 1), and the fall itself counted nothing.
        #expect(
            try remarks("2026-02") == [
                ["2026-02-10T10:30:00+08:00", "register exchanged", "8.00", "Li", "broken"]
            ])
        #expect(try remarks("2026-01") == [])
        #expect(try remarks("2026-03") == [])
        // The meter was silent for the hour of the exchange, over which it is spread: an estimate.
        let february = accounts.total(of: "main", in: try SampleAccounts.period("2026-02"))
        #expect(february.sum == Exact(672 + 8))
        #expect(february.estimated == Exact(9))
    }

    @Test("an exchange between two hours that were read leaves no estimate in either")
    func exchangeAtTheHour() throws {
        let accounts = try exchanged(at: "10:00", next: 10, estimated: 9..<11)
        let february = accounts.total(of: "main", in: try SampleAccounts.period("2026-02"))
        #expect(february.sum == Exact(672 + 8))
        #expect(february.estimated == .zero)
    }

    @Test("each part of a period is converted with the factor of its days")
    func factors() throws {
        let accounts = try SampleAccounts.make(
            one, periods: ["2026-03"], now: "2026-04-01",
            change: { plan in
                plan.factors = try FactorBook(
                    merging: [
                        try Given.factors(
                            Given.grid("2025-01-01", "0.5"), Given.grid("2026-03-11", "0.6"))
                    ])
                plan.factorChoice = try Given.choice(
                    "factor: co2, carrier: electricity, region: east, scheme: regional")
            }
        ) { _, _, _ in SampleAccounts.kWh(10) }
        // Ten days at 0.5 and 21 at 0.6: 2400 · 0.5 + 5040 · 0.6
        #expect(
            try statement(.monthly, "2026-03", accounts).rows("carriers", ["co2"])
                == [["4224.00"]])
    }
}

@Suite("The use that quotas count")
struct QuotaUseTests {
    private func judgement(
        isNet: Bool = false, equivalents: [String: String] = [:], _ meters: String,
        slot: (String, CivilDate, Int) -> Counts.Slot?
    ) throws -> QuotaJudgement {
        let quota = """
            format: quotas/1
            quotas:
              - { quota: budget, title: Budget, kind: energy, unit: kWh, net: \(isNet),
                  scope: { jurisdiction: here, building: office }, from: 2026-01-01,
                  constraint: 100000 kWh, strength: duty, source: s, status: project }

            """
        let accounts = try SampleAccounts.make(
            meters, periods: ["2026", "2025"], now: "2026-03-01",
            change: { plan in
                plan.quotas = try QuotaBook(
                    merging: [try QuotaFile.parse(quota, file: "q.yaml")])
                let kind = "factor: electricity-equivalent, region: national, scheme: s"
                plan.factors = try FactorBook(
                    merging: equivalents.map { carrier, value in
                        try Given.factors(
                            "\(kind), carrier: \(carrier), from: 2020-01-01, value: \(value), "
                                + "source: s, status: project")
                    })
                let faults = FaultCollector()
                let lines = equivalents.keys.sorted().map { "- { \(kind), carrier: \($0) }\n" }
                if !lines.isEmpty {
                    plan.factorChoice = FactorChoice.parse(
                        try LocatedNode.parse(lines.joined(), file: "s.yaml"), faults: faults)
                }
                #expect(faults.faults == [])
            }, slot: slot)
        let year = try SampleAccounts.period("2026")
        return try #require(accounts.quotaJudgements(of: year).first)
    }

    private let roof =
        one + "\n- { id: pv, role: generation, counter: pv.e }"
        + "\n- { id: tap, carrier: water, counter: tap.e }"

    private func roofSlot(_ meter: String, _ date: CivilDate, _ hour: Int) -> Counts.Slot? {
        date.year == 2026 && date.month < 3
            ? SampleAccounts.kWh(["main": 10, "pv": 4][meter] ?? 1000) : nil
    }

    @Test("is counted up to the last day that has ended, gross or net of what the roof made")
    func grossAndNet() throws {
        // 59 days of 24 hours
        let gross = try judgement(roof, slot: roofSlot)
        #expect(gross.through == (try Given.day("2026-02-28")))
        #expect(gross.counted == Exact(59 * 24 * 14))
        #expect(gross.use.ownGeneration == Exact(59 * 24 * 4))
        #expect(try judgement(isNet: true, roof, slot: roofSlot).counted == Exact(59 * 24 * 10))
    }

    @Test("takes a day of which an hour is missing for one that is not known")
    func completeness() throws {
        let whole = try judgement(roof, slot: roofSlot)
        #expect(whole.use.completeness == .one)
        let partly = try judgement(roof) { meter, date, hour in
            meter == "main" && date == CivilDate(year: 2026, month: 2, day: 3) && hour == 4
                ? nil : roofSlot(meter, date, hour)
        }
        #expect(partly.use.completeness == Exact(58, over: 59))
        #expect(partly.forecast?.filledDays == 1)
    }

    @Test("counts other carriers by their electricity equivalent, and water never")
    func equivalents() throws {
        let found = try judgement(
            equivalents: ["gas": "10 kWh/m3", "water": "3 kWh/m3"],
            roof + "\n- { id: boiler, carrier: gas, counter: boiler.e }"
        ) { meter, date, hour in
            meter == "boiler" ? roofSlot("pv", date, hour) : roofSlot(meter, date, hour)
        }
        // 10 + 4 kWh of electricity and 4 m³ · 10 kWh an hour
        #expect(found.counted == Exact(59 * 24 * 54))
        #expect(found.use.completeness == .one)
    }

    @Test("leaves water out of kilowatt-hours without a word, and names any other carrier")
    func withoutFactor() throws {
        #expect(try judgement(roof, slot: roofSlot).use.completeness == .one)
        let gas = try judgement(
            one + "\n- { id: boiler, carrier: gas, counter: boiler.e }", slot: roofSlot)
        #expect(gas.use.completeness == .zero)
        #expect(gas.counted == Exact(59 * 24 * 10))
    }
}
