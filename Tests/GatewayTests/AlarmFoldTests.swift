import Alarms
import CraneWork
import Foundation
import Store
import Telemetry
import TestSeeds
import Testing

@testable import Gateway

/// Alarms, feeds, instructions and cranes as parts of the fold: what a journal brings is the same
/// however often it is folded, and wherever the gateway was killed in between.
@Suite("The alarms of a journal")
struct AlarmFoldTests {
    private static let rules = """
        format: alarm-rules/1
        rules:
          - alarm: dust_high
            title: { en: a, zh: a }
            module: dust
            severity: warning
            source: s
            status: project
            when: { point: pm10, rollup: mean, over: 1min, window: rolling, coverage: 50 %,
                    above: 150 ug/m3, clear: 130 ug/m3, hold: 20s, keep: 30s }
            unless: [ { point: maintenance, device: site, is: ["on"] } ]
          - alarm: dust_quarter
            title: { en: a, zh: a }
            module: dust
            severity: info
            source: s
            status: project
            when: { point: pm10, rollup: mean, over: 15min, window: aligned, coverage: 50 %,
                    above: 120 ug/m3 }
          - alarm: dust_five
            title: { en: a, zh: a }
            module: dust
            severity: critical
            source: s
            status: project
            when: { point: pm10, rollup: p90, over: 5min, window: aligned, coverage: 50 %,
                    above: 150 ug/m3 }
            latch: true
          - alarm: silent
            title: { en: a, zh: a }
            module: data
            severity: warning
            source: s
            status: project
            when: { silent_for: 90s, of: device }
          - alarm: at_night
            title: { en: a, zh: a }
            module: dust
            severity: warning
            source: s
            status: project
            only: { time: "01:00-02:30" }
            when:
              all:
                - { point: pm10, input: reading, above: 100 ug/m3 }
                - { point: wind_speed, device: mast, input: reading, above: 3 m/s }
        """

    private static let start = Timestamp(milliseconds: 1_767_225_600_000)

    private static func series(
        _ device: String, _ point: String, _ unit: String, _ kind: SeriesKind
    ) -> Series {
        Series(
            number: 1, id: SeriesID(device: DeviceID(device), point: PointKey(point)), kind: kind,
            unit: unit)
    }

    private static func group(
        _ number: Int, _ series: [Series], period: Duration?, isPolled: Bool, lateness: Duration
    ) -> ScanGroup {
        ScanGroup(
            id: ScanGroup.ID(number), device: series[0].id.device, interface: "i",
            name: series[0].id.point.text, series: series, period: period, isPolled: isPolled,
            lateness: lateness)
    }

    private static let groups: [ScanGroup] = [
        group(
            1, [series("dust-north", "pm10", "ug/m3", .gauge)], period: .seconds(10),
            isPolled: true, lateness: .seconds(30)),
        group(
            2, [series("dust-south", "pm10", "ug/m3", .gauge)], period: .seconds(10),
            isPolled: false, lateness: .seconds(30)),
        group(
            3, [series("mast", "wind_speed", "m/s", .gauge)], period: .seconds(20),
            isPolled: true, lateness: .seconds(30)),
        group(
            4, [series("site", "maintenance", "", .state)], period: nil, isPolled: false,
            lateness: .zero),
        group(
            5, [series("operators", "instruction", "", .text)], period: nil, isPolled: false,
            lateness: .zero),
        group(
            6,
            [
                series("crane-1", "load_mass", "kg", .gauge),
                series("crane-1", "hook_height", "m", .gauge),
                series("crane-1", "load_moment_ratio", "1", .gauge),
            ], period: .seconds(5), isPolled: false, lateness: .seconds(30)),
    ]

    private static let work = URL(filePath: #filePath)
        .appending(path: "../../../Config/cranes/work.yaml").standardizedFileURL

    private static func machine() throws -> EvaluationMachine {
        let rules = try AlarmRuleFile.parse(rules, file: "rules.yaml")
        var phone = FeedSubscription(id: "phone", audience: .people)
        phone.remind = .seconds(1800)
        phone.digest = 90
        phone.digestOnly = .info
        let site = AlarmSite(groups: groups, standing: [DeviceID("site"), DeviceID("operators")])
        return EvaluationMachine(
            groups: groups,
            alarms: AlarmFold(
                rules: rules, site: site,
                feeds: [phone, FeedSubscription(id: "hub", audience: .programs)],
                operators: ScanGroup.ID(5)),
            cranes: CraneFold(
                groups: groups, kinds: [DeviceID("crane-1"): "crane.tower"],
                options: try CraneWorkFile.parse(
                    String(contentsOf: work, encoding: .utf8), file: "work.yaml")),
            calendar: .utc, selections: OwedSelections([]))
    }

    /// A journal of some hours: dust that comes and goes, late and missing scans, a silent station,
    /// a crane that lifts, people who act, minutes without a trusted clock and an hour off.
    private static func journal(_ seed: UInt64) -> [JournalRow] {
        var random = SeededGenerator(seed: seed)
        var rows: [JournalRow] = []
        var levels = [90.0, 90.0]
        var time: Int64 = 0
        var acts = 0
        while time < 4 * 3600 {
            time += 5
            if Int.random(in: 0..<1500, using: &random) == 0 { time += 3600 }
            let now = start + .seconds(time)
            var scans: [Scan] = []
            for index in 0..<2 where time % 10 == 0 {
                levels[index] = min(
                    260, max(40, levels[index] + .random(in: -25...25, using: &random)))
                let isSilent = index == 1 && time % 3000 > 2500
                let late = Int.random(in: 0..<40, using: &random) == 0 ? -40.0 : 0
                if isSilent { continue }
                let reading: Reading =
                    Int.random(in: 0..<30, using: &random) == 0
                    ? .bad(.timeout) : .number((levels[index] * 10).rounded() / 10)
                scans.append(
                    Scan(
                        group: ScanGroup.ID(index + 1), time: now + .seconds(late),
                        readings: [reading]))
            }
            if time % 20 == 0 {
                scans.append(
                    Scan(
                        group: ScanGroup.ID(3), time: now,
                        readings: [.number(.random(in: 0...6, using: &random))]))
            }
            let phase = time % 400
            let load = phase > 60 && phase < 260 ? 3000.0 : 80
            scans.append(
                Scan(
                    group: ScanGroup.ID(6), time: now,
                    readings: [
                        .number(load), .number(phase < 160 ? Double(phase) / 4 : 40),
                        .number(load / 3100),
                    ]))
            if Int.random(in: 0..<400, using: &random) == 0 {
                scans.append(
                    Scan(
                        group: ScanGroup.ID(4), time: now,
                        readings: [.text(Bool.random(using: &random) ? "on" : "off")]))
            }
            if Int.random(in: 0..<120, using: &random) == 0 {
                acts += 1
                scans.append(
                    Scan(
                        group: ScanGroup.ID(5), time: now,
                        readings: [.text(act(acts, now, &random).text)]))
            }
            let isTrusted = time % 5000 > 200
            rows.append(
                JournalRow(
                    sequence: Int64(rows.count + 1),
                    clock: ClockReading(
                        bootID: "b", monotonic: time * 1000, wall: now, isTrusted: isTrusted),
                    scans: scans, deliveries: []))
        }
        return rows
    }

    private static func act(
        _ number: Int, _ now: Timestamp, _ random: inout SeededGenerator
    ) -> AlarmInstruction {
        let names = ["dust_high", "dust_five", "silent", "at_night"]
        let target = AlarmTarget(rule: names.randomElement(using: &random) ?? "silent")
        let action: AlarmInstruction.Action =
            switch Int.random(in: 0..<5, using: &random) {
            case 0: .shelve(target, until: now + .seconds(.random(in: 60...1200, using: &random)))
            case 1: .takeOut(target)
            case 2, 3: .unsilence(target)
            default:
                .comment(
                    AlarmKey(rule: target.rule, series: SeriesID("dust-north.pm10")!, onset: now))
            }
        return AlarmInstruction(
            id: "a\(number)", time: now, actor: "li", action: action, note: "because")
    }

    private struct Brought: Hashable {
        var transitions: [AlarmTransition] = []
        var instructions: [InstructionRecord] = []
        var notices: [NoticeRecord] = []
        var owed: [OwedItem] = []
        var cranes: [StoredCraneRecord] = []

        mutating func take(_ effects: EvaluationEffects) {
            transitions += effects.transitions
            instructions += effects.instructions
            notices += effects.notices
            owed += effects.owed
            cranes += effects.craneRecords
        }
    }

    @Test("are the same, bit for bit, wherever it was restarted", arguments: 0..<4)
    func restarts(seed: Int) throws {
        let rows = Self.journal(UInt64(seed))
        var whole = try Self.machine()
        var expected = Brought()
        for row in rows {
            whole.handle(row)
            whole.forgetDue()
            expected.take(whole.takeEffects())
        }
        // A journal in which nothing happens would prove nothing.
        #expect(expected.transitions.count > 60)
        #expect(Set(expected.transitions.map(\.rule)).count == 5)
        #expect(expected.notices.count > 20)
        #expect(expected.instructions.count > 10)
        #expect(expected.cranes.contains { $0.kind == .lift })
        let told = Set(expected.transitions.map(\.to))
        let silences: [AlarmState] = [.shelved, .suppressed, .latched, .outOfService]
        #expect(silences.filter(told.contains).count >= 2, "\(told)")
        for part in 0..<6 {
            var random = SeededGenerator(seed: UInt64(100 * seed + part))
            var machine = try Self.machine()
            var got = Brought()
            for row in rows {
                machine.handle(row)
                machine.forgetDue()
                got.take(machine.takeEffects())
                guard Int.random(in: 0..<40, using: &random) == 0 else { continue }
                let stored = machine.state.encoded()
                let cursor = machine.cursor
                machine = try Self.machine()
                machine.restore(try EvaluationMachine.State(decoding: stored), cursor: cursor)
            }
            #expect(got.transitions == expected.transitions, "seed \(seed), part \(part)")
            #expect(got.notices == expected.notices)
            #expect(got.owed == expected.owed)
            #expect(got.instructions == expected.instructions)
            #expect(got.cranes == expected.cranes)
        }
    }

    @Test("open and close nothing for what comes late")
    func late() throws {
        let rows = Self.journal(9)
        var plain = try Self.machine()
        var disturbed = try Self.machine()
        var expected = Brought()
        var got = Brought()
        for row in rows {
            plain.handle(row)
            plain.forgetDue()
            expected.take(plain.takeEffects())
            // An hour late, and far above every limit; what was never heard before is not late.
            var late = row
            if row.sequence < 100 {
                disturbed.handle(row)
                disturbed.forgetDue()
                got.take(disturbed.takeEffects())
                continue
            }
            late.scans.append(
                Scan(
                    group: ScanGroup.ID(1), time: row.clock.wall - .seconds(3600),
                    readings: [.number(5000)]))
            disturbed.handle(late)
            disturbed.forgetDue()
            got.take(disturbed.takeEffects())
        }
        func outcome(_ brought: Brought) -> [String] {
            brought.transitions.filter { $0.rule != "dust_quarter" }
                .map { "\($0.alarmKey) \($0.from) \($0.to) \($0.time.milliseconds)" }
        }
        #expect(outcome(got) == outcome(expected))
    }
}
