import EnergyAccounting
import Foundation
import LocatedText
import TestPeers
import Testing

@testable import Gateway

@Suite("What a site decides about its accounts")
struct EnergyConfigurationTests {
    /// The site with an `energy:` section; files come from `files`, else from the shipped ones.
    private static func parse(
        meters: String = "{ id: main, item: hvac, counter: m.e }", _ energy: String,
        files: [String: String] = [:]
    ) -> (plan: EnergyPlan?, faults: String) {
        let text = """
            site: { id: a, name: A, timezone: Asia/Shanghai, floor_area: 12000 m2, occupants: 80 }
            data: { directory: /tmp }
            links: []
            meters: [ \(meters) ]
            energy: { \(energy) }
            """
        let faults = FaultCollector()
        let site = SiteConfiguration.parse(text, file: "site.yaml", faults: faults) { path in
            if let text = files[path] { return text }
            return try String(contentsOfFile: packageRoot + "/Config/" + path, encoding: .utf8)
        }
        return (site?.energy, faults.faults.map(\.description).joined(separator: "\n"))
    }

    @Test("reads everything that is shipped")
    func shipped() throws {
        let (plan, faults) = Self.parse(
            """
            items: energy/items.yaml,
            tariffs: [tariffs/example-industrial-electricity.yaml, tariffs/example-water.yaml],
            factors: { include: [factors/grid-electricity.yaml, factors/standard-coal.yaml],
              use: [ { factor: co2, carrier: electricity, region: east, scheme: regional } ] },
            quotas: { include: [quotas/example-area-quota.yaml, quotas/gbt-51161-office.yaml],
              inputs: { use-hours: 2800 h, area-per-person: 12 m2/person } },
            entries: entries.yaml,
            particulars: [ { key: owner, title: { en: Owner, zh: 所有权人 }, value: 城建 } ]
            """,
            files: [
                "entries.yaml": """
                format: energy-entries/1
                entries: [ { area: 9000 m2, from: 2026-01-01 } ]
                """
            ])
        #expect(faults == "")
        let found = try #require(plan)
        #expect(found.items["hvac"]?.code == "B")
        #expect(found.tariff(for: .electricity)?.hasDemandCharge == true)
        #expect(found.tariff(for: .water) != nil && found.tariff(for: .gas) == nil)
        #expect(found.quotaInputs[.useHours] == Exact(2800))
        #expect(found.people == Exact(80) && found.floorArea == Exact(12000))
        let march = try #require(AccountingPeriod("2026-03"))
        #expect(found.area(over: march) == Exact(9000))
        #expect(found.particulars.first?.value == "城建")
    }

    @Test(
        "that cannot be is refused with its place and what to do",
        arguments: [
            ("items: energy/none.yaml", "'energy/none.yaml' cannot be read"),
            (
                "items: energy/items.yaml",
                "'hvax' is no end use of the catalogue; did you mean 'hvac'?"
            ),
            (
                "tariffs: [tariffs/example-water.yaml, tariffs/example-water.yaml]",
                "two tariffs are for water; keep one"
            ),
            ("tariffs: tariffs/example-water.yaml", "a list is expected"),
            (
                "factors: { include: [factors/grid-electricity.yaml], use: [ { factor: co2, carrier: electricity, region: est, scheme: regional } ] }",
                "did you mean 'east regional'?"
            ),
            ("factors: { include: [factors/grid-electricity.yaml] }", "'use' is missing"),
            (
                "quotas: { include: [quotas/example-area-quota.yaml], enable: [nothing] }",
                "'nothing' is not accepted here"
            ),
            (
                "quotas: { include: [quotas/example-area-quota.yaml], inputs: { use-hours: 2800 } }",
                "'2800' is not a number of h"
            ),
            ("entries: entries.yaml", "no meter has the id 'mian'"),
            ("particulars: [ { key: owner, value: x } ]", "'title' is missing"),
            ("tarifs: []", "unknown key 'tarifs'; did you mean 'tariffs'?"),
        ])
    func mistakes(energy: String, words: String) {
        let (_, faults) = Self.parse(
            meters: "{ id: main, item: hvax, counter: m.e }", energy,
            files: [
                "entries.yaml": """
                format: energy-entries/1
                entries: [ { certificate: mian, number: 1, issued: 2026-01-01, due: 2027-01-01, by: b } ]
                """
            ])
        #expect(faults.contains(words), "\(faults)")
    }
}
