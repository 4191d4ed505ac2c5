import Foundation
import LocatedText
import Testing
import UplinkFormats

@Suite("Codes of energy items")
struct EnergyItemCodesTests {
    private func config(_ path: String) throws -> String {
        try String(
            contentsOf: Folder.tests.appending(path: "../../Config/\(path)"), encoding: .utf8)
    }

    private func shipped() throws -> EnergyItemCodes {
        try EnergyItemCodes.parse(
            config("uplinks/building-energy-codes.yaml"), file: "building-energy-codes.yaml")
    }

    @Test("have 15 characters: the building's ten, the class of energy and three levels")
    func coding() throws {
        let codes = try shipped()
        #expect(codes.coding(.item("hvac"), building: "330302D110") == "330302D11001B00")
        #expect(codes.coding(.item("room-lighting-sockets"), building: "330302D110")?.count == 15)
        #expect(codes.coding(.carrier("water"), building: "330302D110") == "330302D11002000")
        #expect(codes.coding(.item("water"), building: "330302D110") == nil)
        for building in ["", "330302d110", "330302D11", "33030AD110", "330302D11０", "330302D1100"] {
            #expect(codes.coding(.item("hvac"), building: building) == nil)
        }
    }

    @Test("exist for every item of the catalogue, and begin with the letter that stands there")
    func catalogue() throws {
        let codes = try shipped()
        let items = try LocatedNode.parse(config("energy/items.yaml"), file: "items.yaml")
        let faults = FaultCollector()
        var reader = MappingReader(items, faults)
        let nodes = reader.required("items")?.list(faults) ?? []
        #expect(nodes.count > 15)
        for node in nodes {
            var item = MappingReader(node, faults)
            let name = try #require(item.required("item")?.scalar)
            let letters = try #require(item.required("code")?.scalar)
            let code = try #require(codes[.item(name)], "\(name)")
            #expect(code.tail.dropFirst(2).hasPrefix(letters), "\(name)")
        }
    }

    @Test("say where they come from, and none claims to be verified")
    func sources() throws {
        let codes = try shipped()
        #expect(codes.status == "from-memory")
        #expect(codes.codes.allSatisfy { !$0.source.isEmpty && $0.status != "verified" })
        for carrier in ["electricity", "water", "gas", "heat", "cooling", "diesel"] {
            #expect(codes[.carrier(carrier)] != nil)
        }
    }

    @Test("of a faulty file are refused, all mistakes at once and with their lines")
    func faults() {
        let text = """
            format: energy-item-codes/1
            source: "x"
            status: rumour
            codes:
              - { item: a, code: "01A0", status: project, source: "x" }
              - { item: b, carrier: water, code: "01A00", status: project, source: "x" }
              - { code: "01A00", status: project, source: "x" }
              - { item: c, code: "01A00", status: project, source: "x" }
              - { item: c, code: "01B00", status: project, source: "x" }
              - { item: d, code: "01A00", status: project, source: "x" }
              - { item: e, code: "01C00", status: project, sauce: "x" }
            more: 1
            """
        #expect {
            _ = try EnergyItemCodes.parse(text, file: "codes.yaml")
        } throws: { error in
            guard let faults = error as? Faults else { return false }
            return faults.all.map(\.location.line) == [3, 5, 6, 7, 9, 10, 11, 11, 12]
        }
    }
}

@Suite("The paper on the building energy upload")
struct BuildingEnergyPaperTests {
    @Test("tells every word that an option takes")
    func words() throws {
        let paper = try String(
            contentsOf: Folder.tests.appending(path: "../../docs/uplinks/building-energy.md"),
            encoding: .utf8)
        let words: [String] =
            EnergyFrame.Marks.allCases.map(\.rawValue)
            + EnergyDialect.DigestOrder.allCases.map(\.rawValue)
            + EnergyDialect.Encoding.allCases.map(\.rawValue)
            + EnergyDialect.PlainMessages.allCases.map(\.rawValue)
            + EnergyDialect.TypeWord.allCases.map(\.rawValue)
            + EnergyDialect.SequenceBytes.allCases.map(\.rawValue)
            + EnergyDialect.Amount.allCases.map(\.rawValue)
            + EnergyDialect.PeriodTime.allCases.map(\.rawValue)
            + EnergyDemand.Kind.allCases.map(\.rawValue) + ["energy-item-codes/1"]
        for word in words { #expect(paper.contains(word), "'\(word)' is not told") }
    }
}
