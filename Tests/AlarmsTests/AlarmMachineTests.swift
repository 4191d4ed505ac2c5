import Alarms
import Foundation
import LocatedText
import Telemetry
import Testing

@Suite("The alarm machine")
struct AlarmMachineTests {
    private func machine(
        _ when: String, head: String? = nil, groups: [ScanGroup] = [dustGroup()]
    ) throws -> AlarmMachine {
        AlarmMachine(rules: [try parseRule(when, head: head)], groups: groups)
    }

    @Test("without a hold a breach is active at once, and exactly the limit is none")
    func limitIsStrict() throws {
        var machine = try machine("input: reading, above: 150 ug/m3, clear: 120 ug/m3")
        #expect(machine.handle(scan(0, 150)).isEmpty)
        let opened = machine.handle(scan(10, 150.1))
        #expect(opened.map(\.short) == ["normal>active_unacknowledged@10"])
        #expect(opened.first?.onset == at(10))
        #expect(machine.handle(scan(20, 120.1)).isEmpty)
        let closed = machine.handle(scan(30, 120))
        #expect(closed.map(\.short) == ["active_unacknowledged>returned_unacknowledged@30"])
        #expect(closed.first?.onset == at(10))
    }

    @Test("a transition carries what it rests on")
    func evidence() throws {
        var machine = try machine(
            "rollup: mean, over: 1min, window: rolling, coverage: 50 %, above: 150 ug/m3")
        _ = machine.handle(scan(0, 100))
        _ = machine.handle(scan(10, nil))
        _ = machine.handle(scan(20, 100))
        let change = try #require(machine.handle(scan(30, 400)).first)
        #expect(
            change.evidence
                == AlarmEvidence(
                    value: 200, unit: "ug/m3", limit: 150, windowStart: at(-30), windowEnd: at(30),
                    samples: 3, coverage: 0.5))
        #expect(change.rule == "test_rule")
        #expect(change.severity == "warning")
        #expect(change.ruleVersion.count == 16)
        #expect(change.series == SeriesID("dust-north.pm10"))
    }

    @Test("a second breach is a second alarm, and each is acknowledged by itself")
    func twoAlarms() throws {
        var machine = try machine("input: reading, above: 150 ug/m3")
        var changes: [AlarmTransition] = []
        for (t, value) in [(0, 160.0), (10, 100), (20, 170), (30, 100), (40, 180)] {
            changes += machine.handle(scan(Double(t), value))
        }
        let keys = machine.openAlarmKeys
        #expect(Set(keys).count == 3)
        #expect(Set(changes.map(\.alarmKey)) == Set(keys))
        #expect(
            machine.acknowledge(alarmKey: keys[1], at: at(50)).map(\.short)
                == ["returned_unacknowledged>normal@50"])
        #expect(machine.acknowledge(alarmKey: keys[1], at: at(51)).isEmpty)
        #expect(
            machine.acknowledge(alarmKey: keys[2], at: at(52)).map(\.short)
                == ["active_unacknowledged>active_acknowledged@52"])
        #expect(machine.acknowledge(alarmKey: "test_rule|dust-north.pm10|7", at: at(53)).isEmpty)
        #expect(machine.acknowledge(alarmKey: "nonsense", at: at(53)).isEmpty)
        #expect(machine.openAlarmKeys == [keys[0], keys[2]])
        #expect(
            machine.handle(scan(60, 100)).map(\.short) == ["active_acknowledged>normal@60"])
        #expect(machine.openAlarmKeys == [keys[0]])
    }

    @Test("a late scan opens and closes nothing, and is counted")
    func lateScan() throws {
        var machine = try machine("input: reading, above: 150 ug/m3")
        _ = machine.handle(scan(100, 100))
        #expect(machine.handle(scan(90, 900)).isEmpty)
        #expect(machine.lateScans == 1)
        _ = machine.handle(scan(110, 900))
        #expect(machine.handle(scan(105, 100)).isEmpty)
        #expect(machine.openAlarmKeys.count == 1)
        #expect(machine.lateScans == 2)
    }

    @Test("a hold ends in silence at its deadline, once the lateness has passed")
    func holdInSilence() throws {
        var machine = try machine("input: reading, above: 150 ug/m3, hold: 1min")
        #expect(machine.handle(scan(0, 200)).map(\.to) == [.pending])
        #expect(machine.advance(to: at(89)).isEmpty)
        let changes = machine.advance(to: at(90))
        #expect(changes.map(\.short) == ["pending>active_unacknowledged@60"])
        #expect(machine.advance(to: at(500)).isEmpty)
    }

    @Test("a hold does not end while the last scan had no value")
    func holdWithoutValue() throws {
        var machine = try machine("input: reading, above: 150 ug/m3, hold: 1min")
        _ = machine.handle(scan(0, 200))
        #expect(machine.handle(scan(50, nil)).isEmpty)
        #expect(machine.advance(to: at(500)).isEmpty)
        #expect(machine.handle(scan(510, nil)).isEmpty)
        #expect(
            machine.handle(scan(520, 200)).map(\.short) == ["pending>active_unacknowledged@520"])
    }

    @Test("time on the wall does not end a hold in history, the next scan does")
    func backfill() throws {
        var machine = try machine("input: reading, above: 150 ug/m3, hold: 1min")
        let pending = machine.handle(scan(0, 200, flags: .backfill))
        #expect(pending.map(\.isBackfill) == [true])
        #expect(machine.advance(to: at(1_000_000)).isEmpty)
        let active = machine.handle(scan(600, 200, flags: .backfill))
        #expect(active.map(\.short) == ["pending>active_unacknowledged@60"])
        #expect(active.map(\.isBackfill) == [true])
        let back = machine.handle(scan(610, 100))
        #expect(back.map(\.isBackfill) == [false])
    }

    @Test("an aligned rule judges closed buckets of its length, each once")
    func alignedBuckets() throws {
        var machine = try machine(
            "rollup: mean, over: 15min, window: aligned, coverage: 75 %, above: 150 ug/m3")
        let series = dustGroup().series[1]
        func rollup(_ value: Double, good: Int, expected: Int?) -> Rollup {
            var rollup = Rollup(expected: expected)
            for n in 0..<good { rollup.add(.number(value), at: at(Double(n) * 10)) }
            return rollup
        }
        func hand(_ rollup: Rollup, _ start: Double, _ resolution: Resolution) -> [String] {
            let bucket = Bucket(resolution, containing: at(start), calendar: .utc)
            return machine.handle(rollup, of: series, bucket: bucket, isBackfill: false)
                .map(\.short)
        }
        #expect(hand(rollup(200, good: 6, expected: 6), 0, .minute).isEmpty)
        #expect(hand(rollup(200, good: 67, expected: 90), 0, .quarterHour).isEmpty)
        #expect(hand(rollup(200, good: 90, expected: nil), 900, .quarterHour).isEmpty)
        #expect(
            hand(rollup(200, good: 68, expected: 90), 1800, .quarterHour)
                == ["normal>active_unacknowledged@2700"])
        // A later revision of a bucket that was judged changes nothing.
        #expect(hand(rollup(100, good: 90, expected: 90), 1800, .quarterHour).isEmpty)
        #expect(machine.lateScans == 1)
        #expect(
            hand(rollup(100, good: 90, expected: 90), 2700, .quarterHour)
                == ["active_unacknowledged>returned_unacknowledged@3600"])
    }

    @Test("a rule judges only inside its validity, by the days of the site")
    func validity() throws {
        let rule = try parseRule(
            "input: reading, above: 150 ug/m3",
            head: "severity: info, source: s, status: project, "
                + "valid_from: 2026-01-01, valid_to: 2026-01-01")
        let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
        var machine = AlarmMachine(rules: [rule], groups: [dustGroup()], calendar: shanghai)
        // at(0) is midnight of UTC, eight in the morning on the site.
        #expect(machine.handle(scan(-8 * 3600 - 1, 200)).isEmpty)
        #expect(machine.handle(scan(-8 * 3600, 200)).map(\.to) == [.activeUnacknowledged])
        #expect(machine.handle(scan(16 * 3600 - 1, 200)).isEmpty)
        #expect(machine.handle(scan(16 * 3600, 200)).map(\.to) == [.returnedUnacknowledged])
        #expect(machine.handle(scan(17 * 3600, 200)).isEmpty)
    }

    @Test("each device has its own alarm, and `devices:` chooses among them")
    func devices() throws {
        let groups = [dustGroup(1), dustGroup(2, device: "dust-south")]
        var all = try machine("input: reading, above: 150 ug/m3", groups: groups)
        #expect(all.handle(scan(0, 200, group: 1)).count == 1)
        #expect(all.handle(scan(0, 200, group: 2)).map(\.series.device.text) == ["dust-south"])
        #expect(all.handle(scan(10, 200, group: 3)).isEmpty)
        var one = try machine(
            "input: reading, above: 150 ug/m3",
            head: "severity: info, source: s, status: project, devices: [dust-south]",
            groups: groups)
        #expect(one.bindingFaults.isEmpty)
        #expect(one.handle(scan(0, 200, group: 1)).isEmpty)
        #expect(one.handle(scan(0, 200, group: 2)).count == 1)
    }

    @Test("a row that is too short, text and NaN are readings without a value")
    func foreignReadings() throws {
        var machine = try machine("input: reading, above: 150 ug/m3")
        let id = ScanGroup.ID(1)
        for readings in [
            [], [.number(1)], [.number(1), .text("900")], [.number(1), .number(.nan)],
            [.number(1), .number(.infinity)],
        ] as [[Reading]] {
            #expect(machine.handle(Scan(group: id, time: at(0), readings: readings)).isEmpty)
        }
    }

    @Test("a rule that does not fit a series says so and does not watch it")
    func bindingFaults() throws {
        let windowed =
            "rollup: mean, over: 15min, window: rolling, coverage: 75 %, above: 150 ug/m3"
        let cases: [(String, ScanGroup, String)] = [
            (windowed, dustGroup(unit: "mg/m3"), "the point in 'mg/m3'"),
            (windowed, dustGroup(period: nil), "nobody has said how often"),
            (windowed, dustGroup(period: .seconds(3600)), "shorter than the time"),
            (windowed, dustGroup(period: .milliseconds(10)), "more than 20000 readings"),
            (windowed, dustGroup(kind: .state), "state values"),
        ]
        for (when, group, words) in cases {
            var machine = try machine(when, groups: [group])
            let fault = try #require(machine.bindingFaults.first)
            #expect(fault.description.contains(words), "\(fault)")
            #expect(fault.location.file == "test.yaml")
            #expect(fault.remedy != nil)
            #expect(machine.limitLines(for: SeriesID("dust-north.pm10")!).isEmpty)
            #expect(machine.handle(scan(0, 900)).isEmpty)
        }
        let misspelt = try machine(
            windowed, head: "severity: info, source: s, status: project, devices: [dust-nort]")
        #expect(misspelt.bindingFaults.map(\.remedy) == ["did you mean 'dust-north'?"])
        let twice = try parseRule(windowed)
        #expect(
            AlarmMachine(rules: [twice, twice], groups: [dustGroup()]).bindingFaults.count == 1)
    }

    @Test("a limit in micrograms fits a unit in either spelling")
    func unitSpelling() throws {
        let machine = try machine(
            "input: reading, above: 150 µg/m³", groups: [dustGroup(unit: "µg/m³")])
        #expect(machine.bindingFaults.isEmpty)
        let line = try #require(machine.limitLines(for: SeriesID("dust-north.pm10")!).first)
        #expect(line.above == 150)
        #expect(line.below == nil)
        #expect(line.unit == "µg/m³")
        #expect(line.title.zh == "测试")
    }

    @Test("a window takes 20,000 readings and lets the oldest go first")
    func boundedWindow() throws {
        var machine = try machine(
            "rollup: last, over: 1h, window: rolling, above: 150 ug/m3",
            groups: [dustGroup(period: nil)])
        for n in 0..<20_010 { _ = machine.handle(scan(Double(n) * 0.01, 100)) }
        #expect(machine.droppedReadings == 10)
    }

    @Test("a mean that no double can hold says nothing, and the state can still be stored")
    func overflow() throws {
        var machine = try machine(
            "rollup: mean, over: 1min, window: rolling, above: 150 ug/m3")
        for n in 0..<3 {
            #expect(
                machine.handle(scan(Double(n), Double.greatestFiniteMagnitude)).count
                    == (n == 0 ? 1 : 0))
        }
        #expect(try AlarmMachineState(decoding: machine.state.encoded()) == machine.state)
        #expect(machine.handle(scan(100, 10)).map(\.to) == [.returnedUnacknowledged])
    }

    @Test("a changed rule keeps its open alarm and judges it anew")
    func changedRule() throws {
        var old = try machine("input: reading, above: 150 ug/m3")
        let key = try #require(old.handle(scan(0, 160)).first?.alarmKey)
        var new = try machine("input: reading, above: 200 ug/m3")
        new.restore(old.state)
        #expect(new.openAlarmKeys == [key])
        let back = try #require(new.handle(scan(10, 160)).first)
        #expect(back.to == .returnedUnacknowledged)
        #expect(back.alarmKey == key)
        #expect(back.evidence.limit == 200)
    }

    @Test("an open alarm outlives the absence of its device")
    func absentDevice() throws {
        var machine = try machine("input: reading, above: 150 ug/m3")
        let key = try #require(machine.handle(scan(0, 160)).first?.alarmKey)
        var without = try self.machine(
            "input: reading, above: 150 ug/m3", groups: [dustGroup(5, device: "other")])
        without.restore(machine.state)
        #expect(without.openAlarmKeys.isEmpty)
        var again = try self.machine("input: reading, above: 150 ug/m3")
        again.restore(without.state)
        #expect(again.openAlarmKeys == [key])
        #expect(again.handle(scan(10, 100)).map(\.to) == [.returnedUnacknowledged])
    }
}
