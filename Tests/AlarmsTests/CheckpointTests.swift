import Foundation
import Telemetry
import TestSeeds
import Testing

@testable import Alarms

@Suite("The alarms' part of a checkpoint")
struct AlarmCheckpointTests {
    /// Written by the program of version 3: one returned alarm, one acknowledged, one pending with
    /// a float in its window, and history.
    private static let version3 = """
        AAQJdGVzdF9ydWxlEDg5NGM0MDBmYWU1MjUzNWMKZHVzdC1ub3J0aARwbTEwAAIZoNP47e5mACgFdWcvbTMArALg
        qfHt7mag0/jt7mYGAQACAcDY1+3uZgKirAEFdWcvbTMArAKAgt/t7mbAq+bt7mYGAQACAAaAxvLt7mbfqfHt7mYA
        AAAAACgAKAAoACgAKAAoCXRlc3RfcnVsZRA4OTRjNDAwZmFlNTI1MzVjCmR1c3Qtc291dGgEcG0xMAMAG+DW4u3u
        ZsDY1+3uZgDYBAV1Zy9tMwCsAqCt2+3uZuDW4u3uZgYBAAIAAAbAydzt7mafrdvt7mYAAAAAANgEANgEANgEANgE
        ANgEANgECXRlc3RfcnVsZRA4OTRjNDAwZmFlNTI1MzVjCWR1c3Qtd2VzdARwbTEwAQAb4PTY7e5mwNjX7e5mAcI+
        BXVnL20zAKwCoMvR7e5m4PTY7e5mBAH/VVVVVVVV5T8AAASAoNXt7mbfg9Tt7mYAAAHCPgHCPgHCPgHCPgl0ZXN0
        X3J1bGUQODk0YzQwMGZhZTUyNTM1YwlkdXN0LWVhc3QEcG0xMAACHYCC3+3uZv+rqqqqqipEQAV1Zy9tMwCsAsDY
        1+3uZoCC3+3uZgYBAAIAAAbg9Njt7ma/2Nft7mYAAAAA/6uqqqqqKkRA/6uqqqqqKkRA/6uqqqqqKkRA/6uqqqqq
        KkRA/6uqqqqqKkRA/6uqqqqqKkRA
        """

    private static let when =
        "rollup: mean, over: 1min, window: rolling, coverage: 50 %, above: 150 ug/m3, "
        + "clear: 120 ug/m3, hold: 20s"

    private static func machine() throws -> AlarmMachine {
        AlarmMachine(
            rules: [try parseRule(when)],
            groups: ["dust-north", "dust-south", "dust-west", "dust-east"].enumerated().map {
                dustGroup($0.offset + 1, device: $0.element)
            })
    }

    private static func state3() throws -> AlarmMachineState {
        let text = version3.filter { !$0.isWhitespace }
        return try AlarmMachineState(
            decodingVersion3: [UInt8](try #require(Data(base64Encoded: text))))
    }

    @Test("of version 3 is read, and its alarms go on")
    func version3() throws {
        var machine = try Self.machine()
        machine.restore(try Self.state3())
        #expect(
            machine.openAlarmKeys.map { AlarmKey($0)?.series.device.text } == [
                "dust-north", "dust-south",
            ])
        let north = try #require(machine.openAlarmKeys.first)
        #expect(
            machine.acknowledge(alarmKey: north, at: at(300)).map(\.short)
                == ["returned_unacknowledged>normal@300"])
        // The acknowledged one returns when its window says so.
        var out: [AlarmTransition] = []
        for n in 12..<30 { out += machine.handle(scan(Double(n) * 10, 20, group: 2)) }
        #expect(out.map(\.short) == ["active_acknowledged>normal@150"])
        // The pending one becomes active at the end of its hold.
        out = machine.handle(scan(40, 400.1, group: 3))
        #expect(out.map(\.short) == ["pending>active_unacknowledged@40"])
    }

    @Test("is the same after it was written and read, whatever the rules are")
    func roundTrip() throws {
        var machine = try Self.machine()
        machine.restore(try Self.state3())
        let state = machine.state
        #expect(try AlarmMachineState(decoding: state.encoded()) == state)
        var rich = Self.rich
        #expect(try AlarmMachineState(decoding: rich.encoded()) == rich)
        rich.monitors[0].quiet?.until = nil
        #expect(try AlarmMachineState(decoding: rich.encoded()) == rich)
    }

    @Test("with a day beyond all calendars is refused", arguments: [Int.min, .max, 10_000_000])
    func day(day: Int) throws {
        var state = Self.rich
        state.monitors[0].terms[0].day = day
        let bytes = state.encoded()
        #expect(throws: Damage.self) { try AlarmMachineState(decoding: bytes) }
    }

    @Test("that is damaged is refused or read, and never brings the gateway down")
    func damage() throws {
        let bytes = Self.rich.encoded()
        var random = SeededGenerator(seed: 11)
        var read = 0
        for number in 0..<20_000 {
            var broken = bytes
            for _ in 0...Int.random(in: 0...2, using: &random) {
                broken[Int.random(in: 0..<broken.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            if number % 5 == 0 {
                broken.removeLast(Int.random(in: 0..<broken.count, using: &random))
            }
            if let state = try? AlarmMachineState(decoding: broken) {
                read += 1
                var machine = try Self.machine()
                machine.restore(state)
                _ = machine.handle(scan(1000, 200))
                _ = machine.advance(to: at(2000))
            }
            _ = try? AlarmMachineState(decodingVersion3: broken)
        }
        #expect(read > 1000, "only \(read) were read")
    }

    /// One of everything that a state can hold.
    private static var rich: AlarmMachineState {
        let other = AlarmEvidence.Other(
            series: SeriesID("city.pm10")!, value: 80.5, word: "high", unit: "ug/m3")
        let evidence = AlarmEvidence(
            value: .pi, unit: "ug/m3", limit: 150, windowStart: at(-60), windowEnd: at(0),
            samples: 6, coverage: 0.75, word: "alarm", others: [other])
        var term = TermState(operands: 2)
        term.standing = .breach
        term.newest = at(0)
        term.evidence = evidence
        term.day = 20_454
        term.count = 7
        for statistic in [AlarmTerm.Statistic.leq, .percentile(95)].enumerated() {
            var window = RollingWindow(statistic.element)
            for n in 0..<4 { _ = window.add(Double(n) / 3, at: at(Double(n))) }
            term.operands[statistic.offset].window = window
        }
        term.operands[0].heard = at(2)
        term.operands[0].time = at(1)
        term.operands[0].number = 1.5
        term.operands[0].word = "on"
        term.operands[0].closed = TermState.Closed(
            end: at(900), value: 3, samples: 4, coverage: 0.5)
        term.operands[0].since = at(-5)
        term.operands[0].isHistory = true
        term.operands[0].repeats = 12
        var monitor = AlarmMonitor.State(
            rule: "test_rule", version: "v", series: SeriesID("dust-north.pm10")!, terms: [term])
        monitor.newest = at(3)
        monitor.due = at(4)
        monitor.phase = .activeUnacknowledged
        monitor.shown = .shelved
        monitor.onset = at(-9)
        monitor.clearSince = at(1)
        monitor.standing = .clear
        monitor.isBackfill = true
        monitor.evidence = evidence
        monitor.returned = [AlarmMonitor.Returned(onset: at(-99), evidence: evidence)]
        monitor.quiet = AlarmMonitor.Quiet(
            state: .shelved, until: at(86_400), actor: "li", reason: "修路", since: at(0))
        monitor.suppressedBy = "site.maintenance = on"
        return AlarmMachineState(lateScans: 3, tick: at(4), monitors: [monitor])
    }
}
