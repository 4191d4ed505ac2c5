import EnergyAccounting
import LocatedText
import Telemetry
import Testing

@Suite("The rules of the accounts")
struct AccountRulesTests {
    private let month = AccountingPeriod("2026-03")!

    @Test("a formula that stands alone is a view, and one with meters below it is a main")
    func views() throws {
        let tree = try meterTree(
            """
            - { id: east, counter: east.e }
            - { id: west, counter: west.e }
            - { id: both, formula: east + west }
            - { id: net, formula: east - west }
            - { id: lamp, parent: net, counter: lamp.e }
            - { id: pv, role: generation, counter: pv.e }
            - { id: tap, carrier: water, counter: tap.e }
            """)
        #expect(tree.mains(of: .electricity).map(\.id) == ["east", "west", "net"])
        #expect(tree.mains(of: .water).map(\.id) == ["tap"])
    }

    @Test("a view is told and counts nowhere else")
    func viewCounts() throws {
        let accounts = try SampleAccounts.make(
            "- { id: east, counter: east.e }\n- { id: west, counter: west.e }\n"
                + "- { id: both, formula: east + west }",
            periods: ["2026-03"], now: "2026-04-01"
        ) { meter, _, _ in SampleAccounts.kWh(meter == "east" ? 1 : 2) }
        #expect(accounts.total(of: "both", in: month).sum == Exact(3 * 744))
        #expect(accounts.balance(of: .electricity, in: month)?.imported.sum == Exact(3 * 744))
    }

    @Test("the sides of a balance are what was bought, made, given away and used")
    func sides() throws {
        let accounts = try SampleAccounts.make(
            """
            - { id: main, counter: main.e }
            - { id: pv, role: generation, counter: pv.e }
            - { id: feed, role: export, counter: feed.e }
            """, periods: ["2026-03"], now: "2026-04-01"
        ) { meter, _, _ in SampleAccounts.kWh(["main": 10, "pv": 5, "feed": 2][meter] ?? 0) }
        let balance = try #require(accounts.balance(of: .electricity, in: month))
        #expect(balance.gross.sum == Exact(13 * 744))
        #expect(balance.net.sum == Exact(8 * 744))
        #expect(balance.ownUse.sum == Exact(3 * 744))
    }

    @Test("a difference that is an estimate stays one where it comes to nothing")
    func estimatedAsWhole() {
        var total = Counts.Total()
        (total.knownSlots, total.slots, total.isEstimatedAsWhole) = (3, 3, true)
        let figure = AccountFigure(total, passed: 3)
        #expect(figure.amount == .zero)
        #expect(figure.isEstimated)
        #expect(figure.estimatedShare == nil)
        total.isEstimatedAsWhole = false
        #expect(!AccountFigure(total, passed: 3).isEstimated)
    }

    @Test("a figure is as complete as the slots that have ended are known")
    func completeness() throws {
        let accounts = try SampleAccounts.make(
            "- { id: main, counter: main.e }", periods: ["2026-03"], now: "2026-03-11"
        ) { _, date, hour in
            date.day <= 10 && !(date.day == 2 && hour < 12) ? SampleAccounts.kWh(1) : nil
        }
        #expect(accounts.passed(in: month) == 240)
        #expect(accounts.figure(of: "main", in: month).completeness == Exact(228, over: 240))
        let future = try SampleAccounts.period("2026-03-20")
        #expect(accounts.passed(in: future) == 0)
        #expect(accounts.figure(of: "main", in: future).completeness == nil)
        #expect(accounts.figure(of: "main", in: future).amount == nil)
    }

    @Test("an hour that is still running has not passed")
    func runningHour() throws {
        let accounts = try SampleAccounts.make(
            "- { id: main, counter: main.e }", periods: ["2026-03"], now: "2026-03-11", minutes: 90
        ) { _, date, hour in
            date.day <= 10 || date.day == 11 && hour == 0 ? SampleAccounts.kWh(1) : nil
        }
        #expect(accounts.passed(in: month) == 241)
        #expect(accounts.figure(of: "main", in: month).completeness == .one)
    }

    @Test("readings beyond those expected make up for no others")
    func surplusReadings() {
        var counts = Counts(count: 2)
        counts[0] = Counts.Slot(increase: .zero, good: 12, expected: 6)
        counts[1] = Counts.Slot(increase: .zero, good: 3, expected: 6)
        #expect(AccountFigure(counts.total(0..<2), passed: 2).coverage == Exact(9, over: 12))
    }

    @Test("a formula is covered as far as the worst of its meters")
    func formulaCoverage() throws {
        let accounts = try SampleAccounts.make(
            "- { id: east, counter: east.e }\n- { id: west, counter: west.e }\n"
                + "- { id: both, formula: east + west }",
            periods: ["2026-03-01"], now: "2026-04-01"
        ) { meter, _, _ in
            Counts.Slot(increase: .zero, good: meter == "east" ? 6 : 2, expected: 6)
        }
        let day = try SampleAccounts.period("2026-03-01")
        #expect(accounts.figure(of: "both", in: day).coverage == Exact(1, over: 3))
    }

    @Test("a connection carries its limit and one step of the register, and no more")
    func limit() throws {
        let accounts = try SampleAccounts.make(
            "- { id: main, counter: main.e, limit: 50 kW }", periods: ["2026-03-01"],
            now: "2026-04-01"
        ) { _, _, hour in SampleAccounts.kWh(hour == 4 ? 51 : hour == 5 ? 52 : 50) }
        let day = try SampleAccounts.period("2026-03-01")
        // All hours but the one of 52: 22 · 50 + 51.
        #expect(accounts.total(of: "main", in: day).sum == Exact(1151))
        #expect(accounts.total(of: "main", in: day).knownSlots == 23)
    }

    @Test("slots after the instant are not priced")
    func pricedUntilNow() throws {
        let accounts = try SampleAccounts.make(
            "- { id: main, counter: main.e }", periods: ["2026-03"], now: "2026-03-11",
            change: { plan in
                plan.tariffs = [try TariffFile.parse(TariffTestTexts.works, file: "t.yaml")]
            }
        ) { _, _, _ in SampleAccounts.kWh(1) }
        let bill = try #require(accounts.bill(of: .electricity, in: month))
        #expect(bill.pricedQuantity + bill.unpricedQuantity == Exact(240))
    }

    @Test("a bill over two meters says how many slots of either are not known")
    func unknownInBill() throws {
        let accounts = try SampleAccounts.make(
            "- { id: east, counter: east.e }\n- { id: west, counter: west.e }",
            periods: ["2026-03"], now: "2026-04-01",
            change: { plan in
                plan.tariffs = [try TariffFile.parse(TariffTestTexts.works, file: "t.yaml")]
            }
        ) { meter, date, _ in meter == "east" || date.day > 2 ? SampleAccounts.kWh(1) : nil }
        #expect(accounts.bill(of: .electricity, in: month)?.unknownSlots == 48)
    }

    @Test("a demand is the greatest hour that is measured in every main, and no estimate")
    func demand() throws {
        let accounts = try SampleAccounts.make(
            "- { id: east, counter: east.e }\n- { id: west, counter: west.e }",
            periods: ["2026-03-01"], now: "2026-04-01"
        ) { meter, _, hour in
            switch (meter, hour) {
            case ("east", 5): SampleAccounts.kWh(90, isEstimated: true)
            case ("east", 7): SampleAccounts.kWh(80)
            case ("west", 7): nil
            case ("east", 9), ("east", 11): SampleAccounts.kWh(40)
            case ("west", 9): SampleAccounts.kWh(3)
            default: SampleAccounts.kWh(2)
            }
        }
        let day = try SampleAccounts.period("2026-03-01")
        let found = try #require(accounts.ledger(of: day)?.demand(of: .electricity))
        #expect(found.power == Exact(43))
        #expect(found.slot == 9)
        #expect(accounts.ledger(of: day)?.demand(of: .water) == nil)
    }

    @Test("an output of a year needs every month of it, and a span has none")
    func output() throws {
        var plan = EnergyPlan(tree: .empty)
        let months = (1...12).map { AccountingPeriod(year: 2025, month: $0)! }
        for month in months { plan.entries.output[month] = Exact(10) }
        let year = try SampleAccounts.period("2025")
        #expect(plan.output(over: year) == Exact(120))
        #expect(plan.output(over: months[4]) == Exact(10))
        plan.entries.output[months[4]] = nil
        #expect(plan.output(over: year) == nil)
        #expect(plan.output(over: months[4]) == nil)
        #expect(plan.output(over: try SampleAccounts.period("2025-01-01..2025-01-31")) == nil)
    }

    @Test("an output indicator stands only where every month of the period has its output")
    func outputIndicator() throws {
        func facts(_ months: Range<Int>) throws -> [String] {
            let accounts = try SampleAccounts.make(
                "- { id: main, counter: main.e }", periods: ["2025", "2024"], now: "2026-01-01",
                change: { plan in
                    for month in months {
                        plan.entries.output[try SampleAccounts.period("2025-0\(month)")] = .one
                    }
                    for month in ["2025-10", "2025-11", "2025-12"] {
                        plan.entries.output[try SampleAccounts.period(month)] = .one
                    }
                }
            ) { _, _, _ in SampleAccounts.kWh(1) }
            let document = EnergyStatement.yearly.document(
                of: try SampleAccounts.period("2025"), accounts: accounts, site: "House")
            return document.facts.map(\.key).filter { $0.hasPrefix("per_output") }
                + (try months.count == 9 ? [document.factAsRead("per_output_net")] : [])
        }
        // 8760 kWh by 12 · 10⁴ yuan
        #expect(try facts(1..<10) == ["per_output_gross", "per_output_net", "730.0000"])
        #expect(try facts(1..<9) == [])
    }

    @Test("area and people are the mean over the days, and what is written down comes first")
    func means() throws {
        var plan = EnergyPlan(tree: .empty, floorArea: Exact(1000), people: Exact(20))
        #expect(plan.area(over: month) == Exact(1000))
        #expect(plan.people(over: month) == Exact(20))
        plan.entries.area = DatedSteps([
            .init(from: try Given.day("2026-03-01"), value: Exact(100)),
            .init(from: try Given.day("2026-03-11"), value: Exact(410)),
        ])
        plan.entries.people = DatedSteps([
            .init(from: try Given.day("2026-03-02"), value: Exact(31))
        ])
        // (10 · 100 + 21 · 410) / 31
        #expect(plan.area(over: month) == Exact(9610, over: 31))
        // Nobody has said how many there were on the first.
        #expect(plan.people(over: month) == nil)
        #expect(plan.people(over: try SampleAccounts.period("2026-03-02..2026-03-31")) == Exact(31))
    }

    @Test(
        "a trace is read as it is written",
        arguments: [
            "main@2026-03", "electricity.net@2026", "reclaimed-water.imported@2026-03-01",
            "pv@2026-03-01..2026-03-15",
        ])
    func traces(text: String) throws { #expect(try #require(StatementTrace(text)).text == text) }

    @Test(
        "what is no trace is refused",
        arguments: [
            "main", "main@", "@2026", "main@2026@2027", "steam.net@2026", "electricity.all@2026",
            "a.b.c@2026", "main@2026-13",
        ])
    func noTraces(text: String) { #expect(StatementTrace(text) == nil) }
}

@Suite("What a closed statement differs in")
struct StatementChangesTests {
    private func document(_ rows: [(String, Int?)], fact: Int? = nil) -> StatementDocument {
        var table = StatementDocument.Table(
            key: "meters", title: LocalizedText(en: "Meters", zh: "计量"),
            columns: [
                .init("meter", LocalizedText(en: "Meter", zh: "表"), isNumber: false),
                .init("amount", LocalizedText(en: "Amount", zh: "量")),
            ])
        func cell(_ value: Int?) -> StatementDocument.Cell {
            value.map { .number(.init(Exact($0), places: 1)) }
                ?? .missing(LocalizedText(en: "not known", zh: "未知"))
        }
        table.rows = rows.map { [.word($0), cell($1)] }
        var document = StatementDocument(
            kind: "monthly", title: LocalizedText(en: "M", zh: "月"), site: "s", period: "2026-03",
            tables: [table])
        if let fact {
            document.facts = [.init("area", LocalizedText(en: "Area", zh: "面积"), cell(fact))]
        }
        return document
    }

    private func text(_ changes: [StatementChange]) -> [String] {
        changes.map {
            "\($0.table) \($0.row) \($0.column): \($0.closed ?? "none") \($0.now ?? "none")"
        }
    }

    @Test("are the numbers that are printed differently, are gone or are new, and no others")
    func changes() {
        let closed = document([("a", 1), ("b", 2), ("c", nil), ("d", 4)], fact: 7)
        let today = document([("a", 1), ("b", 3), ("c", 5), ("e", 6)], fact: 8)
        #expect(
            text(closed.changes(to: today)) == [
                "facts area value: 7.0 8.0", "meters b amount: 2.0 3.0",
                "meters d amount: 4.0 none", "meters c amount: none 5.0",
                "meters e amount: none 6.0",
            ])
        #expect(closed.changes(to: closed) == [])
    }

    @Test("lines of one name are told apart by their order")
    func sameName() {
        let closed = document([("a", 1), ("a", 2)])
        #expect(
            text(closed.changes(to: document([("a", 1), ("a", 9)]))) == [
                "meters a (2) amount: 2.0 9.0"
            ])
    }

    @Test("stand below the closed statement, which itself does not change")
    func closed() throws {
        let closed = document([("a", 1)])
        let note = LocalizedText(en: "closed by N", zh: "N 结账")
        let unchanged = closed.closed(note, beside: closed)
        #expect(unchanged.notes == [note])
        #expect(unchanged.tables == closed.tables)
        let corrected = closed.closed(note, beside: document([("a", 2)]))
        #expect(corrected.tables.first == closed.tables.first)
        #expect(
            try corrected.rows("since_closing", ["table", "row", "column", "closed", "now"]) == [
                ["meters", "a", "amount", "1.0", "2.0"]
            ])
    }
}

@Suite("The catalogue of end uses")
struct ItemCatalogueTests {
    private func parse(_ items: String) throws -> ItemCatalogue {
        try ItemCatalogue.parse(
            "format: energy-items/1\nsource: s\nstatus: project\nitems:\n" + items, file: "i.yaml")
    }

    private let good = """
          - { item: hvac, code: B, title: { en: HVAC, zh: 空调用电 } }
          - { item: plant, under: hvac, code: B1, title: { en: Plant, zh: 冷热站 } }
          - { item: pumps, under: plant, code: B11, title: { en: Pumps, zh: 水泵 } }
        """

    @Test("an item belongs to the class at the top above it, and names nobody knows stand alone")
    func topmost() throws {
        let items = try parse(good)
        #expect(items.topmost(of: "pumps") == "hvac")
        #expect(items.topmost(of: "hvac") == "hvac")
        #expect(items.topmost(of: "lift") == "lift")
        #expect(items.title(of: "pumps").zh == "水泵")
        #expect(items.title(of: "lift").zh == "lift")
        #expect(items["plant"]?.code == "B1")
    }

    @Test(
        "says what is wrong with an item, and where",
        arguments: [
            ("- { item: HVAC, code: B, title: H }", "'HVAC' is not a name"),
            ("- { item: hvac, title: H }", "'code' is missing"),
            ("- { item: hvac, code: B }", "'title' is missing"),
            ("- { item: hvac, code: B, title: { en: H } }", "'zh' is missing"),
            (
                "- { item: a, code: A, title: A }\n  - { item: a, code: B, title: B }",
                "the item 'a' stands twice"
            ),
            (
                "- { item: a, under: b, code: A, title: A }\n  - { item: b, code: B, title: B }",
                "no item above this line is called 'b'"
            ),
            ("- { item: a, code: A, title: A, parent: b }", "unknown key 'parent'"),
        ])
    func faults(item: String, message: String) throws {
        let error = try #require(throws: Faults.self) { try parse("  " + item) }
        #expect(error.all.map(\.message) == [message])
        #expect(error.all.allSatisfy { $0.location.line >= 5 })
    }

    @Test("says which meters name an end use that it does not have")
    func binding() throws {
        let tree = try meterTree(
            "- { id: main, counter: m.e }\n- { id: a, parent: main, item: pump, counter: a.e }")
        #expect(
            try parse(good).bindingFaults(tree: tree).map(\.description) == [
                "site.yaml:2:3: 'pump' is no end use of the catalogue; did you mean 'pumps'?"
            ])
        #expect(ItemCatalogue.free.bindingFaults(tree: tree) == [])
    }
}
