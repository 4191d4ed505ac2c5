import Telemetry

extension AlarmRule {
    /// A stable hash of everything that decides a judgement: 16 hexadecimal digits.
    package var version: String { StableHash.hex(canonicalText) }

    /// The rule in one fixed spelling, without titles, sources and tests.
    ///
    /// What a rule does not use leaves no trace, so that a rule keeps its version when the grammar
    /// grows.
    package var canonicalText: String {
        var parts = ["alarm-rules/1", "alarm=\(name)", "severity=\(severity.rawValue)"]
        switch when {
        case .term(let term): parts += Self.canonical(term, devices: devices)
        default:
            if let devices { parts.append("devices=\(Self.text(devices))") }
            parts.append("when=" + Self.canonical(when))
        }
        parts.append("hold=\(hold.milliseconds)ms")
        if keep > .zero { parts.append("keep=\(keep.milliseconds)ms") }
        if isLatched { parts.append("latch=true") }
        if let kinds { parts.append("kinds=" + kinds.joined(separator: ",")) }
        if let only { parts.append("only=" + only.canonicalText) }
        for term in unless {
            parts.append("unless=" + Self.canonical(term, devices: nil).joined(separator: ";"))
        }
        if let day = validFrom { parts.append("from=\(day.dateText)") }
        if let day = validTo { parts.append("to=\(day.dateText)") }
        return parts.joined(separator: "\n")
    }

    private static func canonical(_ expression: AlarmExpression) -> String {
        switch expression {
        case .term(let term): "(" + canonical(term, devices: nil).joined(separator: ";") + ")"
        case .all(let parts): "all[" + parts.map { canonical($0) }.joined() + "]"
        case .any(let parts): "any[" + parts.map { canonical($0) }.joined() + "]"
        case .not(let part): "not[" + canonical(part) + "]"
        }
    }

    private static func canonical(_ term: AlarmTerm, devices: [DeviceID]?) -> [String] {
        var parts = ["point=\(term.operand.point)"]
        if let device = term.operand.device { parts.append("device=\(device)") }
        if let devices { parts.append("devices=\(text(devices))") }
        for operand in term.minus {
            parts.append("minus=\(operand.device.map { "\($0)." } ?? "")\(operand.point)")
        }
        switch term.measure {
        case .reading:
            switch term.test {
            case .above, .below: parts.append("input=reading")
            default: break
            }
        case .window(let window):
            parts.append("rollup=\(window.statistic.word)")
            parts.append("over=\(window.over.milliseconds)ms")
            parts.append("window=\(window.kind.rawValue)")
            if let coverage = window.coverage { parts.append("coverage=\(coverage)") }
        case .silence(let scope): parts.append("silence=\(scope.rawValue)")
        case .unchanged: parts.append("unchanged")
        }
        switch term.test {
        case .above(let limit, let clear, let unit):
            parts += ["above=\(limit) \(unit)", "clear=\(clear) \(unit)"]
        case .below(let limit, let clear, let unit):
            parts += ["below=\(limit) \(unit)", "clear=\(clear) \(unit)"]
        case .isOneOf(let words): parts.append("is=" + words.joined(separator: ","))
        case .bit(let place): parts.append("bit=\(place)")
        case .lasting(let span): parts.append("for=\(span.milliseconds)ms")
        }
        if let times = term.times { parts.append("times>\(times.moreThan)/day") }
        if let within = term.within { parts.append("within=\(within.milliseconds)ms") }
        return parts
    }

    private static func text(_ devices: [DeviceID]) -> String {
        devices.map(\.text).joined(separator: ",")
    }
}
