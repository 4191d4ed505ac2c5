import EnergyAccounting
import Foundation
import TestStatements
import Testing

@Suite("Golden statements")
struct StatementGoldenTests {
    /// Compares with the file, or writes it when `UPDATE_GOLDEN=1`.
    private func compare(_ text: String, with name: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden").appendingPathComponent(name)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        // Bytes, because Swift's strings take a carriage return and its line feed for one.
        let expected = [UInt8](try Data(contentsOf: file))
        #expect([UInt8](text.utf8) == expected, "UPDATE_GOLDEN=1 renews \(name)")
    }

    static let documents = [
        "monthly": SampleStatements.monthly, "hostile": SampleStatements.hostile,
    ]

    @Test("a page reads as it did", arguments: ["monthly", "hostile"], StatementLanguage.allCases)
    func html(name: String, language: StatementLanguage) throws {
        let document = try #require(Self.documents[name])
        let html = StatementHTML(language, hasBothTitles: language == .en)
        try compare(html.page(document), with: "\(name).\(language.rawValue).html")
    }

    @Test("comma-separated values read as they did", arguments: ["monthly", "hostile"])
    func csv(name: String) throws {
        let document = try #require(Self.documents[name])
        try compare(
            StatementCSV(.machine, hasTraces: true).document(document), with: "\(name).csv")
        for language in StatementLanguage.allCases {
            let csv = StatementCSV(.people(language), hasByteOrderMark: true)
            try compare(csv.document(document), with: "\(name).\(language.rawValue).csv")
        }
    }

    @Test("JSON reads as it did", arguments: ["monthly", "hostile"])
    func json(name: String) throws {
        let document = try #require(Self.documents[name])
        let bytes = StatementJSON.bytes(document)
        // A line per row, for whoever reads the difference; white space means nothing to JSON.
        let text = String(decoding: bytes, as: UTF8.self).replacing("},{", with: "},\n{")
        try compare(text + "\n", with: "\(name).json")
    }
}
