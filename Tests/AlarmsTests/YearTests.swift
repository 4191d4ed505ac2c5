import Telemetry
import TestSeeds
import Testing

@testable import Alarms

/// What was truly in the air, minute by minute, and what the instrument made of it. The truth comes
/// from here and never from the machine under test.
private struct SimulatedYear {
    /// True exceedances of the limit, in minutes from the start.
    var truth: [Range<Int>] = []
    /// What the instrument said; nil: nothing good.
    var readings: [Double?] = []

    static let limit = 150.0
    static let minutes = 365 * 1440

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var trueLevel = [Double](repeating: 0, count: Self.minutes)
        for minute in 0..<Self.minutes {
            // A day's course between 35 and 95, a season on top.
            let hour = Double(minute % 1440) / 60
            let season = Double(abs(minute - Self.minutes / 2)) / Double(Self.minutes) * 40
            trueLevel[minute] = 40 + season + (hour > 7 && hour < 19 ? 35 : 0)
        }
        var minute = 200
        while minute < Self.minutes - 600 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                // Dust of three minutes to two hours, well above the limit.
                let length = Int.random(in: 3...120, using: &random)
                let height = Double.random(in: 165...600, using: &random)
                for at in minute..<minute + length { trueLevel[at] = height }
                truth.append(minute..<minute + length)
                minute += length
            case 4..<7:
                // A lorry passes: a minute or two, no exceedance that lasts.
                let length = Int.random(in: 1...2, using: &random)
                for at in minute..<minute + length { trueLevel[at] = 900 }
                minute += length
            default:
                // Close below the limit for a while.
                let length = Int.random(in: 10...90, using: &random)
                for at in minute..<minute + length { trueLevel[at] = 140 }
                minute += length
            }
            minute += Int.random(in: 30...700, using: &random)
        }
        readings = trueLevel.map { level in
            // Two in a hundred of noise, failures now and then.
            Int.random(in: 0..<200, using: &random) == 0
                ? nil
                : (level * (1 + .random(in: -0.02...0.02, using: &random)) * 10).rounded() / 10
        }
        // Instruments fail for hours, and stand still.
        for _ in 0..<60 {
            let at = Int.random(in: 0..<Self.minutes - 400, using: &random)
            let span = at..<at + Int.random(in: 20...400, using: &random)
            guard !truth.contains(where: { $0.overlaps(at - 10..<span.upperBound + 10) }) else {
                continue
            }
            let isStuck = Bool.random(using: &random)
            for minute in span { readings[minute] = isStuck ? readings[at] : nil }
        }
    }
}

@Suite("A year of three dust stations")
struct YearTests {
    @Test(
        "gives an alarm for every exceedance of three slots, few others, and no flood of messages",
        .timeLimit(.minutes(3)))
    func year() throws {
        let rule = try parseRule(
            "input: reading, above: 150 ug/m3, clear: 130 ug/m3, hold: 2min, keep: 3min")
        let years = (0..<3).map { SimulatedYear(seed: UInt64(2026 + $0)) }
        var machine = AlarmMachine(
            rules: [rule],
            groups: (1...3).map {
                dustGroup($0, device: "dust-\($0)", period: .seconds(60))
            })
        var planner = NoticePlanner(FeedSubscription(id: "phone", audience: .people))
        var alarms: [[Range<Int>]] = [[], [], []]
        var raised: [AlarmKey: Int] = [:]
        var notices: [Int: Int] = [:]
        func minute(_ time: Timestamp) -> Int {
            Int((time.milliseconds - at(0).milliseconds) / 60_000)
        }
        for now in 0..<SimulatedYear.minutes {
            var changes: [AlarmTransition] = []
            for station in 0..<3 {
                changes += machine.handle(
                    scan(Double(now) * 60, years[station].readings[now], group: station + 1))
            }
            changes += machine.advance(to: at(Double(now) * 60))
            for change in changes {
                let key = AlarmKey(rule: change.rule, series: change.series, onset: change.onset)
                switch change.to {
                case .activeUnacknowledged: raised[key] = minute(change.onset)
                case .returnedUnacknowledged:
                    let station = Int(change.series.device.text.suffix(1)) ?? 1
                    alarms[station - 1].append((raised[key] ?? 0)..<minute(change.time) + 1)
                    // Somebody looks at it within the minute.
                    changes += machine.acknowledge(alarmKey: key.text, at: change.time)
                default: continue
                }
            }
            let sent = planner.handle(
                changes, now: at(Double(now) * 60), calendar: .utc,
                traits: { _ in AlarmTraits(severity: .warning, module: "dust", area: "north") })
            notices[now / 1440, default: 0] += sent.count
        }
        var (found, missed, wrong, total) = (0, 0, 0, 0)
        for station in 0..<3 {
            let truth = years[station].truth
            for exceedance in truth {
                if alarms[station].contains(where: { $0.overlaps(exceedance) }) {
                    found += 1
                } else {
                    missed += 1
                }
            }
            total += alarms[station].count
            wrong +=
                alarms[station].filter { alarm in !truth.contains { $0.overlaps(alarm) } }.count
        }
        let precision = Double(total - wrong) / Double(max(1, total))
        #expect(found > 1000, "only \(found) exceedances")
        #expect(missed == 0, "\(missed) of \(found + missed) missed")
        #expect(precision >= 0.9, "\(wrong) of \(total) alarms were none")
        let most = notices.values.max() ?? 0
        #expect(most <= 150, "\(most) messages in a day")
        #expect(notices.values.reduce(0, +) > 300)
    }
}
