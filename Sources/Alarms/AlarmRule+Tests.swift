import LocatedText
import Telemetry

extension AlarmRule {
    /// Plays the tests that stand beside the rule, through the machine that runs on the site.
    ///
    /// - Returns: one fault for each test that does not hold, at its `then:`.
    package func runTests() -> [Fault] {
        tests.compactMap { test in
            let played: [AlarmRuleTest.Expectation]
            switch states(of: test) {
            case .success(let states): played = states
            case .failure(let fault): return fault
            }
            let isAsExpected =
                played.count == test.then.count
                && zip(played, test.then).allSatisfy {
                    $0.state == $1.state && ($1.at == nil || $1.at == $0.at)
                }
            if isAsExpected { return nil }
            return Fault(
                test.location,
                "the test of '\(name)' does not hold: expected '\(Self.text(test.then))', "
                    + "the rule gives '\(Self.text(played))'",
                remedy: "correct the rule or the test")
        }
    }

    /// Every state in turn with its beginning, counted from the first scan.
    func states(of test: AlarmRuleTest) -> Result<[AlarmRuleTest.Expectation], Fault> {
        // Aligned to every resolution, and inside the validity of the rule.
        let start = (validFrom ?? CivilTime(year: 2026, month: 1, day: 1)).timestamp(offset: 0)
        let series = Series(
            id: SeriesID(device: DeviceID("test"), point: point), kind: .gauge, unit: unit)
        let group = ScanGroup(
            device: series.id.device, interface: "test", name: "test", series: [series],
            period: test.every, isPolled: true, lateness: .zero)
        var rule = self
        rule.devices = nil
        var player = Player(
            machine: AlarmMachine(rules: [rule], groups: [group]), group: group, series: series,
            resolution: rule.bucketResolution, start: start)
        if let misfit = player.machine.bindingFaults.first {
            return .failure(
                Fault(
                    test.location, "the test cannot be played: \(misfit.message)",
                    remedy: misfit.remedy))
        }
        var time = start
        for run in test.given {
            for _ in 0..<run.count {
                player.take(run.step, at: time)
                if run.step != .acknowledge { time = time + test.every }
            }
        }
        player.closeBuckets(until: time)
        return .success(player.states)
    }

    /// The resolution whose buckets an aligned rule judges; nil for every other rule.
    private var bucketResolution: Resolution? {
        guard case .window(let window) = input, window.kind == .aligned else { return nil }
        return Resolution.allCases.first { $0 != .month && $0.nominal == window.over }
    }

    private static func text(_ states: [AlarmRuleTest.Expectation]) -> String {
        states.map { state in
            let at = state.at.map { at -> String in
                let milliseconds = at.milliseconds
                return milliseconds % 1000 == 0
                    ? "@\(milliseconds / 1000)s" : "@\(milliseconds)ms"
            }
            return state.state.testWord + (at ?? "")
        }.joined(separator: " ")
    }
}

/// Feeds a machine with the steps of a test and keeps the states that come out.
private struct Player {
    var machine: AlarmMachine
    let group: ScanGroup
    let series: Series
    let resolution: Resolution?
    let start: Timestamp
    private(set) var states = [AlarmRuleTest.Expectation(state: .normal, at: .zero)]
    private var open: (bucket: Bucket, rollup: Rollup)?

    init(
        machine: AlarmMachine, group: ScanGroup, series: Series, resolution: Resolution?,
        start: Timestamp
    ) {
        self.machine = machine
        self.group = group
        self.series = series
        self.resolution = resolution
        self.start = start
        if let resolution {
            let bucket = Bucket(resolution, containing: start, calendar: .utc)
            open = (bucket, Rollup(expected: group.expected(in: bucket)))
        }
    }

    mutating func take(_ step: AlarmRuleTest.Step, at time: Timestamp) {
        closeBuckets(until: time)
        switch step {
        case .value(let value): scan(.number(value), at: time)
        case .bad: scan(.bad(.absent), at: time)
        case .silence: note(machine.advance(to: time))
        case .acknowledge:
            for key in machine.openAlarmKeys {
                note(machine.acknowledge(alarmKey: key, at: time))
            }
        }
    }

    /// Hands over every bucket that ends at or before `time`.
    mutating func closeBuckets(until time: Timestamp) {
        while let (bucket, rollup) = open, bucket.end <= time {
            note(machine.handle(rollup, of: series, bucket: bucket, isBackfill: false))
            let next = bucket.next(calendar: .utc)
            open = (next, Rollup(expected: group.expected(in: next)))
        }
    }

    private mutating func scan(_ reading: Reading, at time: Timestamp) {
        open?.rollup.add(reading, at: time)
        note(machine.handle(Scan(group: group.id, time: time, readings: [reading])))
        note(machine.advance(to: time))
    }

    private mutating func note(_ transitions: [AlarmTransition]) {
        states += transitions.map { .init(state: $0.to, at: $0.time - start) }
    }
}
