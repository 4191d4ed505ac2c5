import Telemetry
import TestSeeds
import Testing

@testable import Alarms

/// The life of one alarm once more, told as ISA-18.2 does and on whole numbers: a value is 0 clear,
/// 1 between, 2 breach or nil; times are seconds. It keeps all that ever happened and shares no code.
private struct Reference {
    let hold: Int, keep: Int, isLatched: Bool
    let lateness = 30
    var newest = Int.min
    var judgement: Int?
    var phase = "normal", shown = "normal", onset = 0
    var clearSince: Int?
    var shelvedUntil: Int?, isOut = false, isSuppressed = false, inhibitor: Bool?
    var waiting: [Int] = []
    var log: [String] = []

    var mask: String? {
        isOut
            ? "out_of_service" : shelvedUntil != nil ? "shelved" : isSuppressed ? "suppressed" : nil
    }

    mutating func tell(_ t: Int) {
        let isMaskable = ["active_unacknowledged", "active_acknowledged", "latched"].contains(phase)
        let now = isMaskable ? mask ?? phase : phase
        if now == shown { return }
        log.append("\(onset) \(shown)>\(now) @\(t)")
        shown = now
    }

    mutating func go(_ to: String, _ t: Int) {
        phase = to
        tell(t)
        if to == "returned_unacknowledged" {
            waiting.append(onset)
            phase = "normal"
        }
        if phase == "normal" {
            shown = "normal"
            clearSince = nil
        }
    }

    mutating func goBack(_ t: Int) {
        clearSince = nil
        if isLatched { return go("latched", t) }
        go(
            phase == "active_unacknowledged" && mask == nil ? "returned_unacknowledged" : "normal",
            t)
    }

    /// Everything whose time has come, the earliest first: with the clock after the lateness has
    /// passed, with a scan if it lies before.
    mutating func pass(before t: Int, withLateness: Bool) {
        func isDue(_ time: Int, _ lateness: Int) -> Bool {
            withLateness ? time + lateness <= t : time < t
        }
        while true {
            var due: [(Int, String)] = []
            if phase == "pending", judgement == 2, isDue(onset + hold, lateness) {
                due.append((onset + hold, "hold"))
            }
            if let since = clearSince, judgement == 0, isDue(since + keep, lateness) {
                due.append((since + keep, "keep"))
            }
            if let until = shelvedUntil, isDue(until, 0) { due.append((until, "shelf")) }
            guard let next = due.min(by: { $0.0 < $1.0 }) else { return }
            switch next.1 {
            case "hold": go("active_unacknowledged", next.0)
            case "keep": goBack(next.0)
            default:
                shelvedUntil = nil
                tell(next.0)
            }
        }
    }

    mutating func scan(_ t: Int, _ value: Int?, inhibitor said: Bool?) {
        if t < newest { return }
        pass(before: t, withLateness: false)
        newest = t
        if let said { inhibitor = said }
        let starts = inhibitor == true
        if starts, !isSuppressed {
            isSuppressed = true
            tell(t)
        }
        let ends = !starts && inhibitor == false && isSuppressed
        if ends, phase == "normal" || phase == "pending" { isSuppressed = false }
        judgement = value
        if let value {
            if value != 0 { clearSince = nil }
            switch (phase, value) {
            case ("normal", 2):
                onset = t
                go(hold > 0 ? "pending" : "active_unacknowledged", t)
            case ("pending", 2) where onset + hold <= t: go("active_unacknowledged", t)
            case ("pending", 0), ("pending", 1): go("normal", t)
            case ("latched", 2): go("active_unacknowledged", t)
            case ("active_unacknowledged", 0), ("active_acknowledged", 0):
                let since = clearSince ?? t
                clearSince = since
                if since + keep <= t { goBack(t) }
            default: break
            }
        }
        if ends, isSuppressed {
            isSuppressed = false
            tell(t)
        }
    }

    mutating func acknowledge(_ t: Int) {
        for old in waiting { log.append("\(old) returned_unacknowledged>normal @\(t)") }
        waiting = []
        if shown == "active_unacknowledged" {
            go("active_acknowledged", t)
        } else if shown == "latched" {
            go("normal", t)
        }
    }

    mutating func silence(_ t: Int, until: Int?, out: Bool) {
        shelvedUntil = until
        isOut = out
        tell(t)
    }
}

private enum Input {
    case scan(Int, value: Double?, inhibitor: String?)
    case pass(Int), acknowledge(Int), shelve(Int, until: Int), takeOut(Int), speak(Int)
}

private func inputs(_ count: Int, _ random: inout SeededGenerator) -> [Input] {
    var all: [Input] = []
    var t = 0
    var level = 100.0
    for _ in 0..<count {
        t += 10
        if Int.random(in: 0..<6, using: &random) == 0 {
            level = [100, 135, 160, 170].randomElement(using: &random) ?? 100
        }
        let word =
            Int.random(in: 0..<30, using: &random) == 0
            ? ["on", "off"].randomElement(using: &random) : nil
        let value: Double? = Int.random(in: 0..<25, using: &random) == 0 ? nil : level
        switch Int.random(in: 0..<40, using: &random) {
        case 0:
            let pause = Int.random(in: 0...400, using: &random)
            all.append(.pass(t + pause))
            t += pause
        case 1: all += [.scan(t, value: value, inhibitor: word), .acknowledge(t)]
        case 2:
            all += [
                .scan(t, value: value, inhibitor: word),
                .shelve(t, until: t + Int.random(in: 1...300, using: &random)),
            ]
        case 3: all += [.scan(t, value: value, inhibitor: word), .takeOut(t)]
        case 4, 5: all += [.scan(t, value: value, inhibitor: word), .speak(t)]
        case 6:
            all.append(
                .scan(t - Int.random(in: 11...90, using: &random), value: 170, inhibitor: nil))
        default: all.append(.scan(t, value: value, inhibitor: word))
        }
    }
    return all
}

private struct Played {
    var machine: AlarmMachine
    var changes: [AlarmTransition] = []
    private var acts = 0

    init(_ rule: AlarmRule) {
        let device = DeviceID("dust-north")
        let series = [("pm10", "ug/m3", SeriesKind.gauge), ("work_status", "", .state)].map {
            Series(id: SeriesID(device: device, point: PointKey($0.0)), kind: $0.2, unit: $0.1)
        }
        machine = AlarmMachine(
            rules: [rule],
            groups: [
                ScanGroup(
                    id: ScanGroup.ID(1), device: device, interface: "i", name: "n",
                    series: series, period: .seconds(10), isPolled: true)
            ])
    }

    /// The state of the switch is told with every scan, once it is known.
    private var word: String?

    mutating func take(_ input: Input) {
        switch input {
        case .scan(let t, let value, let said):
            // A late scan is judged by nobody, and the switch was told before.
            if let said { word = said }
            changes += machine.handle(
                Scan(
                    group: ScanGroup.ID(1), time: at(Double(t)),
                    readings: [
                        value.map { .number($0) } ?? .bad(.timeout),
                        word.map { .text($0) } ?? .bad(.absent),
                    ]))
        case .pass(let t): changes += machine.advance(to: at(Double(t)))
        case .acknowledge(let t):
            for key in machine.openAlarmKeys.compactMap({ AlarmKey($0) }) {
                act(.acknowledge(key), t)
            }
        case .shelve(let t, let until):
            act(.shelve(AlarmTarget(rule: "test_rule"), until: at(Double(until))), t)
        case .takeOut(let t): act(.takeOut(AlarmTarget(rule: "test_rule")), t)
        case .speak(let t): act(.unsilence(AlarmTarget(rule: "test_rule")), t)
        }
    }

    private mutating func act(_ action: AlarmInstruction.Action, _ t: Int) {
        acts += 1
        let instruction = AlarmInstruction(
            id: "a\(acts)", time: at(Double(t)), actor: "li", action: action, note: "because")
        // What is read back from the journal is what was given.
        guard let read = AlarmInstruction(text: instruction.text) else {
            Issue.record("\(instruction.text) cannot be read")
            return
        }
        changes += machine.handle(read)
    }
}

@Suite("The life of an alarm")
struct LifeCycleReferenceTests {
    private static func rule(hold: Int, keep: Int, latch: Bool) throws -> AlarmRule {
        try #require(
            try AlarmRuleFile.parse(
                """
                format: alarm-rules/1
                rules:
                  - alarm: test_rule
                    title: { en: Test, zh: 测试 }
                    severity: warning
                    source: a test
                    status: project
                    when: { point: pm10, input: reading, above: 150 ug/m3, clear: 120 ug/m3,
                            hold: \(hold)s, keep: \(keep)s }
                    unless: [ { point: work_status, is: ["on"], within: 1y } ]
                    latch: \(latch)
                """, file: "test.yaml"
            ).first)
    }

    @Test("is that of a naive model over random days", arguments: 0..<48)
    func sameTransitions(number: Int) throws {
        var random = SeededGenerator(seed: UInt64(5_000 + number))
        let hold = [0, 5, 20, 60][number % 4]
        let keep = [0, 15, 60][number / 4 % 3]
        let isLatched = number % 5 == 0
        var reference = Reference(hold: hold, keep: keep, isLatched: isLatched)
        var played = Played(try Self.rule(hold: hold, keep: keep, latch: isLatched))
        for input in inputs(700, &random) {
            let told = played.changes.count
            let expected = reference.log.count
            played.take(input)
            switch input {
            case .scan(let t, let value, let word):
                reference.scan(
                    t, value.map { $0 > 150 ? 2 : $0 <= 120 ? 0 : 1 },
                    inhibitor: word.map { $0 == "on" })
            case .pass(let t): reference.pass(before: t, withLateness: true)
            case .acknowledge(let t): reference.acknowledge(t)
            case .shelve(let t, let until): reference.silence(t, until: until, out: false)
            case .takeOut(let t): reference.silence(t, until: nil, out: true)
            case .speak(let t): reference.silence(t, until: nil, out: false)
            }
            let got = played.changes[told...].map(Self.line)
            let wanted = Array(reference.log[expected...])
            try #require(got == wanted, "seed \(5_000 + number) at \(input)")
        }
        #expect(reference.log.count > 40, "too little happened")
        Self.checkAlternation(played.changes)
    }

    private static func line(_ change: AlarmTransition) -> String {
        func seconds(_ time: Timestamp) -> Int64 { (time.milliseconds - at(0).milliseconds) / 1000 }
        return "\(seconds(change.onset)) \(change.from.rawValue)>\(change.to.rawValue) "
            + "@\(seconds(change.time))"
    }

    /// Each alarm begins and goes on where it stood, and never goes back in time.
    private static func checkAlternation(_ changes: [AlarmTransition]) {
        var stands: [String: (state: AlarmState, time: Timestamp)] = [:]
        for change in changes {
            let before = stands[change.alarmKey]
            #expect(change.from == before?.state ?? .normal, "\(change)")
            #expect(change.from != change.to)
            if let before { #expect(before.time <= change.time, "\(change)") }
            stands[change.alarmKey] = (change.to, change.time)
        }
    }

    @Test("loses no exceedance: every breach that outlasts its hold is an alarm", arguments: 0..<20)
    func noLostExceedance(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let hold = 30
        var played = Played(try Self.rule(hold: hold, keep: 20, latch: false))
        var runs: [ClosedRange<Int>] = []
        var t = 0
        for _ in 0..<200 {
            let quiet = Int.random(in: 1...8, using: &random)
            for _ in 0..<quiet {
                played.take(.scan(t, value: 100, inhibitor: nil))
                t += 10
            }
            let length = Int.random(in: 1...9, using: &random)
            runs.append(t...(t + (length - 1) * 10))
            for _ in 0..<length {
                played.take(.scan(t, value: 151, inhibitor: nil))
                t += 10
            }
            if Bool.random(using: &random) { played.take(.acknowledge(t - 10)) }
        }
        played.take(.scan(t, value: 100, inhibitor: nil))
        let lives = Dictionary(grouping: played.changes, by: \.alarmKey).values.map { life in
            let active = life.first { $0.to == .activeUnacknowledged }?.time
            let end = life.first { $0.to == .returnedUnacknowledged || $0.to == .normal }?.time
            return (onset: life[0].onset, active: active, end: end)
        }
        for run in runs where run.upperBound - run.lowerBound >= hold {
            let covering = lives.contains { life in
                guard let active = life.active else { return false }
                return life.onset <= at(Double(run.lowerBound))
                    && active <= at(Double(run.lowerBound + hold))
                    && life.end.map { at(Double(run.upperBound)) <= $0 } ?? true
            }
            #expect(covering, "nobody told of \(run)")
        }
    }
}
