import Telemetry

/// Names of metrics and labels as Prometheus wants them: `[a-zA-Z_][a-zA-Z0-9_]*`.
enum RemoteWriteNames {
    /// The metric of what `entry` tells of a period, and that of what a counter's register says:
    ///
    ///     plumbline_<quantity>[_<unit>]
    ///     plumbline_<quantity>[_<unit>]_total
    ///
    /// A name that the platform gave is the whole name of both.
    static func metric(of entry: UplinkItem.Entry) -> (period: String, register: String) {
        if let name = entry.point.name, !name.isEmpty { return (legal(name), legal(name)) }
        var parts = ["plumbline", legal(entry.series.id.point.quantity)]
        let unit = words(ofUnit: entry.toldUnit)
        if !unit.isEmpty { parts.append(unit) }
        let name = parts.joined(separator: "_")
        return (name, name + "_total")
    }

    /// A unit's symbol as words of a name, in its own spelling, because mW and MW differ by it:
    /// `ug/m3` is `ug_per_m3`, `%RH` is `percent_RH`, `1` is `ratio`, and `{count}` is nothing.
    static func words(ofUnit symbol: String) -> String {
        if symbol == "1" { return "ratio" }
        var text = ""
        var isAnnotation = false
        for scalar in symbol.unicodeScalars {
            switch scalar {
            case "{": isAnnotation = true
            case "}": isAnnotation = false
            case _ where isAnnotation: continue
            case "/": text += " per "
            case "%": text += " percent "
            case _ where isLetter(scalar) || isDigit(scalar): text.unicodeScalars.append(scalar)
            default: text += " "
            }
        }
        return text.split(separator: " ").joined(separator: "_")
    }

    /// `text` with an underscore for each character that no name may hold.
    static func legal(_ text: some StringProtocol) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            let isAllowed = isLetter(scalar) || isDigit(scalar) || scalar == "_"
            name.unicodeScalars.append(isAllowed ? scalar : "_")
        }
        let startsBadly = name.unicodeScalars.first.map(isDigit) ?? true
        return startsBadly ? "_" + name : name
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
}
