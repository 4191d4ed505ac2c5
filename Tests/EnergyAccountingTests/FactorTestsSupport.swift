import EnergyAccounting
import Foundation
import LocatedText
import Telemetry
import Testing

/// What the tests of factors and quotas write down.
enum Given {
    /// A file below `Config/`.
    static func shippedText(_ path: String) throws -> String {
        let url = URL(filePath: #filePath).appending(path: "../../../Config/\(path)")
            .standardizedFileURL
        return try String(contentsOf: url, encoding: .utf8)
    }

    static func day(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }

    static func period(_ text: String) throws -> AccountingPeriod {
        try #require(AccountingPeriod(text))
    }

    /// A number as it is written.
    static func number(_ text: String) throws -> Exact { try #require(Exact(text: text)) }

    /// A file of factors with these lines.
    static func factors(_ lines: String..., file: String = "f.yaml") throws -> [ConversionFactor] {
        try FactorFile.parse(
            "format: factors/1\nfactors:\n" + lines.map { "  - { \($0) }\n" }.joined(), file: file)
    }

    /// One line of a co2 factor of electricity with `rest` behind it.
    static func grid(_ from: String, _ value: String, _ rest: String = "") -> String {
        "factor: co2, carrier: electricity, region: east, scheme: regional, from: \(from), "
            + "value: \(value) kgCO2/kWh, source: s, status: project\(rest)"
    }

    /// The site's choice as it is written, without faults.
    static func choice(_ lines: String...) throws -> FactorChoice {
        let faults = FaultCollector()
        let choice = FactorChoice.parse(
            try LocatedNode.parse(
                lines.map { "- { \($0) }\n" }.joined(), file: "site.yaml"), faults: faults)
        #expect(faults.faults.map(\.description) == [])
        return choice
    }

    /// The faults that `body` throws, as lines.
    static func faults(_ body: () throws -> some Any) -> [String] {
        do {
            _ = try body()
            return []
        } catch let faults as Faults {
            return faults.all.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }
}
