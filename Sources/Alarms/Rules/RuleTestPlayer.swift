import LocatedText
import Telemetry

/// Feeds a machine with the steps of a test and keeps the states that come out.
///
/// Each series of the test is a scan group of its own; a device that the rule names and the test
/// does not is there and says nothing.
struct RuleTestPlayer {
    private var machine: AlarmMachine
    private let groups: [ScanGroup]
    private let tracks: [AlarmRuleTest.Track]
    private let every: Duration
    private let start: Timestamp
    private let rule: String
    private(set) var states = [AlarmRuleTest.Expectation(state: .normal, at: .zero)]
    /// The open quarter of each group, for rules that judge the store's rollups.
    private var open: [(bucket: Bucket, rollup: Rollup)]
    private var acts = 0

    /// The device that stands for the one under the rule.
    private static let subject = DeviceID("test")

    static func make(_ rule: AlarmRule, _ test: AlarmRuleTest) -> Result<RuleTestPlayer, Fault> {
        // Aligned to every resolution, and inside the validity of the rule.
        let midnight =
            (rule.validFrom ?? rule.only?.dates.first.map { CivilTime(day: $0.first) }
            ?? CivilTime(year: 2026, month: 1, day: 1)).timestamp(offset: 0)
        let start = midnight + .seconds(test.start * 60)
        var rule = rule
        rule.devices = nil
        rule.kinds = nil
        rule.isEnabled = true
        let series = TestSeries(rule, test)
        if let fault = series.fault { return .failure(fault) }
        let player = RuleTestPlayer(rule, test, series, start)
        if let misfit = player.machine.bindingFaults.first ?? player.machine.bindingRemarks.first {
            return .failure(
                Fault(
                    test.location, "the test cannot be played: \(misfit.message)",
                    remedy: misfit.remedy))
        }
        return .success(player)
    }

    private init(
        _ rule: AlarmRule, _ test: AlarmRuleTest, _ series: TestSeries, _ start: Timestamp
    ) {
        groups = series.groups
        tracks = test.given
        every = test.every
        self.start = start
        self.rule = rule.name
        machine = AlarmMachine(
            rules: [rule],
            site: AlarmSite(
                groups: groups,
                devices: Dictionary(
                    groups.map { ($0.device, AlarmSite.Device(kind: "", link: "test")) },
                    uniquingKeysWith: { first, _ in first }),
                standing: series.standing, phase: rule.only?.phase))
        open = groups.map { group in
            let bucket = Bucket(.quarterHour, containing: start, calendar: .utc)
            return (bucket, Rollup(expected: group.expected(in: bucket)))
        }
        // The machine begins to listen when the first scan comes.
        note(machine.advance(to: start))
    }

    /// Plays all tracks beside each other, instant by instant.
    mutating func play(_ test: AlarmRuleTest) {
        var cursors = tracks.map { Cursor($0.runs) }
        var time = start
        while cursors.contains(where: { !$0.isAtEnd }) {
            closeQuarters(until: time)
            for index in cursors.indices {
                // What stands beside others speaks first where it is written first.
                while let step = cursors[index].next() {
                    take(step, of: index, at: time)
                    if !step.isAct { break }
                }
            }
            note(machine.endRow())
            note(machine.advance(to: time))
            // A gateway that says nothing for minutes would count as away.
            let next = time + every
            var tick = time + .seconds(60)
            while tick < next {
                note(machine.advance(to: tick))
                tick = tick + .seconds(60)
            }
            time = next
        }
        closeQuarters(until: time)
        note(machine.advance(to: time))
    }

    private mutating func take(_ step: AlarmRuleTest.Step, of index: Int, at time: Timestamp) {
        switch step {
        case .value(let value): scan(.number(value), of: index, at: time)
        case .word(let word): scan(.text(word), of: index, at: time)
        case .bad: scan(.bad(.absent), of: index, at: time)
        case .silence: break
        case .acknowledge:
            for key in machine.openAlarmKeys {
                note(machine.acknowledge(alarmKey: key, at: time))
            }
        case .shelve: act(.shelve(AlarmTarget(rule: rule), until: time + .seconds(86_400)), time)
        case .unshelve: act(.unsilence(AlarmTarget(rule: rule)), time)
        }
    }

    private mutating func act(_ action: AlarmInstruction.Action, _ time: Timestamp) {
        acts += 1
        note(
            machine.handle(
                AlarmInstruction(id: "\(acts)", time: time, actor: "test", action: action)))
    }

    /// Hands over every quarter that ends at or before `time`.
    private mutating func closeQuarters(until time: Timestamp) {
        for index in groups.indices {
            while open[index].bucket.end <= time {
                let (bucket, rollup) = open[index]
                note(
                    machine.handle(
                        rollup, of: groups[index].series[0], bucket: bucket, isBackfill: false))
                let next = bucket.next(calendar: .utc)
                open[index] = (next, Rollup(expected: groups[index].expected(in: next)))
            }
        }
    }

    private mutating func scan(_ reading: Reading, of index: Int, at time: Timestamp) {
        open[index].rollup.add(reading, at: time)
        note(machine.handle(Scan(group: groups[index].id, time: time, readings: [reading])))
    }

    private mutating func note(_ transitions: [AlarmTransition]) {
        states += transitions.map { .init(state: $0.to, at: $0.time - start) }
    }

    /// Takes the steps of a track one by one.
    private struct Cursor {
        private let runs: [AlarmRuleTest.Run]
        private var run = 0
        private var taken = 0

        init(_ runs: [AlarmRuleTest.Run]) { self.runs = runs }

        var isAtEnd: Bool { run >= runs.count }

        mutating func next() -> AlarmRuleTest.Step? {
            guard run < runs.count else { return nil }
            defer {
                taken += 1
                if taken >= runs[run].count { (run, taken) = (run + 1, 0) }
            }
            return runs[run].step
        }
    }

    /// The series of a test, each with the kind and unit that the rule asks for.
    private struct TestSeries {
        private(set) var groups: [ScanGroup] = []
        private(set) var standing: Set<DeviceID> = []
        private(set) var fault: Fault?

        init(_ rule: AlarmRule, _ test: AlarmRuleTest) {
            let terms = rule.when.terms + rule.unless
            let subject = RuleTestPlayer.subject
            for track in test.given {
                let id =
                    track.series.map { self.id($0, terms) }
                    ?? SeriesID(
                        device: rule.primary.operand.device ?? subject,
                        point: PointKey(rule.primary.operand.point.concrete))
                add(id, asked(terms, id), test)
            }
            for term in terms {
                for operand in [term.operand] + term.minus {
                    if case .silence(.device) = term.measure, operand.device == nil { continue }
                    let id = SeriesID(
                        device: operand.device ?? subject, point: PointKey(operand.point.concrete))
                    if !groups.contains(where: { $0.series[0].id == id }) {
                        add(id, asked(terms, id) ?? term, test)
                    }
                }
            }
            for track in test.given where track.series != nil {
                let id = self.id(track.series ?? "", terms)
                if asked(terms, id) == nil, !terms.contains(where: { $0.isAboutSilence }) {
                    fault = Fault(
                        track.location, "the rule asks nothing of '\(track.series ?? "")'",
                        remedy: "name a point of the rule, or 'device.point'")
                }
            }
        }

        /// `device.point` where a term names the device, else a point of the device under test.
        private func id(_ text: String, _ terms: [AlarmTerm]) -> SeriesID {
            let devices = terms.flatMap { [$0.operand] + $0.minus }.compactMap(\.device)
            if let id = SeriesID(text), devices.contains(id.device) { return id }
            return SeriesID(device: RuleTestPlayer.subject, point: PointKey(text))
        }

        /// The term that says most of a series: one with a unit or words before one without.
        private func asked(_ terms: [AlarmTerm], _ id: SeriesID) -> AlarmTerm? {
            let asking = terms.filter { term in
                ([term.operand] + term.minus).contains {
                    $0.point.matches(id.point)
                        && ($0.device ?? RuleTestPlayer.subject) == id.device
                }
            }
            return asking.first { if case .lasting = $0.test { false } else { true } }
                ?? asking.first
        }

        private mutating func add(_ id: SeriesID, _ term: AlarmTerm?, _ test: AlarmRuleTest) {
            let isWord = if case .isOneOf? = term?.test { true } else { false }
            var kind: SeriesKind = isWord ? .state : .gauge
            if case .window(let window)? = term?.measure, window.statistic == .increase {
                kind = .counter
            }
            // Words of another device stand until it takes them back, as those of the site do.
            if isWord, id.device != RuleTestPlayer.subject { standing.insert(id.device) }
            groups.append(
                ScanGroup(
                    id: ScanGroup.ID(groups.count + 1), device: id.device, interface: "test",
                    name: "test", series: [Series(id: id, kind: kind, unit: term?.unit ?? "")],
                    period: test.every, isPolled: true, lateness: .zero))
        }
    }
}

extension AlarmTerm {
    fileprivate var isAboutSilence: Bool { if case .silence = measure { true } else { false } }

    fileprivate var unit: String {
        switch test {
        case .above(_, _, let unit), .below(_, _, let unit): unit
        case .isOneOf, .bit, .lasting: ""
        }
    }
}

extension AlarmPoint {
    /// A point that the pattern matches.
    fileprivate var concrete: String { isPattern ? String(text.dropLast(2)) : text }
}

extension CivilTime {
    fileprivate init(day: Int) {
        let date = Self.date(daysSinceEpoch: day)
        self.init(year: date.year, month: date.month, day: date.day)
    }
}
