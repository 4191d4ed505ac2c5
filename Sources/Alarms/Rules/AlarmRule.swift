import LocatedText
import Telemetry

/// A condition with everything that says when it counts as an alarm and what that means.
///
/// A value: it is read from `alarm-rules/1` text (`AlarmRuleFile`), never written in code.
package struct AlarmRule: Hashable, Sendable {
    /// How urgently somebody has to look.
    package enum Severity: String, Hashable, Sendable, CaseIterable {
        case info, warning, critical
    }

    /// The colour in which hazards are graded on the site.
    package enum Colour: String, Hashable, Sendable, CaseIterable {
        case red, orange, yellow, blue
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

        /// Whether a rule with such a figure watches without being asked to.
        package var isOnByDefault: Bool { self == .verified || self == .project }
    }

    /// `[a-z0-9_-]`, unique in the configuration.
    package var name: String
    package var title: LocalizedText
    /// What it is about, `[a-z0-9_-]`: `dust`, `noise`, `crane`, …
    package var module: String
    package var severity: Severity
    package var colour: Colour?
    /// The number in the site's list of risks.
    package var risk: String?
    /// Where the figure comes from, in words.
    package var source: String
    /// The clause of the source; nil when it has none.
    package var clause: String?
    package var status: Status
    /// Whether it watches; the site may switch it.
    package var isEnabled: Bool
    /// First and last civil day of the site on which the rule is in force; nil is without end.
    package var validFrom: CivilTime?
    package var validTo: CivilTime?
    /// When it is in force besides; nil: always.
    package var only: AlarmSchedule?
    /// The devices it watches; nil: every device that has the point.
    package var devices: [DeviceID]?
    /// The kinds of device it watches, as profiles name them; nil: all.
    package var kinds: [String]?
    package var when: AlarmExpression
    /// While one of these holds the alarm means nothing: it is suppressed by design.
    package var unless: [AlarmTerm]
    /// How long a breach lasts before the alarm becomes active.
    package var hold: Duration
    /// How long all has been well before the alarm returns.
    package var keep: Duration
    /// Whether somebody has to reset it after its cause is gone.
    package var isLatched: Bool
    package var tests: [AlarmRuleTest]
    package var location: Location

    /// The term that decides which series the rule watches: the first that is written.
    package var primary: AlarmTerm { when.terms[0] }
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
