import Foundation
import LocatedText
import Telemetry
import TestSeeds
import Testing

@testable import Alarms

/// The rules of `docs/formats/alarm-rules.md` once more, on plain arrays and whole numbers: values
/// are tenths, times seconds. It looks at every sample ever seen each time, and shares no code.
private struct Reference {
    let statistic: String, isAbove: Bool, over: Int, period: Int, limit: Int, clear: Int, hold: Int
    let lateness = 30
    var samples: [(t: Int, v: Int)] = []
    var newest = Int.min, state = "normal", onset = 0, stoodAsBreach = false
    var waiting: [Int] = []
    var late = 0
    var log: [String] = []

    mutating func go(_ to: String, _ t: Int) {
        log.append("\(onset) \(state)>\(to) @\(t)")
        if to == "returned_unacknowledged" { waiting.append(onset) }
        state = to == "returned_unacknowledged" ? "normal" : to
    }

    mutating func scan(_ t: Int, _ v: Int?) {
        if let v { samples.append((t, v)) }
        if t < newest {
            late += 1
            return
        }
        newest = t
        if state == "pending", stoodAsBreach, onset + hold < t {
            go("active_unacknowledged", onset + hold)
        }
        let window = samples.filter { $0.t > t - over && $0.t <= t }
        guard window.count * 4 * period >= over * 3 else {
            stoodAsBreach = false
            return
        }
        // Everything times the number of readings, so that no division rounds.
        let n = window.count
        let value: Int
        switch statistic {
        case "mean": value = window.map(\.v).reduce(0, +)
        case "max": value = window.map(\.v).max()! * n
        case "min": value = window.map(\.v).min()! * n
        default:
            let lastTime = window.map(\.t).max()!
            value = window.last { $0.t == lastTime }!.v * n
        }
        let isBreach = isAbove ? value > limit * n : value < limit * n
        let isClear = isAbove ? value <= clear * n : value >= clear * n
        stoodAsBreach = isBreach
        switch state {
        case "normal" where isBreach:
            onset = t
            go(hold > 0 ? "pending" : "active_unacknowledged", t)
        case "pending" where isBreach && t >= onset + hold: go("active_unacknowledged", t)
        case "pending" where !isBreach: go("normal", t)
        case "active_unacknowledged" where isClear: go("returned_unacknowledged", t)
        case "active_acknowledged" where isClear: go("normal", t)
        default: break
        }
    }

    mutating func pass(_ t: Int) {
        if state == "pending", stoodAsBreach, onset + hold + lateness <= t {
            go("active_unacknowledged", onset + hold)
        }
    }

    mutating func acknowledge(_ t: Int) {
        for old in waiting { log.append("\(old) returned_unacknowledged>normal @\(t)") }
        waiting = []
        if state == "active_unacknowledged" { go("active_acknowledged", t) }
    }
}

private enum Input {
    case scan(Int, Int?)
    case pass(Int)
    case acknowledge(Int)
}

/// A wandering value near the limit, with failures, gaps, late and doubled scans.
private func inputs(_ count: Int, period: Int, _ random: inout SeededGenerator) -> [Input] {
    var all: [Input] = []
    var value = 1400
    var t = 0
    for _ in 0..<count {
        value = min(2400, max(600, value + Int.random(in: -150...150, using: &random)))
        t += period
        switch Int.random(in: 0..<40, using: &random) {
        case 0: all.append(.scan(t, nil))
        case 1: all.append(.pass(t + Int.random(in: 0...60, using: &random)))
        case 2: t += period * Int.random(in: 1...12, using: &random)
        case 3: all.append(.scan(t - Int.random(in: 1...200, using: &random), value))
        case 4: all += [.scan(t, value), .scan(t, value + 7)]
        case 5: all += [.scan(t, value), .acknowledge(t)]
        default: all.append(.scan(t, value))
        }
    }
    return all
}

private func play(_ input: Input, _ machine: inout AlarmMachine) -> [AlarmTransition] {
    switch input {
    case .scan(let t, let v): machine.handle(scan(Double(t), v.map { Double($0) / 10 }))
    case .pass(let t): machine.advance(to: at(Double(t)))
    case .acknowledge(let t):
        machine.openAlarmKeys.flatMap { machine.acknowledge(alarmKey: $0, at: at(Double(t))) }
    }
}

private func seconds(_ time: Timestamp) -> Int {
    Int((time.milliseconds - at(0).milliseconds) / 1000)
}

@Suite("The alarm machine beside a naive model")
struct ReferenceModelTests {
    @Test("gives the same transitions over random days")
    func sameTransitions() throws {
        var seen = 0
        for number in 0..<60 { seen += try compare(number: number) }
        // Days on which nothing happens would prove nothing.
        #expect(seen > 1000, "only \(seen) transitions in all")
    }

    private func compare(number: Int) throws -> Int {
        let seed = UInt64(20_261_121 + number)
        var random = SeededGenerator(seed: seed)
        let statistic = ["mean", "max", "min", "last"][number % 4]
        let isAbove = number % 3 != 0
        let period = [10, 60][number / 4 % 2]
        let over = period * [1, 6, 15, 90].randomElement(using: &random)!
        let hold = [0, 45, 60, 300].randomElement(using: &random)!
        let gap = Int.random(in: 0...300, using: &random)
        var reference = Reference(
            statistic: statistic, isAbove: isAbove, over: over, period: period, limit: 1500,
            clear: isAbove ? 1500 - gap : 1500 + gap, hold: hold)
        let rule = try parseRule(
            "rollup: \(statistic), over: \(over)s, window: rolling, coverage: 75 %, "
                + "\(isAbove ? "above" : "below"): 150 ug/m3, "
                + "clear: \(Double(reference.clear) / 10) ug/m3, hold: \(hold)s")
        var machine = AlarmMachine(
            rules: [rule], groups: [dustGroup(period: .seconds(period))])
        var log: [String] = []
        for input in inputs(900, period: period, &random) {
            switch input {
            case .scan(let t, let v): reference.scan(t, v)
            case .pass(let t): reference.pass(t)
            case .acknowledge(let t): reference.acknowledge(t)
            }
            for change in play(input, &machine) {
                log.append(
                    "\(seconds(change.onset)) \(change.from.rawValue)>\(change.to.rawValue) "
                        + "@\(seconds(change.time))")
            }
            guard log == reference.log else { break }
        }
        #expect(log == reference.log, "seed \(seed)")
        #expect(machine.lateScans == reference.late, "seed \(seed)")
        return log.count
    }

    @Test("goes on from a stored state as if it had never stopped")
    func restoredState() throws {
        var seen = 0
        for number in 0..<30 { seen += try splitAndCompare(number: number) }
        #expect(seen > 200, "only \(seen) transitions in all")
    }

    private func splitAndCompare(number: Int) throws -> Int {
        let seed = UInt64(77_000 + number)
        var random = SeededGenerator(seed: seed)
        let statistic = ["mean", "max", "min", "last"][number % 4]
        let rules = [
            try parseRule(
                "rollup: \(statistic), over: 5min, window: rolling, coverage: 75 %, "
                    + "above: 150 ug/m3, clear: 130 ug/m3, hold: 45s")
        ]
        let all = inputs(800, period: 10, &random)
        let split = Int.random(in: 0..<all.count, using: &random)
        var whole = AlarmMachine(rules: rules, groups: [dustGroup()])
        var first = whole
        var expected: [AlarmTransition] = []
        var got: [AlarmTransition] = []
        for input in all { expected += play(input, &whole) }
        for input in all[..<split] { got += play(input, &first) }
        let bytes = first.state.encoded()
        var second = AlarmMachine(rules: rules, groups: [dustGroup()])
        second.restore(try AlarmMachineState(decoding: bytes))
        for input in all[split...] { got += play(input, &second) }
        #expect(got == expected, "seed \(seed), split at \(split)")
        #expect(second.lateScans == whole.lateScans)
        return expected.count
    }

    @Test("a mean does not drift, whatever the numbers are", arguments: [1, 2, 3] as [UInt64])
    func noDrift(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var window = RollingWindow(.mean)
        var kept: [(time: Int, value: Double)] = []
        for t in 0..<4000 {
            let value =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: Double.random(in: -1e9...1e9, using: &random)
                case 1: Double(Float.random(in: 0...1, using: &random))
                case 2: 1e-7 * Double.random(in: 0...1, using: &random)
                default: Double(Int.random(in: 0...9999, using: &random)) / 100
                }
            _ = window.add(value, at: at(Double(t)))
            kept.append((t, value))
            window.removeAll(through: at(Double(t - 50)))
            kept.removeAll { $0.time <= t - 50 }
            var sum = ExactSum()
            for one in kept { sum.add(one.value) }
            guard window.value() == sum.value / Double(kept.count) else {
                Issue.record("seed \(seed): the mean drifted at \(t)")
                return
            }
        }
    }
}
