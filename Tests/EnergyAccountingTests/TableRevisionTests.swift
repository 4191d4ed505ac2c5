import EnergyAccounting
import LocatedText
import Telemetry
import Testing

@Suite("A table that takes the place of another")
struct TableRevisionTests {
    private static func price(_ price: String) -> String {
        """
        format: tariff/1
        tariff: flat
        title: { en: Flat, zh: 单一价 }
        carrier: electricity
        currency: CNY
        tables:
          - { from: 2026-01-01, until: 2026-12-31, source: a test, status: example, price: \(price) CNY/kWh }
        """
    }

    private static func factor(_ value: String, region: String = "east") -> String {
        """
        format: factors/1
        factors:
          - { factor: co2, carrier: electricity, region: \(region), scheme: regional, data_year: 2023,
              from: 2023-01-01, value: \(value) kgCO2/kWh, status: project, source: a test }
        """
    }

    private static func revision(_ old: String, _ new: String) throws -> TableRevision {
        try TableRevision.parse(old: (old, "old.yaml"), new: (new, "new.yaml"))
    }

    /// Two kilowatt-hours in each hour of May.
    private static func accounts(
        _ revision: TableRevision, isNew: Bool, _ plan: (inout EnergyPlan) throws -> Void = { _ in }
    ) throws -> EnergyAccounts {
        try SampleAccounts.make(
            "- { id: main, counter: main.e }", periods: ["2026-05"], now: "2026-06-01",
            change: {
                try plan(&$0)
                $0 = revision.plan($0, isNew: isNew)
            }
        ) { _, _, _ in SampleAccounts.kWh(2) }
    }

    @Test("says what a price was and is, and what that comes to in a month")
    func tariff() throws {
        let revision = try Self.revision(Self.price("0.5"), Self.price("0.75"))
        let document = EnergyView.tableChanges(
            revision,
            accounts: (
                old: try Self.accounts(revision, isNew: false),
                new: try Self.accounts(revision, isNew: true)
            ), period: try SampleAccounts.period("2026-05"), site: "test")
        #expect(
            try document.rows("changes", ["change"]) == [
                [
                    "2026-01-01..2026-12-31 (365 days, 8760 h): All day 0.5 CNY/kWh → All day 0.75 CNY/kWh"
                ]
            ])
        // 2 kWh in 744 hours.
        #expect(
            try document.rows("effects", ["old", "new", "difference", "change_percent"]) == [
                ["744.00", "1116.00", "372.00", "50.00"]
            ])
    }

    @Test("says the same of a factor, and leaves the plan's other factors as they are")
    func factors() throws {
        let revision = try Self.revision(Self.factor("0.5"), Self.factor("0.4"))
        let other = try FactorBook(merging: [
            FactorFile.parse(Self.factor("0.9", region: "north"), file: "other.yaml"),
            FactorFile.parse(Self.factor("0.7"), file: "mine.yaml"),
        ])
        func change(_ plan: inout EnergyPlan) throws {
            plan.factors = other
            plan.factorChoice = try Given.choice(
                "factor: co2, carrier: electricity, region: east, scheme: regional")
        }
        let document = EnergyView.tableChanges(
            revision,
            accounts: (
                old: try Self.accounts(revision, isNew: false, change),
                new: try Self.accounts(revision, isNew: true, change)
            ), period: try SampleAccounts.period("2026-05"), site: "test")
        #expect(try document.rows("changes", ["change"]).count == 1)
        #expect(
            try document.rows("effects", ["unit", "old", "new", "difference"]) == [
                ["kgCO2", "744.00", "595.20", "-148.80"]
            ])
        var plan = EnergyPlan(tree: .empty)
        plan.factors = other
        let factors = revision.plan(plan, isNew: true).factors.factors
        #expect(factors.map(\.key.region) == ["north", "east"])
    }

    @Test("says so when nothing differs")
    func same() throws {
        let revision = try Self.revision(Self.price("0.5"), Self.price("0.5"))
        let document = EnergyView.tableChanges(revision, accounts: nil, period: nil, site: "")
        #expect(document.tables.map(\.rows.count) == [0])
        #expect(document.notes.map(\.en) == ["Nothing differs."])
    }

    @Test("is of the same kind, and a table of its kind")
    func refused() throws {
        #expect(throws: Faults.self) { try Self.revision(Self.price("1"), Self.factor("1")) }
        #expect(throws: Faults.self) { try Self.revision(Self.factor("1"), Self.price("1")) }
        let fault = #expect(throws: Faults.self) {
            try Self.revision("format: quotas/1\n", "format: quotas/1\n")
        }
        #expect(fault?.all.first?.location.file == "old.yaml")
    }
}
