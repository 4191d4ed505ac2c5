import EnergyAccounting
import LocatedText
import Telemetry
import Testing

@Suite("A file of factors")
struct FactorTestsFile {
    @Test("that is shipped is read, and says of every figure how sure it is")
    func shipped() throws {
        let grid = try FactorFile.parse(
            try Given.shippedText("factors/grid-electricity.yaml"), file: "grid-electricity.yaml")
        let coal = try FactorFile.parse(
            try Given.shippedText("factors/standard-coal.yaml"), file: "standard-coal.yaml")
        let book = try FactorBook(merging: [grid, coal])
        #expect(book.factors.count == grid.count + coal.count)
        let nobodyRead = book.factors.filter { $0.evidence == .verified }
        #expect(nobodyRead.isEmpty)
        let east = try Given.choice(
            "factor: co2, region: east, scheme: regional",
            "factor: coal, carrier: electricity, region: national, scheme: equivalent")
        let found = try #require(
            book.factor(.co2, .electricity, on: try Given.day("2025-06-01"), choice: east))
        #expect(found.value == (try Given.number("0.55")))
        #expect(found.dataYear == 2023)
        #expect(found.evidence == .secondary)
        #expect(
            found.note.en
                == "carbon dioxide of electricity: 0.55 kgCO2/kWh (east, regional, 2023); "
                + "the notice of 2023, 华东; read where it is quoted")
        let equivalent = book.factor(
            .coal, .electricity, on: try Given.day("2026-01-01"), choice: east)
        #expect(equivalent?.value == (try Given.number("0.1229")))
        #expect(equivalent?.evidence == .fromMemory)
    }

    @Test(
        "refuses a line with its place, what is wrong and what to do",
        arguments: [
            (
                "factor: co3,", "factor: co2,",
                "3:15: 'co3' is not accepted here; did you mean 'co2'?"
            ),
            (
                "carrier: electrcity", "carrier: electricity",
                "3:29: 'electrcity' is not accepted here; did you mean 'electricity'?"
            ),
            (
                "region: East", "region: east",
                "'East' is not a name; small letters a to z, digits and '-'"
            ),
            ("from: 2023-02-30", "from: 2023-01-01", "'2023-02-30' is not a day"),
            (
                "value: 0.55 kgCO2/m3", "value: 0.55 kgCO2/kWh",
                "'0.55 kgCO2/m3' is in 'kgCO2/m3', and kgCO2/kWh is expected; "
                    + "write it in kgCO2/kWh"
            ),
            (
                "value: high", "value: 0.55 kgCO2/kWh",
                "'high' is not a number of kgCO2/kWh; for example '12 kgCO2/kWh'"
            ),
            (
                "value: -1 kgCO2/kWh", "value: 0.55 kgCO2/kWh",
                "'-1 kgCO2/kWh' is no factor; it is not negative"
            ),
            (
                "value: 99999999999999999999999999999999999 kgCO2/kWh", "value: 0.55 kgCO2/kWh",
                "is no factor"
            ),
            ("status: guessed", "status: project", "'guessed' is not accepted here; one of:"),
            ("source: ' '", "source: s", "nothing is said here; write where the figure comes from"),
            ("data_year: 23,", "", "23 is not a year; four digits, for example '2023'"),
            ("years: 2023,", "", "unknown key 'years'; known here: carrier, data_year, factor"),
            (
                "until: 2022-12-31,", "",
                "the last day 2022-12-31 lies before the first, 2023-01-01; "
                    + "'until' is the last day on which it holds"
            ),
        ])
    func mistakes(wrong: String, right: String, message: String) throws {
        let line =
            "factor: co2, carrier: electricity, region: east, scheme: regional, "
            + "from: 2023-01-01, value: 0.55 kgCO2/kWh, source: s, status: project"
        #expect(Given.faults { try Given.factors(line) } == [])
        let broken = right.isEmpty ? "\(wrong) \(line)" : line.replacing(right, with: wrong)
        let found = Given.faults { try Given.factors(broken) }
        #expect(found.count == 1)
        #expect(found.first?.contains(message) == true, "\(found)")
    }

    @Test("tells all of its mistakes at once")
    func all() {
        let found = Given.faults {
            try Given.factors(
                "factor: co2", Given.grid("2023-01-01", "x"),
                Given.grid("2023-01-01", "0.5", ", a: b"))
        }
        let missing = found.filter { $0.hasPrefix("f.yaml:3:5: '") && $0.contains("' is missing") }
        #expect(missing.count == 7)
        #expect(found.count == 9)
    }

    @Test("knows densities of what is bought by the litre, and of nothing else")
    func densities() {
        func density(_ carrier: String, _ value: String) -> [String] {
            Given.faults {
                try Given.factors(
                    "factor: density, carrier: \(carrier), region: national, scheme: supplier, "
                        + "from: 2024-01-01, value: \(value), source: s, status: project")
            }
        }
        #expect(density("diesel", "0.84 kg/L") == [])
        #expect(density("diesel", "0 kg/L").first?.contains("a density is above nought") == true)
        #expect(
            density("gas", "0.7 kg/L").first?
                .hasSuffix("gas is not bought by the litre; remove the density") == true)
    }

    @Test(
        "refuses two figures of one row on one day",
        arguments: [
            // first line's days, second line's days, whether they meet
            ("2021-01-01", "", "2022-01-01", "", false),
            ("2022-01-01", "", "2021-01-01", "", false),
            ("2021-01-01", "", "2021-01-01", "", true),
            ("2021-01-01", ", until: 2021-12-31", "2022-01-01", "", false),
            ("2021-01-01", ", until: 2022-01-01", "2022-01-01", "", true),
            ("2022-01-01", "", "2021-01-01", ", until: 2022-01-01", true),
        ])
    func collisions(
        first: String, firstEnd: String, second: String, secondEnd: String, meet: Bool
    ) throws {
        let found = Given.faults {
            try Given.factors(
                Given.grid(first, "0.5", firstEnd), Given.grid(second, "0.6", secondEnd))
        }
        let message =
            "f.yaml:4:5: two factors 'co2' of electricity for 'east regional' hold on one day; "
            + "the other is at f.yaml:3:5; end it with 'until:' or remove one"
        #expect(found == (meet ? [message] : []))
        let other = try Given.factors(Given.grid(first, "0.5", firstEnd), file: "a.yaml")
        let one = try Given.factors(Given.grid(second, "0.6", secondEnd), file: "b.yaml")
        #expect(Given.faults { try FactorBook(merging: [other, one]) }.count == (meet ? 1 : 0))
    }
}
