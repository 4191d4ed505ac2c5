import LocatedText
import Telemetry

/// A test of one rule, written beside it: scans in, states out.
///
///     { every: 10s, given: "100 160x3 - .x2 ack 110", then: "normal pending@10s active acknowledged normal" }
///
///     every   the time between two scans, and how often they are expected
///     given   one word for each scan, `xN` after it for N of them:
///               160    a scan with this value, in the unit of the limit
///               -      a scan without a value (-5 is a value)
///               .      no scan at all
///               ack    a person acknowledges what is open; takes no time
///     then    every state in turn, from `normal` on; `@950s` says when, counted from the first scan:
///             normal | pending | active | acknowledged | returned
package struct AlarmRuleTest: Hashable, Sendable {
    /// One thing that happens to the rule under test.
    package enum Step: Hashable, Sendable {
        case value(Double)
        /// A scan without a value.
        case bad
        /// No scan at all.
        case silence
        /// A person acknowledges every open alarm.
        case acknowledge
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
    package var given: [Run]
    package var then: [Expectation]
    package var location: Location

    /// nil after a fault.
    init?(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        let everyNode = reader.required("every")
        let every = everyNode.flatMap { $0.duration(faults) }
        let given = reader.required("given").flatMap { Self.given($0, faults) }
        let thenNode = reader.required("then")
        let then = thenNode.flatMap { Self.then($0, faults) }
        reader.finish()
        guard let everyNode, let every, let given, let thenNode, let then else { return nil }
        guard every >= .milliseconds(1) else {
            faults.add(everyNode.location, "scans need a distance", remedy: "for example '10s'")
            return nil
        }
        self.every = every
        self.given = given
        self.then = then
        location = thenNode.location
    }

    private static func given(_ node: LocatedNode, _ faults: FaultCollector) -> [Run]? {
        guard let text = node.string(faults) else { return nil }
        var runs: [Run] = []
        for word in text.split(separator: " ") {
            guard let run = run(word) else {
                faults.add(
                    node.location, "'\(word)' is no step of a test",
                    remedy:
                        "a value, '-' (no value), '.' (no scan) or 'ack', and 'xN' for N of them")
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
        if word == "ack" { return Run(step: .acknowledge, count: 1) }
        var head = word
        var count = 1
        if let cross = word.lastIndex(where: { $0 == "x" || $0 == "×" }) {
            guard let times = Int(word[word.index(after: cross)...]), (1...longest).contains(times)
            else { return nil }
            count = times
            head = word[..<cross]
        }
        switch head {
        case "-": return Run(step: .bad, count: count)
        case ".": return Run(step: .silence, count: count)
        default:
            // Only digits, sign and point: `Double` would also read 'nan' and '0x1p3'.
            guard head.utf8.allSatisfy({ (0x2B...0x39).contains($0) && $0 != 0x2C && $0 != 0x2F }),
                let value = Double(head), value.isFinite
            else { return nil }
            return Run(step: .value(value), count: count)
        }
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
    ]

    var testWord: String { Self.testWords.first { $0.1 == self }?.0 ?? rawValue }
}
