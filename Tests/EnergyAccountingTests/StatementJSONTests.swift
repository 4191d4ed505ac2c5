import EnergyAccounting
import Foundation
import Telemetry
import TestStatements
import Testing

@Suite("Statements as JSON")
struct StatementJSONTests {
    private func text(_ cells: [[StatementDocument.Cell]], keys: [String] = ["v"]) -> String {
        let none = LocalizedText(en: "", zh: "")
        let document = StatementDocument(
            kind: "k", title: none, site: "", period: "",
            tables: [
                .init(key: "t", title: none, columns: keys.map { .init($0, none) }, rows: cells)
            ])
        return String(decoding: StatementJSON.bytes(document), as: UTF8.self)
    }

    @Test(
        "a number has the digits that are printed, noughts at the end included",
        arguments: [
            ("12.5", 2, "12.50"), ("12.5", 0, "12"), ("-0.004", 2, "0.00"), ("-7", 1, "-7.0"),
            ("12345678901234567.89", 2, "12345678901234567.89"), ("0", 3, "0.000"),
        ])
    func digits(value: String, places: Int, printed: String) throws {
        let number = StatementDocument.Number(try #require(Exact(text: value)), places: places)
        let text = text([[.number(number)]])
        #expect(text.contains(#""v":{"value":\#(printed),"estimated":false}"#))
    }

    @Test("a number says whether it is estimated and what traces it")
    func marks() {
        let number = StatementDocument.Number(
            Exact(3), places: 0, trace: "a/\"b\"", isEstimated: true)
        #expect(
            text([[.number(number)]])
                .contains(#"{"value":3,"estimated":true,"trace":"a/\"b\""}"#))
    }

    @Test("what is missing is null with its reason, a short row's places too")
    func missing() {
        let text = text(
            [[.missing(LocalizedText(en: "no meter", zh: "无表"))]], keys: ["a", "b"])
        #expect(
            text.contains(
                #"{"a":{"value":null,"missing":{"en":"no meter","zh":"无表"}},"#
                    + #""b":{"value":null,"missing":{"en":"","zh":""}}}"#))
    }

    @Test("every sample is JSON, and no object has a name twice")
    func validity() throws {
        for document in [
            SampleStatements.monthly, SampleStatements.yearly, SampleStatements.hostile,
        ] {
            let read = try JSONSerialization.jsonObject(with: Data(StatementJSON.bytes(document)))
            let tables = try #require((read as? [String: Any])?["tables"] as? [[String: Any]])
            #expect(tables.count == document.tables.count)
            for (table, expected) in zip(tables, document.tables) {
                let rows = try #require(table["rows"] as? [[String: Any]])
                #expect(rows.count == expected.rows.count)
                #expect(rows.allSatisfy { $0.count == expected.columns.count })
                #expect(table["sums"] as? [Int] == expected.sums.sorted())
            }
        }
    }

    @Test("a key that stands twice gets an underscore")
    func keys() {
        #expect(text([], keys: ["v", "v", "v_", "v"]).contains(#""key":"v__""#))
        let table = StatementDocument.Table(
            key: "t", title: LocalizedText(en: "", zh: ""),
            columns: ["v", "v", "w"].map { .init($0, LocalizedText(en: "", zh: "")) })
        #expect(table.distinctKeys == ["v", "v_", "w"])
    }
}
