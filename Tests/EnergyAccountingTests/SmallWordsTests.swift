import EnergyAccounting
import LocatedText
import Telemetry
import Testing

@Suite("The small words and numbers that all files share")
struct SmallWordsTests {
    /// What is said of a file's value.
    private func read<T>(
        _ text: String, _ parse: (LocatedNode, FaultCollector) -> T?
    ) throws -> (value: T?, faults: [String]) {
        let faults = FaultCollector()
        let node = try LocatedNode.parse("value: \(text)", file: "f.yaml")
        var reader = MappingReader(node, faults)
        let value = reader.required("value").flatMap { parse($0, faults) }
        return (value, faults.faults.map(\.description))
    }

    @Test("a title is one text for both languages, or both of them, and never one of two")
    func titles() throws {
        #expect(
            try read("Office") { LocalizedText.parse($0, $1) }.value
                == LocalizedText(en: "Office", zh: "Office"))
        #expect(
            try read("{ en: Office, zh: 办公 }") { LocalizedText.parse($0, $1) }.value
                == LocalizedText(en: "Office", zh: "办公"))
        let half = try read("{ en: Office, de: Büro }") { LocalizedText.parse($0, $1) }
        #expect(half.value == nil)
        #expect(
            half.faults == [
                "f.yaml:1:8: 'zh' is missing; add 'zh: …'",
                "f.yaml:1:22: unknown key 'de'; known here: en, zh",
            ])
    }

    @Test("a tariff, its bands and its seasons take a title in one language too")
    func tariffTitle() throws {
        let text = TariffTestTexts.works.replacing(
            "title: { en: Works, zh: 工厂 }", with: "title: Works")
        #expect(
            try TariffFile.parse(text, file: "t.yaml").title
                == LocalizedText(en: "Works", zh: "Works"))
    }

    @Test(
        "a name has small letters, digits and hyphens, one letter at least, and 64 bytes at most",
        arguments: [
            ("office-b", nil), ("b1", nil), ("1b", nil),
            ("Office", "small letters a to z, digits and '-'"),
            ("büro", "small letters a to z, digits and '-'"),
            ("'2026'", "a letter a to z among the digits"),
            (String(repeating: "a", count: 64), nil),
            (String(repeating: "a", count: 65), "small letters a to z, digits and '-'"),
        ])
    func names(text: String, remedy: String?) throws {
        let faults = FaultCollector()
        let node = try LocatedNode.parse("- { id: \(text), counter: m.e }", file: "f.yaml")
        let tree = MeterTree.parse(node, faults: faults)
        let expected: [String?] = remedy.map { [$0] } ?? []
        #expect(faults.faults.map(\.remedy) == expected)
        #expect(tree.meters.isEmpty == (remedy != nil))
    }

    @Test("a number with its unit reads micro, squared and cubed as they are typed")
    func units() throws {
        #expect(try read("12.50 m²") { $0.exact(unit: "m2", $1) }.value == Exact(25, over: 2))
        let wrong = try read("12.50 m2") { $0.exact(unit: "m3", $1) }
        #expect(wrong.value == nil)
        #expect(
            wrong.faults == ["f.yaml:1:8: '12.50 m2' is not a number of m3; for example '12 m3'"])
    }

    @Test("every carrier with a meter is one that factors are written for, in its own unit")
    func carriers() {
        for carrier in Carrier.allCases {
            #expect(carrier.factored.metered == carrier)
            #expect(carrier.factored.rawValue == carrier.rawValue)
            #expect(carrier.factored.units.contains(carrier.unit))
            #expect(carrier.factored.text.zh == carrier.title.zh)
        }
        #expect(FactorCarrier.allCases.filter { $0.metered == nil } == [.petrol, .lpg, .coal])
        #expect(FactorCarrier.coal.text.en == "coal")
        #expect(FactorCarrier.coal.units == ["kg"])
    }
}
