import LocatedText
import Telemetry

/// Reads prices of one tariff and sees to it that they agree in currency and unit.
struct TariffPriceText {
    let carrier: String?
    let currency: String?
    let faults: FaultCollector
    /// What the energy prices are per; the first one decides it.
    private(set) var unit: String?

    init(carrier: String?, currency: String?, faults: FaultCollector) {
        self.carrier = carrier
        self.currency = currency
        self.faults = faults
    }

    /// In what carriers are sold; one that is not named here is sold in any unit.
    ///
    /// Electricity is priced per kWh only, because its counts are kWh and a price per MWh beside
    /// them would be a thousand times off without anybody seeing it.
    private static let units: [String: [String]] = [
        "electricity": ["kWh"], "water": ["m3", "t"], "hot-water": ["m3", "t"],
        "gas": ["m3", "Nm3", "kWh", "MJ"], "heat": ["kWh", "MJ", "GJ"],
        "cooling": ["kWh", "MJ", "GJ"], "steam": ["t", "kg", "GJ", "MJ"],
        "diesel": ["L", "kg", "t"], "petrol": ["L", "kg", "t"], "lpg": ["kg", "t", "m3", "L"],
        "coal": ["kg", "t"],
    ]

    /// The price of a unit of what is sold, `0.5283 CNY/kWh`.
    mutating func energyPrice(_ node: LocatedNode) -> Exact? {
        guard let (value, unit) = price(node, example: "0.5 CNY/kWh") else { return nil }
        if let carrier, let accepted = Self.units[carrier], !accepted.contains(unit) {
            faults.add(
                node.location, "a price per '\(unit)' does not fit \(carrier)",
                remedy: "write it per \(accepted.joined(separator: ", "))")
            return nil
        }
        guard Self.isUnit(unit) else {
            faults.add(
                node.location, "'\(unit)' is not a unit", remedy: "letters and digits, 'kWh'")
            return nil
        }
        if let first = self.unit, first != unit {
            faults.add(
                node.location,
                "a price per '\(unit)' in a tariff whose first price is per '\(first)'",
                remedy: "write all of them per \(first)")
            return nil
        }
        self.unit = unit
        return value
    }

    /// The price of a month or of a unit in it, `30 CNY/(kVA*month)`; not below zero.
    func monthlyPrice(_ node: LocatedNode, per expected: String) -> Exact? {
        guard let (value, unit) = price(node, example: "30 CNY/\(expected)") else { return nil }
        let plain = unit.filter { $0 != "(" && $0 != ")" && $0 != " " }
        guard plain == expected.filter({ $0 != "(" && $0 != ")" }) else {
            faults.add(
                node.location, "the price is per '\(unit)'", remedy: "write it per \(expected)")
            return nil
        }
        if value.isNegative {
            faults.add(node.location, "a charge by the month cannot be negative")
            return nil
        }
        return value
    }

    /// A number, the currency and what it is per.
    private func price(_ node: LocatedNode, example: String) -> (value: Exact, unit: String)? {
        guard let text = node.string(faults) else { return nil }
        let plain = UnitSpelling.plain(text)
        let head = plain.prefix { $0.isASCII && ($0.isNumber || ".-+".contains($0)) }
        let rest = plain[head.endIndex...].drop { $0 == " " }
        guard let value = Exact(text: head), let slash = rest.firstIndex(of: "/"),
            slash < rest.index(before: rest.endIndex)
        else {
            faults.add(
                node.location, "'\(text)' is not a price", remedy: "for example '\(example)'")
            return nil
        }
        let given = String(rest[..<slash])
        if let currency, given != currency {
            faults.add(
                node.location, "the price is in '\(given)' and the tariff in \(currency)",
                remedy: "write it in \(currency)")
            return nil
        }
        return (value, String(rest[rest.index(after: slash)...]))
    }

    private static func isUnit(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }
}
