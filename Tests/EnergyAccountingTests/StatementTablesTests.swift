import EnergyAccounting
import LocatedText
import Telemetry
import Testing

/// A house with three parts: 10 kWh an hour come in; in March 2026 (744 h) the shop takes 2, the
/// office 3 and the flat 1, in every other month the flat takes 2.
private let house = """
    - { id: main, counter: main.e }
    - { id: shop, parent: main, counter: shop.e, area: 100 m2, organisation: [Group, North, Shop] }
    - { id: office, parent: main, counter: office.e, area: 200 m2, organisation: [Group, North] }
    - { id: flat, parent: main, counter: flat.e, area: 50 m2, organisation: [Group, South] }
    """

private func houseSlot(_ meter: String, _ date: CivilDate, _ hour: Int) -> Counts.Slot? {
    let amounts = ["main": 10, "shop": 2, "office": 3, "flat": date.month == 3 ? 1 : 2]
    return amounts[meter].map { SampleAccounts.kWh($0) }
}

@Suite("The tables of statements, beside what was worked out by hand")
struct StatementTablesTests {
    private func march(
        _ slot: (String, CivilDate, Int) -> Counts.Slot? = houseSlot
    ) throws -> EnergyAccounts {
        try SampleAccounts.make(
            house, periods: ["2026-03", "2026-02"], now: "2026-04-01", slot: slot)
    }

    @Test(
        "organisations have the total of each level, and what is left at a level stands by itself")
    func organisations() throws {
        let document = EnergyStatement.monthly.document(
            of: try SampleAccounts.period("2026-03"), accounts: try march(), site: "House")
        let rows = try document.rows(
            "organisations", ["part", "title", "level", "amount", "share_percent"])
        #expect(
            rows == [
                ["Group", "Group", "1", "4464.00", "60.00"],
                ["Group / North", "North", "2", "3720.00", "50.00"],
                ["Group / North / Shop", "Shop", "3", "1488.00", "20.00"],
                ["Group / North / –", "North, not below", "3", "2232.00", "30.00"],
                ["Group / South", "South", "2", "744.00", "10.00"],
                ["-", "Not assigned", "1", "2976.00", "40.00"],
                ["", "Total", "", "7440.00", "100.00"],
            ])
        let table = try #require(document.tables.first { $0.key == "organisations" })
        #expect(table.sums == [0, 1, 6])
    }

    @Test("a site without organisations has no table of them")
    func noOrganisations() throws {
        let accounts = try SampleAccounts.make(
            "- { id: main, counter: main.e }", periods: ["2026-03"], now: "2026-04-01",
            slot: houseSlot)
        let document = EnergyView.balance(
            accounts, period: try SampleAccounts.period("2026-03"), site: "House")
        #expect(document.tables.map(\.key) == [])
    }

    @Test("what nobody measures stands beside its share of the period before, in points")
    func balances() throws {
        let columns = [
            "meter", "amount", "children", "unaccounted", "unaccounted_percent", "before_percent",
            "change_points",
        ]
        let document = EnergyView.balance(
            try march(), period: try SampleAccounts.period("2026-03"), site: "House")
        // 10 − 2 − 3 − 1 = 4 of 10, and 3 of 10 in February.
        #expect(
            try document.rows("balances", columns) == [
                ["main", "7440.00", "4464.00", "2976.00", "40.00", "30.00", "10.00"]
            ])
        #expect(!document.tables.contains { $0.key == "balances_by_month" })
        let alone = EnergyView.balance(
            try SampleAccounts.make(
                house, periods: ["2026-03"], now: "2026-04-01", slot: houseSlot),
            period: try SampleAccounts.period("2026-03"), site: "House")
        #expect(
            try alone.rows("balances", ["before_percent", "change_points"]) == [
                ["– not known", "– not known"]
            ])
    }

    @Test("what nobody measures is a share of what was counted while every meter below was known")
    func partlyKnownBalance() throws {
        let accounts = try SampleAccounts.make(
            "- { id: main, counter: main.e }\n- { id: shop, parent: main, counter: shop.e }",
            periods: ["2026-03"], now: "2026-04-01"
        ) { meter, date, _ in
            meter == "main" ? SampleAccounts.kWh(10) : date.day <= 10 ? SampleAccounts.kWh(6) : nil
        }
        let document = EnergyView.balance(
            accounts, period: try SampleAccounts.period("2026-03"), site: "House")
        // 240 h · (10 − 6), of 240 h · 10
        #expect(
            try document.rows("balances", ["amount", "unaccounted", "unaccounted_percent"]) == [
                ["7440.00", "960.00", "40.00"]
            ])
    }

    @Test("several months have what nobody measures by month, without those to come")
    func balancesByMonth() throws {
        let accounts = try SampleAccounts.make(
            house, periods: ["2026", "2025"], now: "2026-04-01"
        ) { $1.year == 2026 && $1.month <= 3 ? houseSlot($0, $1, $2) : nil }
        let document = EnergyStatement.yearly.document(
            of: try SampleAccounts.period("2026"), accounts: accounts, site: "House")
        #expect(
            try document.rows(
                "balances_by_month", ["meter", "month", "unaccounted", "unaccounted_percent"])
                == [
                    ["main", "2026-01", "2232.00", "30.00"],
                    ["main", "2026-02", "2016.00", "30.00"],
                    ["main", "2026-03", "2976.00", "40.00"],
                ])
        let span = EnergyView.balance(
            accounts, period: try SampleAccounts.period("2026-02-27..2026-03-02"), site: "House")
        #expect(
            try span.rows("balances_by_month", ["month", "unaccounted"]) == [
                ["2026-02-27..2026-02-28", "144.00"], ["2026-03-01..2026-03-02", "192.00"],
            ])
    }

    @Test("a breakdown in which a child is estimated is estimated as a whole, also where it is 0")
    func estimates() throws {
        let accounts = try SampleAccounts.make(
            "- { id: main, zone: plant, counter: main.e }\n"
                + "- { id: shop, parent: main, zone: office, counter: shop.e }",
            periods: ["2026-03"], now: "2026-04-01"
        ) { meter, _, hour in SampleAccounts.kWh(5, isEstimated: meter == "shop" && hour == 3) }
        let document = EnergyView.balance(
            accounts, period: try SampleAccounts.period("2026-03"), site: "House")
        #expect(
            try document.rows("zones", ["part", "amount", "estimated_percent"]) == [
                ["office", "≈ 3720.00", "4.17"], ["plant", "≈ 0.00", "– not known"],
                ["", "≈ 3720.00", "4.17"],
            ])
        #expect(
            try document.rows("balances", ["unaccounted", "unaccounted_percent"]) == [
                ["≈ 0.00", "0.00"]
            ])
    }

    @Test("the total of a breakdown holds what nobody assigned")
    func unassigned() throws {
        let accounts = try SampleAccounts.make(
            "- { id: main, counter: main.e }\n"
                + "- { id: shop, parent: main, zone: plant, counter: shop.e }",
            periods: ["2026-03"], now: "2026-04-01", slot: houseSlot)
        let document = EnergyView.balance(
            accounts, period: try SampleAccounts.period("2026-03"), site: "House")
        #expect(
            try document.rows("zones", ["part", "title", "amount", "share_percent"]) == [
                ["plant", "Plant", "1488.00", "20.00"], ["-", "Not assigned", "5952.00", "80.00"],
                ["", "Total", "7440.00", "100.00"],
            ])
    }

    @Test("peers are ranked by their energy for each m², with their median and quartiles")
    func peers() throws {
        let document = EnergyView.intensity(
            try march(), period: try SampleAccounts.period("2026-03"), site: "House")
        // 744 h · 3 kWh / 200 m² = 11.16; 744 · 2 / 100 = 744 · 1 / 50 = 14.88
        #expect(
            try document.rows("peers", ["rank", "meter", "per_area", "from_median_percent"]) == [
                ["1", "office", "11.1600", "-25.00"], ["2", "flat", "14.8800", "0.00"],
                ["2", "shop", "14.8800", "0.00"],
            ])
        #expect(
            try document.rows(
                "peers_spread", ["unit", "peers", "lower_quartile", "median", "upper_quartile"])
                == [["kWh/m2", "3", "13.0200", "14.8800", "14.8800"]])
    }

    @Test("a peer of which an hour is missing has no rank, and one alone has no table")
    func partialPeers() throws {
        let partly = try march { meter, date, hour in
            meter == "flat" && date.day == 5 && hour == 7 ? nil : houseSlot(meter, date, hour)
        }
        let document = EnergyView.intensity(
            partly, period: try SampleAccounts.period("2026-03"), site: "House")
        #expect(
            try document.rows("peers", ["rank", "meter", "per_area"]) == [
                ["1", "office", "11.1600"], ["2", "shop", "14.8800"],
                ["– not known for the whole time", "flat", "– not known for the whole time"],
            ])
        let kinds = try SampleAccounts.make(
            house.replacing(
                "parent: main, counter: flat.e",
                with: "carrier: electricity, item: hvac, counter: flat.e"
            )
            .replacing("area: 200 m2, ", with: ""),
            periods: ["2026-03"], now: "2026-04-01", slot: houseSlot)
        let none = EnergyView.intensity(
            kinds, period: try SampleAccounts.period("2026-03"), site: "House")
        #expect(!none.tables.contains { $0.key.hasPrefix("peers") })
    }

    @Test("an area is a positive number of m²")
    func area() throws {
        for (text, message) in [
            ("area: 350", "'350' is not a number of m2"), ("area: 0 m2", "an area is above 0 m2"),
        ] {
            let faults = FaultCollector()
            _ = MeterTree.parse(
                try LocatedNode.parse("- { id: main, counter: m.e, \(text) }", file: "s.yaml"),
                faults: faults)
            #expect(faults.faults.map(\.message) == [message])
        }
        #expect(
            try meterTree("- { id: main, counter: m.e, area: 350.5 m² }")["main"]?.area?.plainText
                == "350.5")
    }

    @Test("a sum over two meters of which one is silent is half complete")
    func twoMains() throws {
        let accounts = try SampleAccounts.make(
            "- { id: east, counter: east.e }\n- { id: west, counter: west.e }",
            periods: ["2026-03"], now: "2026-04-01"
        ) { meter, _, _ in meter == "east" ? SampleAccounts.kWh(1) : nil }
        let document = EnergyStatement.monthly.document(
            of: try SampleAccounts.period("2026-03"), accounts: accounts, site: "House")
        #expect(
            try document.rows("carriers", ["imported", "completeness_percent"]) == [
                ["744.00", "50.00"]
            ])
    }

    @Test("quotas say where one should stand today, and have the state as a word")
    func quotas() throws {
        let quota = """
            format: quotas/1
            quotas:
              - quota: budget
                title: { en: Budget, zh: 预算 }
                kind: energy
                unit: kWh
                scope: { jurisdiction: here, building: office }
                from: 2026-01-01
                constraint: 100000 kWh
                warn: [90 %]
                strength: duty
                source: s
                status: project

            """
        let accounts = try SampleAccounts.make(
            "- { id: main, counter: main.e }", periods: ["2026", "2025"], now: "2026-07-02",
            change: { plan in
                plan.quotas = try QuotaBook(
                    merging: [try QuotaFile.parse(quota, file: "q.yaml")])
            }
        ) { _, date, _ in
            // Twice as much in the first half of the year before.
            date.year == 2025
                ? SampleAccounts.kWh(date.month < 7 ? 20 : 10)
                : date.month < 7 || date.day == 1 ? SampleAccounts.kWh(10) : nil
        }
        let document = EnergyStatement.quota.document(
            of: try SampleAccounts.period("2026"), accounts: accounts, site: "House")
        // Through 1 July: 182 of 365 days, 182 · 240 = 43 680 used, 100 000 · 182/365 = 49 863.01.
        // The year before: (181 · 480 + 240) of (181 · 480 + 184 · 240) = 87 120 of 131 040.
        #expect(
            try document.rows(
                "quotas",
                ["used", "path", "beside_path", "seasonal_path", "beside_seasonal_path"])
                == [["43680.00", "49863.01", "-6183.01", "66483.52", "-22803.52"]])
        #expect(try document.rows("quotas", ["state_code"]).joined().first == "within")
    }

    @Test("a profile stands beside that of another period, with the load of each part of the time")
    func profile() throws {
        let accounts = try SampleAccounts.make(
            "- { id: main, counter: main.e }", periods: ["2026-03", "2026-02"], now: "2026-03-31"
        ) { _, date, hour in
            SampleAccounts.kWh(hour >= 6 ? 10 : date.month == 3 ? 2 : 4)
        }
        let month = try SampleAccounts.period("2026-03")
        let document = EnergyView.profile(
            accounts, of: try #require(accounts.plan.tree["main"]), period: month,
            night: try #require(NightHours(from: 0, until: 6)),
            quarters: try #require(accounts.ledger(of: month)), site: "House")
        let day = try document.rows("mean_day", ["hour", "working", "working_before", "free"])
        #expect(day[5] == ["05:00", "2.00", "4.00", "2.00"])
        #expect(day[6] == ["06:00", "10.00", "10.00", "10.00"])
        // 18 of 24 hours at 10 kW: three quarters of the time.
        #expect(
            try document.rows("load_duration", ["percent", "power"]).suffix(4) == [
                ["70", "10.00"], ["80", "2.00"], ["90", "2.00"], ["100", "2.00"],
            ])
        let compared = try document.rows(
            "compared", ["indicator", "before", "now", "difference", "change_percent"])
        // (6 · 2 + 18 · 10) / 24 = 8, and 8.5 in February.
        #expect(compared[0] == ["mean power", "8.50", "8.00", "-0.50", "-5.88"])
        #expect(compared[1] == ["base load at night", "4.00", "2.00", "-2.00", "-50.00"])
        #expect(compared[4] == ["night to day", "0.4000", "0.2000", "-0.2000", "-50.00"])
        #expect(try document.factAsRead("peak") == "10.00")
        // What was counted after the instant, on the 31st, is no part of it.
        #expect(try document.factAsRead("completeness_percent") == "100.00")
    }
}
