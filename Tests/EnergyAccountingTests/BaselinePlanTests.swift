import EnergyAccounting
import LocatedText
import Telemetry
import Testing

@Suite("Frozen baselines of a site")
struct BaselinePlanTests {
    private func faults(
        meters: String =
            "[ { id: main, counter: m.e }, { id: taps, carrier: water, counter: w.e } ]",
        _ variables: [EnergyVariable]? = nil, method: [String: String] = [:],
        changing changes: ((inout FrozenBaseline) -> Void)...
    ) throws -> String {
        var plan = BaselinePlan(method: try BaselineExample.method(method))
        let all = changes.isEmpty ? [{ _ in }] : changes
        for change in all {
            var baseline = try SavingsSite().frozen()
            change(&baseline)
            plan.frozen.append(.init(baseline, at: SavingsSite.here))
        }
        return plan.bindingFaults(
            tree: try meterTree(meters), variables: variables ?? SavingsSite().variables
        ).map(\.description).joined(separator: "\n")
    }

    private func heating(_ celsius: Double) -> [EnergyVariable] {
        [
            EnergyVariable(
                "hdd", .degreeDays(DegreeDayBase(.heating, celsius: celsius)),
                location: SavingsSite.here)
        ]
    }

    @Test("that fit the site are taken")
    func good() throws { #expect(try faults() == "") }

    @Test("of no meter, of water, or two of one meter are refused")
    func subjects() throws {
        #expect(
            try faults(changing: { $0.subject = "mian" }).contains(
                "'main-2025' is of 'mian', which is no meter; did you mean 'main'?"))
        #expect(
            try faults(changing: { $0.subject = "taps" }).contains(
                "'taps' counts m3, a baseline is in kWh"))
        #expect(
            try faults(changing: { _ in }, { $0.id = "other" }).contains(
                "'main-2025' and 'other' are both baselines of 'main'; keep one of them"))
        #expect(
            try faults(changing: { _ in }, { $0.id = "main_2025" }).contains(
                "the name 'main_2025' is taken"))
    }

    @Test("with a variable that the site does not have, or has otherwise, are refused")
    func variables() throws {
        #expect(try faults([]).contains("'main-2025' needs the variable 'hdd'"))
        #expect(
            try faults(heating(16)).contains(
                "reckons 'hdd' heating_below 18.0, the site heating_below 16.0"))
        let people = [EnergyVariable("hdd", .personDays, location: SavingsSite.here)]
        #expect(try faults(people).contains("has 'hdd' in 'K·d', the site in 'person·d'"))
    }

    @Test("that another method judged are refused")
    func method() throws {
        #expect(
            try faults(changing: { $0.methodVersion = "6" }).contains(
                "was judged by 'example' version 6, the site has 'example' version 7"))
        #expect(try faults(changing: { $0.model.interval = .day }) == "")
    }

    @Test("electricity is told by degree day, area and person-day, worked by hand")
    func normalised() throws {
        var site = SavingsSite()
        site.entries = "  - { people: 12, from: 2026-01-01 }\n"
        let accounts = try site.accounts()
        let january = EnergyView.intensity(
            accounts, period: try #require(AccountingPeriod("2026-01")), site: "s")
        // 1488 kWh, 248 K·d, 1000 m², 12 people for 31 days.
        #expect(january.printedFact("degree_days_hdd") == "248.00")
        #expect(january.printedFact("degree_days_hdd_complete_percent") == "100.00")
        #expect(january.printedFact("per_hdd_gross") == "6.0000")
        #expect(january.printedFact("per_area_hdd_net") == "0.006000")
        #expect(january.printedFact("person_days") == "372.00")
        #expect(january.printedFact("per_person_day_gross") == "4.0000")
    }

    @Test("what cannot be told by weather and people is missing with its reason")
    func missing() throws {
        func intensity(_ site: SavingsSite, _ period: String = "2026-01") throws
            -> StatementDocument
        {
            EnergyView.intensity(
                try site.accounts(), period: try #require(AccountingPeriod(period)), site: "s")
        }
        var site = SavingsSite()
        site.unknownDays = ["2026-01-02", "2026-01-03"]
        let unknown = try intensity(site)
        #expect(
            unknown.printedFact("per_hdd_gross") == "(the temperature of 2 of 31 days is unknown)")
        #expect(unknown.printedFact("degree_days_hdd_complete_percent") == "93.55")
        #expect(
            unknown.printedFact("per_person_day_net")
                == "(the number of people is not known for all days)")
        var warm = SavingsSite()
        warm.months[0].celsius = 20
        #expect(
            try intensity(warm).printedFact("per_hdd_gross") == "(no degree days in the period)")
        var running = SavingsSite()
        running.now = "2026-01-20T00:00:00+08:00"
        #expect(try intensity(running).printedFact("per_hdd_gross") == "(the period has not ended)")
        var without = SavingsSite()
        without.variables = []
        #expect(
            try intensity(without).printedFact("per_degree_day")
                == "(no outdoor temperature is configured)")
    }
}
