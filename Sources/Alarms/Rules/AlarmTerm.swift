import LocatedText
import Telemetry

/// One question about one series: a figure of it, held against a limit, a word or a span of time.
package struct AlarmTerm: Hashable, Sendable {
    /// What of a window's good readings is held against the limit.
    package enum Statistic: Hashable, Sendable {
        /// The arithmetic mean; exact for decimals.
        case mean
        case max, min, last
        /// The greatest less the least.
        case range
        /// The last less the first.
        case change
        /// What a counter counted.
        case increase
        /// The energetic mean of levels in dB: 10·lg(mean(10^(L/10))).
        case leq
        /// The value that so many in a hundred readings do not pass, 1 to 99, by nearest rank.
        case percentile(Int)
    }

    /// How a window moves: with each reading, or on the borders of the clock.
    package enum WindowKind: String, Hashable, Sendable, CaseIterable {
        /// A closed stretch of the site's day.
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

    /// Whose silence is meant.
    package enum SilenceScope: String, Hashable, Sendable, CaseIterable {
        /// The point alone.
        case point
        /// All that the device reports.
        case device
        /// All devices of its link.
        case link
    }

    /// What is looked at.
    package enum Measure: Hashable, Sendable {
        /// Each reading by itself.
        case reading
        case window(Window)
        /// The time since the last good reading.
        case silence(SilenceScope)
        /// The time for which good readings have brought the same value.
        case unchanged
    }

    /// What counts as a breach.
    package enum Test: Hashable, Sendable {
        /// Strictly above `limit`; back at `clear` or below it.
        case above(limit: Double, clear: Double, unit: String)
        /// Strictly below `limit`; back at `clear` or above it.
        case below(limit: Double, clear: Double, unit: String)
        /// One of these words.
        case isOneOf([String])
        /// This bit of a whole number is set, 0 to 52.
        case bit(Int)
        /// The measured time has reached this.
        case lasting(Duration)
    }

    /// A breach counts only from the `moreThan + 1`st closed window of one site day on.
    package struct Times: Hashable, Sendable {
        package var moreThan: Int
    }

    /// A series by its point, on a named device or on the one that the rule watches.
    package struct Operand: Hashable, Sendable {
        package var point: AlarmPoint
        /// nil: the device that the rule watches.
        package var device: DeviceID?
    }

    package var operand: Operand
    /// These are subtracted, each measured as the first one is.
    package var minus: [Operand]
    package var measure: Measure
    package var test: Test
    package var times: Times?
    /// How long another device's reading is good for; nil: three of its periods.
    package var within: Duration?
    package var location: Location

    /// The limit that a chart can show.
    package var limit: (direction: Bool, value: Double, unit: String)? {
        switch test {
        case .above(let limit, _, let unit): (true, limit, unit)
        case .below(let limit, _, let unit): (false, limit, unit)
        default: nil
        }
    }
}

/// A point key, or one with `.*` at its end for every facet of the quantity.
package struct AlarmPoint: Hashable, Sendable, CustomStringConvertible {
    /// The key as written.
    package var text: String

    package init(_ text: String) { self.text = text }

    package var isPattern: Bool { text.hasSuffix(".*") }

    /// Whether the pattern names a point.
    package func matches(_ point: PointKey) -> Bool {
        guard isPattern else { return point.text == text }
        return point.text == text.dropLast(2) || point.text.hasPrefix(text.dropLast(1))
    }

    /// The point of `other` for a rule that watches `subject` under `pattern`: the same facet.
    func resolved(like subject: PointKey, under pattern: AlarmPoint) -> PointKey {
        guard isPattern, pattern.isPattern else { return PointKey(text) }
        let facet = subject.text.dropFirst(pattern.text.count - 2)
        return PointKey(String(text.dropLast(2)) + facet)
    }

    package var description: String { text }
}

extension AlarmTerm.Statistic {
    /// The word in rules: `mean`, `leq`, `p95`, …
    package var word: String {
        switch self {
        case .mean: "mean"
        case .max: "max"
        case .min: "min"
        case .last: "last"
        case .range: "range"
        case .change: "change"
        case .increase: "increase"
        case .leq: "leq"
        case .percentile(let rank): "p\(rank)"
        }
    }

    /// Every word that a rule may use.
    static let words: [(String, Self)] =
        [Self.mean, .max, .min, .last, .range, .change, .increase, .leq].map { ($0.word, $0) }
        + (1...99).map { ("p\($0)", .percentile($0)) }

    /// Whether a closed quarter of the store holds the figure.
    var isInRollups: Bool {
        switch self {
        case .mean, .max, .min, .last, .range, .increase: true
        case .change, .leq, .percentile: false
        }
    }
}

extension AlarmRule {
    /// The same rule for a site that calls some devices otherwise.
    package func renaming(_ names: [DeviceID: DeviceID]) -> AlarmRule {
        if names.isEmpty { return self }
        var rule = self
        rule.when = when.renaming(names)
        rule.unless = unless.map { $0.renaming(names) }
        return rule
    }
}

extension AlarmExpression {
    fileprivate func renaming(_ names: [DeviceID: DeviceID]) -> AlarmExpression {
        switch self {
        case .term(let term): .term(term.renaming(names))
        case .all(let parts): .all(parts.map { $0.renaming(names) })
        case .any(let parts): .any(parts.map { $0.renaming(names) })
        case .not(let part): .not(part.renaming(names))
        }
    }
}

extension AlarmTerm {
    fileprivate func renaming(_ names: [DeviceID: DeviceID]) -> AlarmTerm {
        func renamed(_ operand: Operand) -> Operand {
            Operand(point: operand.point, device: operand.device.map { names[$0] ?? $0 })
        }
        var term = self
        term.operand = renamed(operand)
        term.minus = minus.map { renamed($0) }
        return term
    }
}
