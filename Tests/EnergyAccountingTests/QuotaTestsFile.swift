import EnergyAccounting
import LocatedText
import Telemetry
import Testing

/// The start of a file with one quota of an area whose other lines follow.
private let area = """
    format: quotas/1
    quotas:
      - quota: office
        title: { en: Office, zh: 办公 }
        kind: area
        unit: kWh/m2
        scope: { jurisdiction: here, building: office }
        from: 2024-01-01
        strength: duty
        source: s
        status: project

    """

/// The same for a saving.
private let saving =
    area.replacing("kind: area", with: "kind: saving") + """
            base: { year: 2020, value: 100 kWh/m2 }
            target: { year: 2025, change: -5 % }

        """

private func faults(_ text: String) -> [String] {
    Given.faults { try QuotaFile.parse(text, file: "q.yaml") }
}

@Suite("A file of quotas")
struct QuotaTestsFile {
    @Test(
        "that is shipped is read",
        arguments: [
            ("public-institution-2025", 9), ("gbt-51161-office", 16), ("gbt-51161-mall", 6),
            ("example-area-quota", 1),
        ])
    func shipped(file: String, count: Int) throws {
        let quotas = try QuotaFile.parse(
            try Given.shippedText("quotas/\(file).yaml"), file: "\(file).yaml")
        #expect(quotas.count == count)
        _ = try QuotaBook(merging: [quotas])
    }

    @Test("leaves to the site what the project does not know or only remembers")
    func standing() throws {
        func book(_ file: String) throws -> QuotaBook {
            try QuotaBook(merging: [
                try QuotaFile.parse(try Given.shippedText("quotas/\(file).yaml"), file: file)
            ])
        }
        let date = try Given.day("2025-06-01")
        let institutions = try book("public-institution-2025")
        #expect(institutions.quotas(on: date, standing: .toFillIn, enabled: []).count == 9)
        #expect(institutions.quotas(on: try Given.day("2026-01-01")).isEmpty)
        let offices = try book("gbt-51161-office")
        #expect(offices.quotas(on: date, standing: .off, enabled: []).count == 16)
        let taken: Set<String> = ["office-b-commercial-hscw"]
        let judged = offices.quotas(on: date, standing: .judged, enabled: taken)
        #expect(judged.map(\.id) == ["office-b-commercial-hscw"])
        #expect(
            judged.first?.limit
                == .yearly(constraint: Exact(110), guide: Exact(80)))
        #expect(
            try book("gbt-51161-mall").quotas(on: date, standing: .toFillIn, enabled: []).count == 6
        )
    }

    @Test("reads percentages against a base year in the order of the texts")
    func percentages() throws {
        let quotas = try QuotaFile.parse(
            try Given.shippedText("quotas/public-institution-2025.yaml"), file: "q")
        let changes = quotas.map { quota -> String in
            guard case .saving(let target) = quota.limit else { return "-" }
            return "\(quota.unit.text) \(target.change.plainText) \(target.baseYear)"
        }
        let three = ["kgce/m2 -5 2020", "kgce/person -6 2020", "kgCO2/m2 -7 2020"]
        #expect(changes == three + three + three)
        #expect(quotas.allSatisfy { $0.strength == .announced })
    }

    @Test(
        "refuses a mistake with its place and what to do",
        arguments: [
            ("kind: area", "kind: aera", "5:11: 'aera' is not accepted here; did you mean 'area'?"),
            (
                "unit: kWh/m2", "unit: kgCO2/m2",
                "6:11: 'kgCO2/m2' is not accepted here; did you mean 'kgce/m2'?"
            ),
            ("quota: office", "quota: Office", "3:12: 'Office' is not a name"),
            ("building: office", "bilding: office", "7:12: 'building' is missing"),
            ("strength: duty", "strength: maybe", "'maybe' is not accepted here; one of: duty"),
            (
                "from: 2024-01-01", "from: 2024-01-01\n    until: 2023-12-31",
                "9:12: the last day 2023-12-31 lies before the first, 2024-01-01"
            ),
            (
                "status: project", "status: project\n    constraint: 85 kWh",
                "12:17: '85 kWh' is in 'kWh', and kWh/m2 is expected; write it in kWh/m2"
            ),
            (
                "status: project", "status: project\n    constraint: 0 kWh/m2",
                "12:17: '0 kWh/m2' is absurd here; from 0.000001 to 1000000000000 kWh/m2"
            ),
            (
                "status: project",
                "status: project\n    constraint: 80 kWh/m2\n    guide: 85 kWh/m2",
                "13:12: the guide lies above the constraint; "
                    + "the guide is the stricter of the two; exchange them"
            ),
            (
                "status: project", "status: project\n    base: { year: 2020 }",
                "12:5: unknown key 'base'"
            ),
            (
                "status: project",
                "status: project\n    tiers: [{ above: 20 %, surcharge: 0.1 CNY/kWh }, "
                    + "{ above: 0 %, surcharge: 0.2 CNY/kWh }]",
                "a tier above 0 % stands behind one above 20 %; write them in ascending order"
            ),
            (
                "status: project",
                "status: project\n    tiers: [{ above: -5 %, surcharge: 0.1 CNY/kWh }]",
                "'-5 %' is absurd here; from 0 to 1000 %"
            ),
            (
                "status: project",
                "status: project\n    tiers: [{ above: 0 %, surcharge: 0.1 CNY/kgce }]",
                "'0.1 CNY/kgce' is in 'CNY/kgce', and CNY/kWh is expected; write it in CNY/kWh"
            ),
            (
                "status: project", "status: project\n    warn: [100 %, 90 %]",
                "the warnings do not ascend; write them in ascending order"
            ),
            (
                "status: project", "status: project\n    warn: [900 %]",
                "'900 %' is absurd here; from 1 to 200 %"
            ),
            (
                "status: project", "status: project\n    corrections: [hours]",
                "'hours' is not accepted here"
            ),
        ])
    func mistakes(right: String, wrong: String, message: String) throws {
        #expect(faults(area) == [])
        try #require(area.contains(right))
        let found = faults(area.replacing(right, with: wrong))
        #expect(found.contains { $0.contains(message) }, "\(found)")
    }

    @Test(
        "refuses a saving that cannot be meant",
        arguments: [
            (
                "-5 %", "-100 %", "'-100 %' is absurd here; from -99 to 100 %"
            ),
            (
                "{ year: 2025, change", "{ year: 2020, change",
                "the target's year 2020 is not after the base's; a year after 2020"
            ),
            (
                "    target: { year: 2025, change: -5 % }\n", "",
                "a saving has a base and a target; add 'base: { year: 2020 }'"
            ),
            (
                "value: 100 kWh/m2", "value: 100 kWh",
                "'100 kWh' is in 'kWh', and kWh/m2 is expected"
            ),
            ("status: project", "status: project\n    guide: 3 kWh/m2", "unknown key 'guide'"),
        ])
    func savings(right: String, wrong: String, message: String) throws {
        #expect(faults(saving) == [])
        try #require(saving.contains(right))
        let found = faults(saving.replacing(right, with: wrong))
        #expect(found.count == 1)
        #expect(found.first?.contains(message) == true, "\(found)")
    }

    @Test("refuses corrections that are doubled or absurd")
    func corrections() {
        let one =
            "  - { correction: c, input: use-hours, constant: 0.3, share: 0.7, "
            + "reference: 2500 h, proportion: inverse, source: s, status: project }\n"
        func file(_ corrections: String) -> [String] {
            faults(area.replacing("quotas:\n", with: "corrections:\n\(corrections)quotas:\n"))
        }
        #expect(file(one) == [])
        #expect(
            file(one + one) == ["q.yaml:4:5: the correction 'c' stands twice; remove one"])
        #expect(
            file(one.replacing("constant: 0.3", with: "constant: -1")).first?
                .hasSuffix("'-1' is absurd here; from 0 to 10") == true)
        #expect(
            file(one.replacing("2500 h", with: "0 h")).first?
                .contains("'0 h' is absurd here; from 0.001 to 100000 h") == true)
        #expect(
            file(one.replacing("2500 h", with: "2500 m2")).first?
                .contains("is in 'm2', and h is expected") == true)
    }

    @Test("refuses two quotas of one id on one day, and lets one follow another")
    func collisions() throws {
        let entry = area.split(separator: "\n").dropFirst(2).joined(separator: "\n") + "\n"
        let again = area + entry
        #expect(
            faults(again) == [
                "q.yaml:12:5: two quotas 'office' hold on one day; the other is at q.yaml:3:5; "
                    + "end it with 'until:' or remove one"
            ])
        let later = area + entry.replacing("2024-01-01", with: "2025-01-01")
        #expect(faults(later) == [])
        let book = try QuotaBook(merging: [try QuotaFile.parse(later, file: "q.yaml")])
        let held = book.quotas(on: try Given.day("2025-03-01"))
        #expect(held.map(\.validity.first.year) == [2025])
        #expect(book.quotas(on: try Given.day("2023-12-31")).isEmpty)
        let one = try QuotaFile.parse(area, file: "a.yaml")
        let other = try QuotaFile.parse(area, file: "b.yaml")
        #expect(Given.faults { try QuotaBook(merging: [one, other]) }.count == 1)
    }

    @Test("tells an id that the site enables and no file has")
    func enabled() throws {
        let book = try QuotaBook(merging: [try QuotaFile.parse(area, file: "q.yaml")])
        let faults = FaultCollector()
        let ids = book.enabled(
            try LocatedNode.parse("[office, ofice]", file: "site.yaml"), faults: faults)
        #expect(ids == ["office"])
        #expect(
            faults.faults.map(\.description) == [
                "site.yaml:1:10: 'ofice' is not accepted here; did you mean 'office'?"
            ])
    }
}
