import LocatedText
import Telemetry

/// A test of one rule, written beside it: scans in, states out.
///
///     { every: 10s, given: "100 160x3 - .x2 ack 110", then: "normal pending@10s active acknowledged normal" }
///     { every: 1min, start: "21:50", given: { sound_level: "60x20", site.maintenance: "off" }, then: … }
///
///     every   the time between two scans, and how often they are expected
///     start   the time of day of the first scan, by the site's clock; midnight if left out
///     given   one word for each scan, `xN` after it for N of them; a series whose words are at
///             their end stays silent, one that stands until it is taken back says nothing more:
///               160      a scan with this value, in the unit of the limit
///               alarm    a scan with this word of a state
///               -        a scan without a value (-5 is a value)
///               .        no scan at all
///               ack      a person acknowledges, or resets, what is open; takes no time
///               shelve   a person shelves the rule for a day; unshelve ends it; takes no time
///     then    every state in turn, from `normal` on; `@950s` says when, counted from the first scan:
///             normal | pending | active | acknowledged | returned | latched | shelved | suppressed
package struct AlarmRuleTest: Hashable, Sendable {
    /// One thing that happens to the rule under test.
    package enum Step: Hashable, Sendable {
        case value(Double)
        case word(String)
        /// A scan without a value.
        case bad
        /// No scan at all.
        case silence
        /// A person acknowledges every open alarm.
        case acknowledge
        case shelve
        case unshelve

        /// Whether it is the act of a person, which takes no time.
        var isAct: Bool {
            switch self {
            case .acknowledge, .shelve, .unshelve: true
            case .value, .word, .bad, .silence: false
            }
        }
    }

    /// What one series says, step by step.
    package struct Track: Hashable, Sendable {
        /// `point` or `device.point`; nil is the point that the rule watches.
        package var series: String?
        package var runs: [Run]
        package var location: Location
    }

    /// A step and how often it is taken.
    package struct Run: Hashable, Sendable {
        package var step: Step
        package var count: Int
    }

    /// A state, and the time since the first scan at which it begins, if the test cares.
    package struct Expectation: Hashable, Sendable {
        package var state: AlarmState
        package var at: Duration?
    }

    /// A test with more steps than a month of minutes is a slip of the pen.
    static let longest = 50_000

    package var every: Duration
    /// Minutes after midnight at which the first scan comes, by the site's clock.
    package var start: Int
    package var given: [Track]
    package var then: [Expectation]
    package var location: Location

    /// nil after a fault.
    init?(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        let everyNode = reader.required("every")
        let every = everyNode.flatMap { $0.duration(faults) }
        let startNode = reader.optional("start")
        let start = startNode.flatMap { Self.start($0, faults) }
        let given = reader.required("given").flatMap { Self.tracks($0, faults) }
        let thenNode = reader.required("then")
        let then = thenNode.flatMap { Self.then($0, faults) }
        reader.finish()
        guard let everyNode, let every, let given, let thenNode, let then,
            start != nil || startNode == nil
        else { return nil }
        guard every >= .milliseconds(1) else {
            faults.add(everyNode.location, "scans need a distance", remedy: "for example '10s'")
            return nil
        }
        self.every = every
        self.start = start ?? 0
        self.given = given
        self.then = then
        location = thenNode.location
    }

    /// Whether the words fit what the rule asks of each series.
    func check(against rule: AlarmRule, _ faults: FaultCollector) {
        let terms = rule.when.terms + rule.unless
        for track in given {
            let asked =
                track.series.map { name in
                    terms.first { term in
                        ([term.operand] + term.minus).contains { operand in
                            name == operand.point.text || name.hasSuffix(".\(operand.point.text)")
                                || operand.point.matches(PointKey(name))
                        }
                    }
                } ?? rule.primary
            switch asked?.test {
            case .isOneOf, .lasting, nil: continue
            case .above, .below, .bit: break
            }
            for run in track.runs {
                guard case .word(let word) = run.step else { continue }
                faults.add(
                    track.location, "'\(word)' is no step of a test of numbers",
                    remedy: "a value, '-' (no value), '.' (no scan), 'ack', 'shelve' or "
                        + "'unshelve', and 'xN' for N of them")
            }
        }
    }

    private static func start(_ node: LocatedNode, _ faults: FaultCollector) -> Int? {
        guard let text = node.string(faults) else { return nil }
        var cursor = DigitCursor(text.utf8)
        if let hour = cursor.digits(2), cursor.take(":"), let minute = cursor.digits(2),
            cursor.isAtEnd, hour < 24, minute < 60
        {
            return hour * 60 + minute
        }
        faults.add(
            node.location, "'\(text)' is not a time of day", remedy: "for example '\"21:50\"'")
        return nil
    }

    private static func tracks(_ node: LocatedNode, _ faults: FaultCollector) -> [Track]? {
        guard case .mapping(let entries) = node.content else {
            return runs(node, faults).map {
                [Track(series: nil, runs: $0, location: node.location)]
            }
        }
        let tracks = entries.compactMap { entry in
            runs(entry.value, faults).map {
                Track(series: entry.key, runs: $0, location: entry.keyLocation)
            }
        }
        if entries.isEmpty { faults.add(node.location, "no series is named") }
        return tracks.count == entries.count && !tracks.isEmpty ? tracks : nil
    }

    private static func runs(_ node: LocatedNode, _ faults: FaultCollector) -> [Run]? {
        guard let text = node.string(faults) else { return nil }
        var runs: [Run] = []
        for word in text.split(separator: " ") {
            guard let run = run(word) else {
                faults.add(
                    node.location, "'\(word)' is no step of a test",
                    remedy: "a value, a state's word, '-' (no value), '.' (no scan), 'ack', "
                        + "'shelve' or 'unshelve', and 'xN' for N of them")
                return nil
            }
            runs.append(run)
        }
        let total = runs.reduce(0) { $0 + $1.count }
        guard (1...longest).contains(total) else {
            faults.add(
                node.location, "a test has 1 to \(longest) steps, not \(total)",
                remedy: "a longer 'every:' or fewer values")
            return nil
        }
        return runs
    }

    private static func run(_ word: Substring) -> Run? {
        switch word {
        case "ack": return Run(step: .acknowledge, count: 1)
        case "shelve": return Run(step: .shelve, count: 1)
        case "unshelve": return Run(step: .unshelve, count: 1)
        default: break
        }
        if let step = step(word) { return Run(step: step, count: 1) }
        guard let cross = word.lastIndex(where: { $0 == "x" || $0 == "×" }),
            let times = Int(word[word.index(after: cross)...]), (1...longest).contains(times),
            let step = step(word[..<cross])
        else { return nil }
        return Run(step: step, count: times)
    }

    private static func step(_ word: Substring) -> Step? {
        switch word {
        case "-": return .bad
        case ".": return .silence
        case "ack", "shelve", "unshelve": return nil
        default: break
        }
        // Only digits, sign and point: `Double` would also read 'nan' and '0x1p3'.
        if word.utf8.allSatisfy({ (0x2B...0x39).contains($0) && $0 != 0x2C && $0 != 0x2F }) {
            return Double(word).flatMap { $0.isFinite ? .value($0) : nil }
        }
        // 'offx3' is three times 'off': a word of a state ends in no count.
        let isWord =
            word.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
            && word.utf8.first.map { (0x61...0x7A).contains($0) } ?? false
        return isWord ? .word(String(word)) : nil
    }

    private static func then(_ node: LocatedNode, _ faults: FaultCollector) -> [Expectation]? {
        guard let text = node.string(faults) else { return nil }
        var expectations: [Expectation] = []
        for word in text.split(separator: " ") {
            let parts = word.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
            let state = LocatedNode(
                content: .scalar(String(parts[0]), isQuoted: true), location: node.location)
            guard let state = state.word(AlarmState.testWords, faults) else { return nil }
            var at: Duration?
            if parts.count == 2 {
                let time = LocatedNode(
                    content: .scalar(String(parts[1]), isQuoted: true), location: node.location)
                guard let duration = time.duration(faults) else { return nil }
                at = duration
            }
            expectations.append(Expectation(state: state, at: at))
        }
        guard expectations.first?.state == .normal else {
            faults.add(
                node.location, "every test begins in 'normal'",
                remedy: "for example 'normal pending active returned'")
            return nil
        }
        return expectations
    }
}

extension AlarmState {
    /// The states as tests write them.
    static let testWords: [(String, AlarmState)] = [
        ("normal", .normal), ("pending", .pending), ("active", .activeUnacknowledged),
        ("acknowledged", .activeAcknowledged), ("returned", .returnedUnacknowledged),
        ("latched", .latched), ("shelved", .shelved), ("suppressed", .suppressed),
    ]

    var testWord: String { Self.testWords.first { $0.1 == self }?.0 ?? rawValue }
}
