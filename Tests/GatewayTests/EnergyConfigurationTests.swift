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

    /// A baseline of the main meter by the shipped method.
    private static let frozen = """
        format: baseline/1
        baseline: "main-2025"
        subject: "main"
        frozen: 2026-01-15
        method: "ashrae-14-ipmvp"
        version: "1"
        interval: month
        period: 2025-01-01..2025-12-31
        left_out: 0
        intercept: { value: 812.5, standard_error: 31.25 }
        variables:
          - { variable: "hdd", unit: "K·d", heating_below: 18.0, coefficient: 4.5, standard_error: 0.5, least: 0.0, greatest: 412.5 }
        fit: { periods: 12, parameters: 2, mean: 2000.0, r_squared: 0.96, cv_rmse: 4.5, nmbe: 0.0 }
        """

    @Test(
        "an outdoor temperature must be one that a device measures",
        arguments: [
            ("air_temperature", nil), ("relative_humidity", "is no temperature: a gauge in '%RH'"),
            ("air_temperatur", "did you mean 's-1.air_temperature'?"),
        ])
    func outdoor(point: String, words: String?) throws {
        let bound = try BoundText(
            """
            links:
              - id: bus
                modbus: tcp://127.0.0.1:1
                devices: [ { id: s-1, profile: seeed/sensecap-one } ]
            energy: { outdoor: { temperature: s-1.\(point) } }
            """)
        #expect(words.map { bound.faults.contains($0) } ?? (bound.faults == ""), "\(bound.faults)")
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
            outdoor: { temperature: s-1.air_temperature, known_hours: 75 % },
            variables: [ { variable: hdd, heating_below: 18 }, { variable: cdd, cooling_above: 26 } ],
            baselines: { method: baselines/method.yaml, frozen: [main.yaml], contractor_share: 60 % },
            particulars: [ { key: owner, title: { en: Owner, zh: 所有权人 }, value: 城建 } ]
            """,
            files: [
                "entries.yaml": """
                format: energy-entries/1
                entries: [ { area: 9000 m2, from: 2026-01-01 } ]
                """, "main.yaml": Self.frozen,
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
        #expect(found.outdoor?.series.description == "s-1.air_temperature")
        #expect(found.outdoor?.knownHoursPercent == Exact(75))
        #expect(found.variables.map(\.name) == ["hdd", "cdd"])
        #expect(found.baselines?.baseline(of: "main")?.model.intercept.value == 812.5)
        #expect(found.baselines?.contractorPercent == Exact(60))
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
            ("outdoor: { temperature: air }", "'air' is no series"),
            ("variables: [ { variable: hdd, heating_below: 18 } ]", "needs an outdoor temperature"),
            ("baselines: { frozen: [] }", "'method' is missing"),
            (
                "baselines: { method: baselines/method.yaml, frozen: [main.yaml] }",
                "'main-2025' needs the variable 'hdd'"
            ),
            (
                "variables: [ { variable: hdd, of: people } ], baselines: { method: baselines/method.yaml, frozen: [main.yaml] }",
                "has 'hdd' in 'K·d', the site in 'person·d'"
            ),
            (
                "baselines: { method: baselines/method.yaml, frozen: [main.yaml, main.yaml] }",
                "are both baselines of 'main'"
            ),
            (
                "baselines: { method: baselines/method.yaml, contractor_share: 101 % }",
                "from 0 % to 100 %"
            ),
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
                """, "main.yaml": Self.frozen,
            ])
        #expect(faults.contains(words), "\(faults)")
    }
}
