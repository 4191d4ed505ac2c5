extension LocatedNode {
    /// A duration: number, optional space, `ms s min h d month y`; a month is 30 days, a year 365.
    package func duration(_ faults: FaultCollector) -> Duration? {
        guard let text = string(faults) else { return nil }
        switch Self.splitQuantity(text) {
        case (let number?, "m"):
            faults.add(
                location, "'\(text)' is not a duration: 'm' could be minutes or months",
                remedy: "write '\(Self.plain(number))min' or '\(Self.plain(number))month'")
            return nil
        case (let number?, let unit):
            if let milliseconds = Self.durationUnits[unit] {
                let total = (number * milliseconds).rounded()
                guard total >= 0, total < 9e18 else {
                    faults.add(location, "the duration '\(text)' is out of range")
                    return nil
                }
                return .milliseconds(Int64(total))
            }
        default: break
        }
        faults.add(
            location, "'\(text)' is not a duration",
            remedy: "a number and one of ms, s, min, h, d, month, y, for example '15min'")
        return nil
    }

    /// A number and its unit as written, for example `103000 m2` or `150 µg/m³`.
    ///
    /// `µ`, `μ`, `³` and `²` are read as `u`, `u`, `3` and `2`.
    package func quantity(_ faults: FaultCollector) -> (value: Double, unit: String)? {
        guard let text = string(faults) else { return nil }
        let plain = UnitSpelling.plain(text)
        if case (let number?, let unit) = Self.splitQuantity(plain), !unit.isEmpty {
            return (number, unit)
        }
        faults.add(
            location, "'\(text)' is not a quantity", remedy: "a number and its unit, '103000 m2'")
        return nil
    }

    /// A size in bytes: `KiB`, `MiB`, `GiB`, `TiB` or `B`.
    package func byteCount(_ faults: FaultCollector) -> Int64? {
        guard let (value, unit) = quantity(faults) else { return nil }
        let factors: [String: Double] = [
            "B": 1, "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824, "TiB": 1_099_511_627_776,
        ]
        guard let factor = factors[unit], value >= 0, value * factor < 9e18 else {
            faults.add(
                location, "'\(unit)' is not a size", remedy: "one of B, KiB, MiB, GiB, TiB")
            return nil
        }
        return Int64(value * factor)
    }

    private static let durationUnits: [String: Double] = [
        "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
        "month": 30 * 86_400_000, "y": 365 * 86_400_000,
    ]

    private static func splitQuantity(_ text: String) -> (Double?, String) {
        let head = text.prefix { $0.isNumber || $0 == "." || $0 == "-" || $0 == "+" }
        let unit = text[head.endIndex...].drop { $0 == " " }
        return (Double(head).flatMap { $0.isFinite ? $0 : nil }, String(unit))
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() && number.magnitude < 1e15 ? "\(Int64(number))" : "\(number)"
    }
}
