import LocatedText
import Telemetry

/// A limit on one point, with everything that says when it is crossed and what that means.
///
/// A value: it is read from `alarm-rules/1` text (`AlarmRuleFile`), never written in code.
package struct AlarmRule: Hashable, Sendable {
    /// How urgently somebody has to look.
    package enum Severity: String, Hashable, Sendable, CaseIterable {
        case info, warning, critical
    }

    /// How far the figure can be trusted to be what its source says.
    package enum Status: String, Hashable, Sendable, CaseIterable {
        /// Read in the source itself.
        case verified
        /// Read in something that quotes the source.
        case secondary
        /// Nobody has looked it up.
        case fromMemory = "from-memory"
        /// The project's or the site's own choice; no authority stands behind it.
        case project
    }

    /// What of a window's good readings is held against the limit.
    package enum Statistic: String, Hashable, Sendable, CaseIterable {
        case mean, max, min, last
    }

    /// How a window moves: with each reading, or on the borders of the clock.
    package enum WindowKind: String, Hashable, Sendable, CaseIterable {
        /// A closed bucket.
        case aligned
        /// `(t − over, t]`, looked at with each scan at `t`.
        case rolling
    }

    /// The span of readings that one judgement rests on.
    package struct Window: Hashable, Sendable {
        package var statistic: Statistic
        package var over: Duration
        package var kind: WindowKind
        /// The share of expected readings, above 0 to 1, below which a window says nothing;
        /// nil: one good reading is enough.
        package var coverage: Double?
    }

    /// What is judged: each reading, or a figure over a window of them.
    package enum Input: Hashable, Sendable {
        /// Each reading by itself.
        case reading
        case window(Window)
    }

    /// On which side of the limit the breach lies.
    package enum Direction: String, Hashable, Sendable {
        case above, below
    }

    /// `[a-z0-9_-]`, unique in the configuration.
    package var name: String
    package var title: LocalizedText
    package var severity: Severity
    /// Where the figure comes from, in words.
    package var source: String
    package var status: Status
    /// First and last civil day of the site on which the rule is in force; nil is without end.
    package var validFrom: CivilTime?
    package var validTo: CivilTime?
    package var point: PointKey
    /// The devices it watches; nil: every device that has the point.
    package var devices: [DeviceID]?
    package var input: Input
    package var direction: Direction
    /// Strictly beyond it is a breach, in `unit`.
    package var limit: Double
    /// At it or on its safe side the alarm returns, in `unit`.
    package var clear: Double
    /// The symbol of the series' unit.
    package var unit: String
    /// How long a breach lasts before the alarm becomes active.
    package var hold: Duration
    package var tests: [AlarmRuleTest]
    package var location: Location

    /// A stable hash of everything that decides a judgement: 16 hexadecimal digits.
    package var version: String { StableHash.hex(canonicalText) }

    /// The rule in one fixed spelling, without titles, sources and tests.
    package var canonicalText: String {
        var parts = ["alarm-rules/1", "alarm=\(name)", "severity=\(severity.rawValue)"]
        parts.append("point=\(point)")
        if let devices { parts.append("devices=" + devices.map(\.text).joined(separator: ",")) }
        switch input {
        case .reading: parts.append("input=reading")
        case .window(let window):
            parts.append("rollup=\(window.statistic.rawValue)")
            parts.append("over=\(window.over.milliseconds)ms")
            parts.append("window=\(window.kind.rawValue)")
            if let coverage = window.coverage { parts.append("coverage=\(coverage)") }
        }
        parts.append("\(direction.rawValue)=\(limit) \(unit)")
        parts.append("clear=\(clear) \(unit)")
        parts.append("hold=\(hold.milliseconds)ms")
        if let day = validFrom { parts.append("from=\(day.dateText)") }
        if let day = validTo { parts.append("to=\(day.dateText)") }
        return parts.joined(separator: "\n")
    }

    /// Whether a value lies strictly beyond the limit.
    func isBreach(_ value: Double) -> Bool {
        direction == .above ? value > limit : value < limit
    }

    /// Whether a value is back at `clear` or on its safe side.
    func isClear(_ value: Double) -> Bool {
        direction == .above ? value <= clear : value >= clear
    }
}

/// A rule's limit as a line to draw in the chart of a series.
package struct AlarmLimitLine: Hashable, Sendable {
    package var rule: String
    package var title: LocalizedText
    package var severity: String
    /// Set for a rule that watches the upper side.
    package var above: Double?
    /// Set for a rule that watches the lower side.
    package var below: Double?
    package var unit: String
}

/// FNV-1a, 64 bits: the same in every run and on every machine, unlike `Hasher`.
package enum StableHash {
    /// The hash of a text as 16 hexadecimal digits.
    package static func hex(_ text: String) -> String {
        var hash = FNV1a()
        hash.combine(text.utf8)
        let digits = String(hash.value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension CivilTime {
    /// `2026-03-01`.
    var dateText: String { "\(year.padded(4))-\(month.padded(2))-\(day.padded(2))" }
}
