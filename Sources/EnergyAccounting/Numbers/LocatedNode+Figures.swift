import LocatedText

/// Numbers as files write them, alone or with their unit, kept exactly as they are written.
extension LocatedNode {
    /// A decimal number of at most nine places.
    package func exact(_ faults: FaultCollector) -> Exact? {
        if case .scalar(let text, false) = content, let value = Exact(text: text) { return value }
        faults.add(
            location, "a decimal number is expected, not \(kindWord)",
            remedy: "digits and a point, '0.5283'")
        return nil
    }

    /// A decimal number with one unit, `103000 m2`; the unit is compared as it is plain.
    package func exact(unit: String, _ faults: FaultCollector) -> Exact? {
        guard let text = string(faults) else { return nil }
        if let (value, found) = Self.valueAndUnit(text), found == unit { return value }
        faults.add(
            location, "'\(text)' is not a number of \(unit)", remedy: "for example '12 \(unit)'")
        return nil
    }

    /// A decimal and its unit, `0.5306 kgCO2/kWh`; the unit is one of `units` as they are plain.
    ///
    /// - Returns: the number as it is written, and the unit that stands behind it.
    func figure(units: [String], _ faults: FaultCollector) -> (value: Exact, unit: String)? {
        guard let text = string(faults) else { return nil }
        let accepted = units.joined(separator: " or ")
        guard let (value, unit) = Self.valueAndUnit(text) else {
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

    /// A number and what stands behind it, in the plain spelling of units; nil without a number.
    private static func valueAndUnit(_ text: String) -> (value: Exact, unit: String)? {
        let plain = UnitSpelling.plain(text)
        let head = plain.prefix { !$0.isWhitespace && ($0.isNumber || ".-+".contains($0)) }
        return Exact(text: head).map {
            ($0, String(plain[head.endIndex...].drop { $0 == " " }))
        }
    }
}
