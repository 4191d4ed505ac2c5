import EnergyAccounting
import LocatedText
import Testing

/// What a tariff file that cannot be read is told.
enum TariffRefusal {
    static func faults(_ text: String) -> [Fault] {
        do {
            _ = try TariffFile.parse(text, file: "t.yaml")
            return []
        } catch {
            return error.all
        }
    }

    /// The one fault of a text and the line on which it is reported.
    static func onlyFault(
        _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> (message: String, remedy: String, line: String) {
        let faults = faults(text)
        #expect(
            faults.count == 1, "\(faults.map(\.description))", sourceLocation: sourceLocation)
        let fault = try #require(faults.first, sourceLocation: sourceLocation)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line = try #require(
            lines.indices.contains(fault.location.line - 1)
                ? lines[fault.location.line - 1] : nil, sourceLocation: sourceLocation)
        // The columns of the houses' YAML are characters from 1.
        return (
            fault.message, fault.remedy ?? "", String(line.dropFirst(fault.location.column - 1))
        )
    }

    /// Two bands with a price, without their times.
    static let bands =
        "bands: [{ band: peak, price: 1 CNY/kWh }, { band: valley, price: 0.5 CNY/kWh }]\n"
}
