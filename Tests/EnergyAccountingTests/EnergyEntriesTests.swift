import EnergyAccounting
import LocatedText
import Telemetry
import Testing

@Suite("What people write down")
struct EnergyEntriesTests {
    private func faults(_ lines: String) -> [String] {
        do {
            _ = try EnergyEntries.parse(
                "format: energy-entries/1\nentries:\n" + lines, file: "e.yaml")
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    @Test("is read, every kind of it")
    func kinds() throws {
        let entries = try energyEntries(
            """
            - { exchange: main, at: '2026-03-01T10:00:00+08:00', old_end: 84213.4, new_start: 0, reason: broken, by: Li }
            - { ratio: main, at: '2026-04-01T10:00:00+08:00', from: 40, to: 60, register: 812.55, reason: new load, by: Li }
            - { rescale: main, from: '2026-01-01T00:00:00+08:00', to: '2026-02-01T00:00:00+08:00', was: 40, is: 60, reason: typo, by: Li }
            - { adjust: main, from: '2026-01-01T00:00:00+08:00', to: '2026-02-01T00:00:00+08:00', amount: -12.5, source: measured, reason: test run, by: Li }
            - { delivered: generator, first: 2026-03-01, last: 2026-03-31, amount: 1200, source: estimate, by: Wang }
            - { area: 8000 m2, from: 2026-01-01 }
            - { area: 9500 m², from: 2026-06-01 }
            - { people: 120, from: 2026-01-01 }
            - { output: 350.5, month: 2026-03 }
            - { produced: concrete, unit: m3, amount: 1200, month: 2026-03 }
            - { repair: main, from: '2026-03-01T09:00:00+08:00', reason: exchange, by: Li }
            - { certificate: main, number: ZJ-17, issued: 2026-01-05, due: 2027-01-04, by: institute }
            """)
        #expect(entries.exchanges.map(\.oldEnd) == [Exact(842_134, over: 10), Exact(32_502)])
        #expect(entries.exchanges.map(\.newStart) == [.zero, Exact(48_753)])
        #expect(
            entries.exchanges[0].note.by == "Li" && entries.exchanges[0].note.reason == "broken")
        #expect(entries.rescalings[0].factor == Exact(3, over: 2))
        #expect(entries.adjustments[0].amount == Exact(-25, over: 2))
        #expect(!entries.adjustments[0].isEstimated && entries.deliveries[0].isEstimated)
        #expect(entries.area.steps.map(\.value) == [Exact(8000), Exact(9500)])
        #expect(entries.people.value(on: CivilDate("2026-01-01")!) == Exact(120))
        #expect(entries.output[AccountingPeriod("2026-03")!] == Exact(701, over: 2))
        #expect(entries.productions[0].product == "concrete")
        #expect(entries.repairs[0].to == nil)
        #expect(entries.certificates[0].due == CivilDate("2027-01-04"))
    }

    @Test(
        "each mistake is told with its place and what to do",
        arguments: [
            ("- { exchanged: main }", "e.yaml:3:3: nobody knows what this entry is"),
            (
                "- { delivered: g, first: 2026-01-01, last: 2027-01-03, amount: 1, by: b }",
                "a delivery covers 1 to 366 days"
            ),
            (
                "- { delivered: g, first: 2026-01-02, last: 2026-01-01, amount: 1, by: b }",
                "a delivery covers 1 to 366 days"
            ),
            (
                "- { exchange: main, at: yesterday, old_end: 1, new_start: 0, reason: r, by: b }",
                "'yesterday' is not an instant; with its offset"
            ),
            (
                "- { exchange: main, at: '2026-03-01T10:00:00+08:00', new_start: 0, reason: r, by: b }",
                "'old_end' is missing"
            ),
            (
                "- { exchange: main, at: '2026-03-01T10:00:00+08:00', old_end: 1, new_start: 0, reason: r }",
                "'by' is missing"
            ),
            (
                "- { rescale: main, from: '2026-03-01T10:00:00+08:00', to: '2026-03-01T10:00:00+08:00', was: 1, is: 2, reason: r, by: b }",
                "'from' must lie before 'to'"
            ),
            (
                "- { rescale: main, from: '2026-03-01T10:00:00+08:00', to: '2026-03-02T10:00:00+08:00', was: 0, is: 2, reason: r, by: b }",
                "'was' must be above 0"
            ),
            (
                "- { delivered: g, first: 2026-03-31, last: 2026-03-01, amount: 5, by: b }",
                "the first before the last"
            ),
            ("- { delivered: g, first: 2026-03-31, amount: -5, by: b }", "is not negative"),
            ("- { area: 8000, from: 2026-01-01 }", "'8000' is not a number of m2"),
            ("- { area: 0 m2, from: 2026-01-01 }", "must be above 0"),
            ("- { people: 12, from: 2026-02-30 }", "'2026-02-30' is not a day"),
            ("- { output: 1, month: 2026 }", "'2026' is not a month"),
            (
                "- { certificate: m, number: 1, issued: 2026-01-05, due: 2026-01-05, by: b }",
                "due after it was issued"
            ),
            ("- { output: 1, month: 2026-03, colour: red }", "unknown key 'colour'"),
        ])
    func mistakes(line: String, message: String) {
        let found = faults(line)
        #expect(found.contains { $0.contains(message) }, "\(found)")
    }

    @Test("entries that contradict each other are refused at the second")
    func contradictions() {
        let found = faults(
            """
            - { area: 8000 m2, from: 2026-01-01 }
            - { area: 8001 m2, from: 2026-01-01 }
            - { exchange: m, at: '2026-03-01T10:00:00+08:00', old_end: 1, new_start: 0, reason: r, by: b }
            - { exchange: m, at: '2026-03-01T02:00:00Z', old_end: 2, new_start: 0, reason: r, by: b }
            - { delivered: g, first: 2026-03-01, last: 2026-03-31, amount: 5, by: b }
            - { delivered: g, first: 2026-03-31, last: 2026-04-02, amount: 5, by: b }
            """)
        #expect(found.count == 3, "\(found)")
        #expect(found.contains { $0.hasPrefix("e.yaml:4:3: two entries give the area") })
        #expect(found.contains { $0.hasPrefix("e.yaml:6:3: 'm' is exchanged twice") })
        #expect(found.contains { $0.hasPrefix("e.yaml:8:3: the delivery from 2026-03-31 lies in") })
    }

    @Test("entries belong to meters that are there and of their kind")
    func binding() throws {
        let tree = try meterTree(
            """
            - { id: main, counter: m.e }
            - { id: rest, formula: 0.5 * main }
            - { id: generator, carrier: diesel, entries: true }
            """)
        let entries = try energyEntries(
            """
            - { exchange: mian, at: '2026-03-01T10:00:00+08:00', old_end: 1, new_start: 0, reason: r, by: b }
            - { exchange: generator, at: '2026-03-01T10:00:00+08:00', old_end: 1, new_start: 0, reason: r, by: b }
            - { delivered: main, first: 2026-03-01, amount: 5, by: b }
            - { adjust: rest, from: '2026-01-01T00:00:00+08:00', to: '2026-02-01T00:00:00+08:00', amount: 1, reason: r, by: b }
            - { certificate: crane, number: 1, issued: 2026-01-05, due: 2027-01-05, by: b }
            - { delivered: generator, first: 2026-03-01, amount: 5, by: b }
            """)
        let found = entries.bindingFaults(tree: tree).map(\.description)
        #expect(found.count == 5, "\(found)")
        #expect(found.contains { $0.contains("'mian'") && $0.contains("did you mean 'main'?") })
        #expect(found.contains { $0.contains("'generator' has no counter") })
        #expect(found.contains { $0.contains("'main' counts by itself") })
        #expect(found.contains { $0.contains("'rest' is calculated from others") })
        #expect(found.contains { $0.contains("no meter has the id 'crane'") })
    }
}
