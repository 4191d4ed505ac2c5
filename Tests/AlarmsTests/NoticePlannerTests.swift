import Telemetry
import TestSeeds
import Testing

@testable import Alarms

private func change(
    _ to: AlarmState, from: AlarmState = .pending, rule: String = "pm10", device: String = "d1",
    onset: Double = 0, at time: Double, severity: String = "warning", isBackfill: Bool = false
) -> AlarmTransition {
    AlarmTransition(
        rule: rule, ruleVersion: "v", severity: severity, series: SeriesID("\(device).pm10")!,
        onset: at(onset), from: from, to: to, time: at(time),
        evidence: AlarmEvidence(
            value: 200, unit: "ug/m3", limit: 150, windowStart: at(0), windowEnd: at(time),
            samples: 1, coverage: nil), isBackfill: isBackfill)
}

private func traits(_ change: AlarmTransition) -> AlarmTraits {
    AlarmTraits(
        severity: AlarmRule.Severity(rawValue: change.severity) ?? .info,
        module: change.rule == "load" ? "crane" : "dust",
        area: change.series.device.text.hasPrefix("s") ? "south" : "north")
}

extension NoticePlanner {
    fileprivate mutating func take(
        _ changes: [AlarmTransition], _ now: Double, calendar: SiteCalendar = .utc
    ) -> [PlannedNotice] {
        handle(changes, now: at(now), calendar: calendar, traits: traits)
    }
}

extension PlannedNotice {
    fileprivate var short: String {
        "\(kind.rawValue)@\(Int((time.milliseconds - at(0).milliseconds) / 1000)) \(total)"
    }
}

@Suite("What a feed is sent")
struct NoticePlannerTests {
    private var people: FeedSubscription { FeedSubscription(id: "phone", audience: .people) }

    @Test("is one message at once, and one for all that follows of the same area and module")
    func groups() {
        var planner = NoticePlanner(people)
        #expect(
            planner.take([change(.activeUnacknowledged, at: 0)], 0).map(\.short) == ["raised@0 1"])
        var out: [PlannedNotice] = []
        for n in 2...6 {
            out += planner.take(
                [change(.activeUnacknowledged, device: "d\(n)", onset: Double(n), at: Double(n))],
                Double(n))
        }
        // Another area and another module are something else.
        out += planner.take(
            [
                change(.activeUnacknowledged, device: "s1", at: 7),
                change(.activeUnacknowledged, rule: "load", at: 7),
            ], 7)
        #expect(out.map(\.subject) == ["north/crane", "south/dust"])
        #expect(planner.take([], 299).isEmpty)
        let later = planner.take([], 300)
        #expect(later.map(\.short) == ["raised@300 5"])
        // The first-out comes first.
        #expect(later.first?.alarms.first?.series.device.text == "d2")
    }

    @Test("tells a return once, and none of an alarm that was never told")
    func returns() {
        var planner = NoticePlanner(people)
        _ = planner.take([change(.activeUnacknowledged, at: 0)], 0)
        _ = planner.take([change(.returnedUnacknowledged, from: .activeUnacknowledged, at: 10)], 10)
        #expect(planner.take([], 300).map(\.short) == ["returned@300 1"])
        _ = planner.take([change(.normal, from: .returnedUnacknowledged, at: 310)], 310)
        #expect(planner.take([], 900).isEmpty)
        // Raised and gone while its group waited: told once, as it stands when it is sent.
        _ = planner.take([change(.activeUnacknowledged, device: "d2", onset: 901, at: 901)], 901)
        _ = planner.take([change(.activeUnacknowledged, device: "d3", onset: 902, at: 902)], 902)
        _ = planner.take(
            [
                change(
                    .returnedUnacknowledged, from: .activeUnacknowledged, device: "d3", onset: 902,
                    at: 903)
            ],
            903)
        #expect(planner.take([], 1201).map(\.short) == ["raised@1201 1"])
        #expect(planner.take([], 1600).isEmpty)
    }

    @Test("passes by what the feed did not ask for, and what is history")
    func subscription() {
        var feed = people
        feed.severity = .critical
        feed.modules = ["dust"]
        feed.areas = ["south"]
        var planner = NoticePlanner(feed)
        let changes = [
            change(.activeUnacknowledged, device: "s1", at: 0),
            change(.activeUnacknowledged, device: "d1", at: 0, severity: "critical"),
            change(.activeUnacknowledged, rule: "load", device: "s1", at: 0, severity: "critical"),
            change(
                .activeUnacknowledged, device: "s2", at: 0, severity: "critical", isBackfill: true),
        ]
        #expect(planner.take(changes, 0).isEmpty)
        #expect(
            planner.take(
                [change(.activeUnacknowledged, device: "s3", at: 1, severity: "critical")], 1
            ).count == 1)
    }

    @Test("reminds until somebody acknowledges")
    func reminders() {
        var feed = people
        feed.remind = .seconds(3600)
        var planner = NoticePlanner(feed)
        _ = planner.take([change(.activeUnacknowledged, at: 0)], 0)
        #expect(planner.take([], 3599).isEmpty)
        #expect(planner.take([], 3600).map(\.short) == ["reminder@3600 1"])
        #expect(planner.take([], 7199).isEmpty)
        _ = planner.take([change(.activeAcknowledged, from: .activeUnacknowledged, at: 7199)], 7199)
        #expect(planner.take([], 20_000).isEmpty)
    }

    @Test("escalates what nobody acknowledged in time, and nothing else")
    func escalation() {
        var feed = people
        feed.after = .seconds(1800)
        var planner = NoticePlanner(feed)
        var out = planner.take(
            (1...3).map { change(.activeUnacknowledged, device: "d\($0)", at: 0) }, 0)
        out += planner.take(
            [
                change(.activeAcknowledged, from: .activeUnacknowledged, device: "d1", at: 60),
                change(.returnedUnacknowledged, from: .activeUnacknowledged, device: "d2", at: 60),
            ], 60)
        #expect(out.isEmpty)
        #expect(planner.take([], 1800).map(\.short) == ["escalation@1800 1"])
        #expect(planner.take([], 9000).isEmpty)
    }

    @Test("says once that an alarm chatters, and again when it begins anew after quiet")
    func chattering() {
        var planner = NoticePlanner(people)
        var out: [PlannedNotice] = []
        for n in 0..<60 {
            let t = Double(n) * 20
            out += planner.take([change(.activeUnacknowledged, onset: t, at: t)], t)
            out += planner.take(
                [
                    change(
                        .returnedUnacknowledged, from: .activeUnacknowledged, onset: t, at: t + 10)
                ],
                t + 10)
        }
        #expect(out.filter { $0.kind == .chattering }.map(\.short) == ["chattering@60 1"])
        #expect(out.count < 8, "\(out.map(\.short))")
        let quiet = 59 * 20.0 + 700
        _ = planner.take([], quiet)
        let again = planner.take([change(.activeUnacknowledged, onset: quiet, at: quiet)], quiet)
        #expect(again.map(\.kind) == [.raised])
    }

    @Test("gathers the slight ones of a day into one digest at its hour")
    func digest() {
        var feed = people
        feed.digest = 7 * 60 + 30
        feed.digestOnly = .info
        let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
        var planner = NoticePlanner(feed)
        func take(_ changes: [AlarmTransition], _ now: Double) -> [PlannedNotice] {
            planner.take(changes, now, calendar: shanghai)
        }
        // at(0) is 08:00 on the site.
        #expect(take([], 0).isEmpty)
        for n in 0..<30 {
            let t = Double(n) * 600
            #expect(
                take(
                    [
                        change(
                            .activeUnacknowledged, device: "d\(n)", onset: t, at: t,
                            severity: "info")
                    ], t
                )
                .isEmpty)
        }
        #expect(take([], 23.5 * 3600 - 1).isEmpty)
        let digest = take([], 23.5 * 3600)
        #expect(digest.map(\.short) == ["digest@84600 30"])
        #expect(digest.first?.alarms.count == 20)
        #expect(digest.first?.since == at(0))
        // Nothing happened: nobody is woken to hear it.
        #expect(take([], 48 * 3600).isEmpty)
    }

    @Test("tells the returns too that found no room, and counts the day's message")
    func bound() {
        var feed = people
        feed.most = 2
        feed.digest = 8 * 60 + 1
        var planner = NoticePlanner(feed)
        let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
        func take(_ changes: [AlarmTransition], _ now: Double) -> [String] {
            planner.take(changes, now, calendar: shanghai).map(\.short)
        }
        #expect(take([change(.activeUnacknowledged, at: 0)], 0) == ["raised@0 1"])
        let back = change(.returnedUnacknowledged, from: .activeUnacknowledged, at: 20)
        #expect(take([change(.activeUnacknowledged, device: "s1", at: 20)], 20) == ["storm@20 1"])
        // Three would be too many in ten minutes, of the return and of the day alike.
        #expect(take([back], 30).isEmpty)
        #expect(take([], 310).isEmpty)
        #expect(take([], 599).isEmpty)
        #expect(take([], 600) == ["storm@600 1"])
        #expect(take([], 619).isEmpty)
        #expect(take([], 620) == ["digest@620 2"])
        // The day's message has taken the room of the next one.
        #expect(take([change(.activeUnacknowledged, rule: "load", at: 630)], 630).isEmpty)
        #expect(take([], 1199).isEmpty)
        #expect(take([], 1200) == ["storm@1200 1"])
    }

    @Test("is bounded in length: what nobody could read is in the store alone")
    func capacity() {
        var feed = people
        feed.most = 1
        var planner = NoticePlanner(feed)
        _ = planner.take([change(.activeUnacknowledged, at: 0)], 0)
        for n in 1...6000 {
            // Two areas, each of which could be told by itself.
            let device = n % 2 == 0 ? "d\(n)" : "s\(n)"
            let raised = change(.activeUnacknowledged, device: device, onset: 1, at: 1)
            #expect(planner.take([raised], 1).isEmpty)
        }
        #expect(planner.take([], 302).isEmpty)
        #expect(planner.take([], 600).map(\.short) == ["storm@600 4096"])
    }

    @Test("to a program is every change but the coming and going before an alarm is one")
    func programs() {
        var planner = NoticePlanner(FeedSubscription(id: "hub", audience: .programs))
        let changes = [
            change(.pending, from: .normal, at: 0), change(.normal, at: 1),
            change(.pending, from: .normal, onset: 2, at: 2),
            change(.activeUnacknowledged, onset: 2, at: 3),
            change(.shelved, from: .activeUnacknowledged, onset: 2, at: 4),
            change(.normal, from: .shelved, onset: 2, at: 5),
        ]
        let out = planner.take(changes, 9)
        #expect(out.map(\.to) == [.activeUnacknowledged, .shelved, .normal])
        #expect(out.map(\.time) == [at(3), at(4), at(5)])
        #expect(Set(out.map(\.subject)).count == 1)
    }

    /// 50 sensors cross the limit in a storm of dust, each ten times over, for an hour.
    @Test("in a storm over 50 sensors is ten messages in ten minutes at most, and misses none")
    func storm() throws {
        var random = SeededGenerator(seed: 50)
        let devices = (1...50).map { "\($0 % 2 == 0 ? "s" : "d")\($0)" }
        var machine = AlarmMachine(
            rules: [
                try parseRule("input: reading, above: 150 ug/m3, clear: 120 ug/m3, hold: 20s")
            ], groups: devices.enumerated().map { dustGroup($0.offset + 1, device: $0.element) })
        var feed = people
        feed.remind = .seconds(1200)
        var planner = NoticePlanner(feed)
        var changes: [AlarmTransition] = []
        var notices: [PlannedNotice] = []
        var breaches: [[Double]] = Array(repeating: [], count: 50)
        var high = Array(repeating: false, count: 50)
        for t in stride(from: 0.0, to: 7200, by: 10) {
            var row: [AlarmTransition] = []
            for index in 0..<50 {
                // From the tenth minute on it blows for an hour; each switches about every 3 min.
                let isStorm = t >= 600 && t < 4200
                if isStorm, Int.random(in: 0..<18, using: &random) == 0 { high[index].toggle() }
                if !isStorm { high[index] = false }
                if high[index] { breaches[index].append(t) }
                row += machine.handle(scan(t, high[index] ? 300 : 80, group: index + 1))
            }
            row += machine.advance(to: at(t))
            changes += row
            notices += planner.handle(row, now: at(t), calendar: .utc, traits: traits)
        }
        // No true exceedance is missed: whatever stood for three slots is an alarm.
        var exceedances = 0
        for (index, device) in devices.enumerated() {
            let raised = Set(
                changes.filter { $0.series.device.text == device && $0.to == .activeUnacknowledged }
                    .map(\.onset))
            var run: [Double] = []
            for t in breaches[index] + [.infinity] {
                if let last = run.last, t - last > 10 {
                    if run.count >= 3 {
                        exceedances += 1
                        #expect(raised.contains(at(run[0])), "\(device) at \(run[0])")
                    }
                    run = []
                }
                run.append(t)
            }
        }
        #expect(exceedances > 300, "only \(exceedances) exceedances")
        // Never more than ten in ten minutes.
        for notice in notices {
            let span = notices.filter {
                $0.time >= notice.time && $0.time < notice.time + .seconds(600)
            }
            #expect(span.count <= 10, "\(span.map(\.short))")
        }
        // Every sensor that raised an alarm was told of.
        #expect(notices.map(\.total).reduce(0, +) >= 50)
        #expect(notices.count > 8)
        #expect(notices.contains { $0.kind == .storm || $0.kind == .chattering })
    }

    @Test("goes on from a stored state as if it had never stopped", arguments: 0..<12)
    func restart(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var feed = people
        feed.remind = .seconds(700)
        feed.digest = 60
        feed.digestOnly = .info
        if seed % 3 == 0 { feed.after = .seconds(200) }
        var rows: [([AlarmTransition], Double)] = []
        var t = 0.0
        for _ in 0..<600 {
            t += Double(Int.random(in: 1...120, using: &random))
            let states: [AlarmState] = [
                .activeUnacknowledged, .activeUnacknowledged, .returnedUnacknowledged, .normal,
                .activeAcknowledged, .latched, .shelved,
            ]
            let row = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                change(
                    states.randomElement(using: &random) ?? .normal,
                    device: "d\(Int.random(in: 1...4, using: &random))",
                    onset: Double(Int.random(in: 0...5, using: &random)), at: t,
                    severity: ["info", "warning"].randomElement(using: &random) ?? "info")
            }
            rows.append((row, t))
        }
        var whole = NoticePlanner(feed)
        var parts = NoticePlanner(feed)
        var count = 0
        for (row, t) in rows {
            let wanted = whole.take(row, t)
            let got = parts.take(row, t)
            count += wanted.count
            try #require(got == wanted, "seed \(seed) at \(t)")
            var next = NoticePlanner(feed)
            try next.restore(decoding: parts.encoded())
            try #require(next == parts)
            parts = next
        }
        #expect(count > 20)
        let bytes = whole.encoded()
        for _ in 0..<2000 {
            var broken = bytes
            broken[Int.random(in: 0..<broken.count, using: &random)] = .random(
                in: 0...255, using: &random)
            var planner = NoticePlanner(feed)
            try? planner.restore(decoding: broken)
            _ = planner.take([change(.activeUnacknowledged, at: t)], t + 1)
        }
    }
}
