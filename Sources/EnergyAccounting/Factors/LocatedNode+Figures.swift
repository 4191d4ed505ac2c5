import LocatedText
import Telemetry

extension LocatedNode {
    /// A decimal and its unit, `0.5306 kgCO2/kWh`; the unit is one of `units` as they are plain.
    ///
    /// - Returns: the number as it is written, and the unit that stands behind it.
    func figure(units: [String], _ faults: FaultCollector) -> (value: Exact, unit: String)? {
        guard let text = string(faults) else { return nil }
        let plain = UnitSpelling.plain(text)
        let head = plain.prefix { !$0.isWhitespace && ($0.isNumber || ".-+".contains($0)) }
        let unit = String(plain[head.endIndex...].drop { $0 == " " })
        let accepted = units.joined(separator: " or ")
        guard let value = Exact(text: head) else {
            faults.add(
                location, "'\(text)' is not a number of \(accepted)",
                remedy: "for example '12 \(units.first ?? "")'")
            return nil
        }
        guard units.contains(unit) else {
            faults.add(
                location, "'\(text)' is in '\(unit)', and \(accepted) is expected",
                remedy: "write it in \(accepted)")
            return nil
        }
        return (value, unit)
    }

    /// A decimal of one unit that lies in `range`; a fault says what is `absurd` about any other.
    func figure(
        unit: String, in range: ClosedRange<Exact>, _ faults: FaultCollector
    ) -> Exact? {
        guard let (value, _) = figure(units: [unit], faults) else { return nil }
        guard range.contains(value) else {
            faults.add(
                location, "'\(scalar ?? "")' is absurd here",
                remedy: "from \(range.lowerBound.plainText) to "
                    + "\(range.upperBound.plainText) \(unit)")
            return nil
        }
        return value
    }

    /// A name of small letters, digits and hyphens: `public-institutions`.
    func hyphenated(_ faults: FaultCollector) -> String? {
        guard let text = string(faults) else { return nil }
        let isName =
            !text.isEmpty
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
            }
        if isName { return text }
        faults.add(
            location, "'\(text)' is not a name", remedy: "small letters a to z, digits and '-'")
        return nil
    }

    /// A text that says something.
    func sentence(_ faults: FaultCollector) -> String? {
        guard let text = string(faults) else { return nil }
        if text.contains(where: { !$0.isWhitespace }) { return text }
        faults.add(location, "nothing is said here", remedy: "write where the figure comes from")
        return nil
    }

    /// A year of the calendar that a figure of this trade can have.
    func calendarYear(_ faults: FaultCollector) -> Int? {
        guard let year = int(faults) else { return nil }
        if (1900...2200).contains(year) { return year }
        faults.add(location, "\(year) is not a year", remedy: "four digits, for example '2023'")
        return nil
    }
}

extension Exact {
    /// The decimal with as few places as show it, at most nine: `0.5306`.
    package var plainText: String {
        for places in 0..<9 where Exact(rounded(places: places)) == self {
            return text(places: places)
        }
        return text(places: 9)
    }
}
