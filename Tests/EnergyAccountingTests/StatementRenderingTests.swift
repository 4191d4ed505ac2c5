import EnergyAccounting
import Foundation
import TestStatements
import Testing

@Suite("Statements on paper")
struct LookTests {
    @Test func write() throws {
        for (name, document) in [
            ("monthly", SampleStatements.monthly), ("yearly", SampleStatements.yearly),
            ("hostile", SampleStatements.hostile),
        ] {
            for language in StatementLanguage.allCases {
                let page = StatementHTML(language, hasBothTitles: name == "hostile").page(document)
                try page.write(
                    toFile: "/tmp/render-look/\(name).\(language).html", atomically: true,
                    encoding: .utf8)
            }
        }
    }
}
