import EnergyAccounting
import LocatedText
import Telemetry
import TestSeeds
import Testing

@Suite("A book of factors")
struct FactorTestsBook {
    private let east = "factor: co2, carrier: electricity, region: east, scheme: regional"

    @Test("has the figure of the day, and none before the first, after the last or unchosen")
    func lookup() throws {
        let book = try FactorBook(merging: [
            try Given.factors(
                Given.grid("2022-01-01", "0.6"),
                Given.grid("2023-01-01", "0.5", ", until: 2023-06-30"),
                Given.grid("2024-01-01", "0.4"))
        ])
        let chosen = try Given.choice(east)
        for (date, value) in [
            ("2021-12-31", nil), ("2022-01-01", "0.6"), ("2022-12-31", "0.6"),
            ("2023-01-01", "0.5"), ("2023-06-30", "0.5"), ("2023-07-01", nil),
            ("2024-01-01", "0.4"), ("2099-01-01", "0.4"),
        ] {
            let found = book.factor(.co2, .electricity, on: try Given.day(date), choice: chosen)
            #expect(found?.value.plainText == value, "\(date)")
        }
        let today = try Given.day("2024-05-05")
        #expect(book.factor(.coal, .electricity, on: today, choice: chosen) == nil)
        #expect(book.factor(.co2, .gas, on: today, choice: chosen) == nil)
        let other = try Given.choice("factor: co2, region: south, scheme: regional")
        #expect(book.factor(.co2, .electricity, on: today, choice: other) == nil)
        #expect(
            book.factor(.co2, .electricity, on: today, choice: FactorChoice([])) == nil)
    }

    @Test("keeps to a data year when the site has chosen one")
    func dataYear() throws {
        let book = try FactorBook(merging: [
            try Given.factors(
                Given.grid("2022-01-01", "0.6", ", data_year: 2022"),
                Given.grid("2023-01-01", "0.5", ", data_year: 2023"))
        ])
        let of2022 = try Given.choice(east + ", data_year: 2022")
        let found = book.factor(.co2, .electricity, on: try Given.day("2025-01-01"), choice: of2022)
        #expect(found?.value == (try Given.number("0.6")))
    }

    @Test("prefers a carrier's own line over the line for all carriers")
    func ownLine() throws {
        let chosen = try Given.choice(
            "factor: coal, region: national, scheme: reference",
            "factor: coal, carrier: electricity, region: national, scheme: equivalent")
        #expect(chosen.line(.coal, .electricity)?.scheme == "equivalent")
        #expect(chosen.line(.coal, .diesel)?.scheme == "reference")
        #expect(chosen.line(.co2, .diesel) == nil)
    }

    @Test("cuts a period where the factor changes and where there is none")
    func parts() throws {
        let book = try FactorBook(merging: [
            try Given.factors(
                Given.grid("2023-02-10", "0.6", ", until: 2023-02-20"),
                Given.grid("2023-02-25", "0.5"),
                Given.grid("2023-04-01", "0.4"))
        ])
        let parts = book.parts(
            of: try Given.period("2023-02"), .co2, .electricity, choice: try Given.choice(east))
        #expect(
            parts.map { "\($0.first)..\($0.last) \($0.factor?.value.plainText ?? "-")" } == [
                "2023-02-01..2023-02-09 -", "2023-02-10..2023-02-20 0.6",
                "2023-02-21..2023-02-24 -", "2023-02-25..2023-02-28 0.5",
            ])
        let none = book.parts(
            of: try Given.period("2022"), .co2, .electricity, choice: try Given.choice(east))
        #expect(none.map(\.factor) == [nil])
    }

    @Test("covers every day of any period once, with the factor of that day")
    func partsProperty() throws {
        var random = SeededGenerator(51)
        for _ in 0..<200 {
            var lines: [String] = []
            var from = try Given.day("2023-01-01")
            for index in 0..<Int.random(in: 1...5, using: &random) {
                from = from.advanced(days: Int.random(in: 1...60, using: &random))
                let last = from.advanced(days: Int.random(in: 0...40, using: &random))
                let end = random.oneIn(2) ? ", until: \(last)" : ""
                lines.append(Given.grid("\(from)", "0.\(index + 1)", end))
                if !end.isEmpty { from = last }
            }
            let text = "format: factors/1\nfactors:\n" + lines.map { "  - { \($0) }\n" }.joined()
            let book = try FactorBook(merging: [try FactorFile.parse(text, file: "f.yaml")])
            let chosen = try Given.choice(east)
            let first = try Given.day("2023-01-01").advanced(
                days: Int.random(in: 0...200, using: &random))
            let whole = try #require(
                AccountingPeriod(
                    from: first,
                    through: first.advanced(days: Int.random(in: 0...200, using: &random))))
            var next = whole.first
            for part in book.parts(of: whole, .co2, .electricity, choice: chosen) {
                #expect(part.first == next)
                #expect(part.first <= part.last)
                for edge in [part.first, part.last] {
                    let found = book.factor(.co2, .electricity, on: edge, choice: chosen)
                    #expect(found == part.factor)
                }
                next = part.last.advanced(days: 1)
            }
            #expect(next == whole.last.advanced(days: 1))
        }
    }

    @Test("converts part by part, and names the factors and what had none")
    func conversion() throws {
        let book = try FactorBook(merging: [
            try Given.factors(Given.grid("2022-12-16", "0.6"), Given.grid("2023-01-01", "0.5"))
        ])
        let chosen = try Given.choice(east)
        let result = book.converted(
            .co2,
            [
                CarriedQuantity(
                    .electricity, Exact(1000), unit: "kWh",
                    in: try Given.period("2022-12-16..2022-12-31")),
                CarriedQuantity(
                    .electricity, Exact(300), unit: "kWh", in: try Given.period("2023-01")),
                CarriedQuantity(
                    .electricity, Exact(100), unit: "kWh", in: try Given.period("2023-02")),
                CarriedQuantity(
                    .electricity, Exact(70), unit: "kWh",
                    in: try Given.period("2022-12-20..2023-01-10")),
                CarriedQuantity(
                    .electricity, Exact(8), unit: "kWh", in: try Given.period("2022-11")),
                CarriedQuantity(.gas, Exact(9), unit: "m3", in: try Given.period("2023-01")),
                CarriedQuantity(
                    .electricity, Exact(1), unit: "MJ", in: try Given.period("2023-01")),
            ], choice: chosen)
        // 1000 · 0.6 + 400 · 0.5
        #expect(result.known == Exact(800))
        #expect(result.complete == nil)
        #expect(result.factors.map(\.value.plainText) == ["0.6", "0.5"])
        #expect(
            result.missing.map(\.reason) == [
                .crossesChange(on: try Given.day("2023-01-01")), .noFactor, .notChosen, .wrongUnit,
            ])
        #expect(result.missing.map(\.quantity.amount) == [70, 8, 9, 1].map { Exact($0) })
        #expect(
            result.missing.first?.reason.text.en
                == "the factor changes on 2023-01-01 and the quantity is not split there")
        let whole = book.converted(
            .co2,
            [
                CarriedQuantity(
                    .electricity, Exact(3), unit: "kWh", in: try Given.period("2023-03-01"))
            ],
            choice: chosen)
        #expect(whole.complete == (try Given.number("1.5")))
    }

    @Test("weighs a fuel that is bought by the litre with the density of its days")
    func litres() throws {
        let fuel =
            "factor: coal, carrier: diesel, region: national, scheme: reference, "
            + "from: 2020-01-01, value: 1.4571 kgce/kg, source: s, status: from-memory"
        let density =
            "factor: density, carrier: diesel, region: national, scheme: reference, "
            + "from: 2024-01-01, value: 0.84 kg/L, source: s, status: project"
        let petrol =
            "factor: coal, carrier: petrol, region: national, scheme: reference, "
            + "from: 2020-01-01, value: 1.1 kgce/L, source: s, status: project"
        let petrolDensity =
            "factor: density, carrier: petrol, region: national, scheme: reference, "
            + "from: 2020-01-01, value: 0.75 kg/L, source: s, status: project"
        let book = try FactorBook(merging: [try Given.factors(fuel, density, petrol, petrolDensity)]
        )
        let chosen = try Given.choice(
            "factor: coal, region: national, scheme: reference",
            "factor: density, region: national, scheme: reference")
        func convert(_ quantity: CarriedQuantity) -> FactorConversion {
            book.converted(.coal, [quantity], choice: chosen)
        }
        let litres = convert(
            CarriedQuantity(.diesel, Exact(100), unit: "L", in: try Given.period("2024-02")))
        // 100 L · 0.84 kg/L · 1.4571 kgce/kg
        #expect(litres.complete == (try Given.number("122.3964")))
        #expect(litres.factors.map(\.key.kind) == [.coal, .density])
        let before = convert(
            CarriedQuantity(.diesel, Exact(100), unit: "L", in: try Given.period("2023-02")))
        #expect(before.missing.map(\.reason) == [.noDensity])
        let weighed = convert(
            CarriedQuantity(.diesel, Exact(10), unit: "kg", in: try Given.period("2023-02")))
        #expect(weighed.complete == (try Given.number("14.571")))
        // 75 kg : 0.75 kg/L = 100 L, 1.1 kgce each
        let backwards = convert(
            CarriedQuantity(.petrol, Exact(75), unit: "kg", in: try Given.period("2023-02")))
        #expect(backwards.complete == Exact(110))
    }

    @Test("tells in words what is different from an older one")
    func differences() throws {
        let old = try FactorBook(merging: [
            try Given.factors(
                Given.grid("2021-01-01", "0.7"), Given.grid("2022-01-01", "0.6"),
                Given.grid("2023-01-01", "0.5"),
                file: "old.yaml")
        ])
        let new = try FactorBook(merging: [
            try Given.factors(
                Given.grid("2022-01-01", "0.6"),
                Given.grid("2023-01-01", "0.55", ", data_year: 2023"),
                Given.grid("2024-01-01", "0.4"), file: "new.yaml")
        ])
        #expect(
            new.differences(from: old).map(\.text.en) == [
                "carbon dioxide of electricity (east regional 2023-01-01) is different: "
                    + "0.5 kgCO2/kWh -> 0.55 kgCO2/kWh; – -> data_year 2023",
                "carbon dioxide of electricity (east regional 2024-01-01) is new: 0.4 kgCO2/kWh",
                "carbon dioxide of electricity (east regional 2021-01-01) is gone: 0.7 kgCO2/kWh",
            ])
        #expect(new.differences(from: new).isEmpty)
    }
}

@Suite("A site's choice of factors")
struct FactorTestsChoice {
    private func parse(_ text: String) throws -> (FactorChoice, [String]) {
        let faults = FaultCollector()
        let choice = FactorChoice.parse(
            try LocatedNode.parse(text, file: "site.yaml"), faults: faults)
        return (choice, faults.faults.map(\.description))
    }

    @Test("tells its mistakes, and a misspelt carrier does not choose for all carriers")
    func mistakes() throws {
        let (chosen, faults) = try parse(
            """
            - { factor: co2, carrier: electrcity, region: east, scheme: regional }
            - { factor: coal, region: national, scheme: reference }
            - { factor: coal, region: national, scheme: equivalent }
            """)
        #expect(chosen.lines.map(\.scheme) == ["reference"])
        #expect(
            faults == [
                "site.yaml:1:27: 'electrcity' is not accepted here; did you mean 'electricity'?",
                "site.yaml:3:3: 'coal' is chosen twice; the first is at site.yaml:2:3; keep one",
            ])
    }

    @Test("that names what no file holds is told with the nearest spelling")
    func binding() throws {
        let book = try FactorBook(merging: [
            try Given.factors(Given.grid("2023-01-01", "0.5", ", data_year: 2023"))
        ])
        let (chosen, _) = try parse(
            """
            - { factor: co2, carrier: electricity, region: eats, scheme: regional }
            - { factor: co2, region: east, scheme: regional, data_year: 2024 }
            - { factor: coal, carrier: electricity, region: national, scheme: equivalent }
            - { factor: co2, carrier: gas, region: east, scheme: regional }
            """)
        #expect(
            chosen.bindingFaults(book: book).map(\.description) == [
                "site.yaml:1:3: no 'co2' of electricity is held for 'eats regional'; "
                    + "did you mean 'east regional'?",
                "site.yaml:2:3: no 'co2' of any carrier of 2024 is held for 'east regional'; "
                    + "choose another 'data_year', or leave it out",
                "site.yaml:3:3: no 'coal' of electricity is held for 'national equivalent'; "
                    + "include a file of factors that holds it",
                "site.yaml:4:3: no 'co2' of gas is held for 'east regional'; "
                    + "include a file of factors that holds it",
            ])
    }
}
