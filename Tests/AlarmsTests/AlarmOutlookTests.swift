import Telemetry
import Testing

@testable import Alarms

@Suite("The outlook of an open window")
struct AlarmOutlookTests {
    private func window(_ kind: AlarmTerm.WindowKind) -> AlarmTerm.Window {
        AlarmTerm.Window(statistic: .mean, over: .seconds(900), kind: kind, coverage: nil)
    }

    private func readings(_ values: [(count: Int, value: Double)]) -> [(
        time: Timestamp, value: Double
    )] {
        var all: [(time: Timestamp, value: Double)] = []
        for part in values {
            for _ in 0..<part.count { all.append((at(Double(all.count) * 60 + 60), part.value)) }
        }
        return all
    }

    @Test("tells when a closed stretch will break its limit, and when it cannot be saved")
    func aligned() {
        // Nine minutes at 60, three at 104: 71 so far; with 104 to come the quarter passes 80 when
        // 60·9 + 104·(3 + x) > 80·15, which is x > 3.346 min.
        let rising = AlarmOutlook(
            readings([(9, 60), (3, 104)]), window: window(.aligned), limit: 80, now: at(720),
            end: at(900))
        #expect(rising.mean == 71)
        #expect(rising.rate == 104)
        #expect(rising.left == nil, "three minutes are left, three and a third are needed")
        let steeper = AlarmOutlook(
            readings([(9, 60), (3, 124)]), window: window(.aligned), limit: 80, now: at(720),
            end: at(900))
        #expect(steeper.left == .milliseconds(139_355))
        let lost = AlarmOutlook(
            readings([(12, 110)]), window: window(.aligned), limit: 80, now: at(720), end: at(900))
        #expect(lost.left == .zero)
    }

    @Test("of a rolling window counts what leaves it")
    func rolling() {
        let held = readings([(12, 60), (3, 150)])
        let outlook = AlarmOutlook(
            held, window: window(.rolling), limit: 100, now: at(900), end: at(900))
        #expect(outlook.mean == 78)
        // Each minute one 60 leaves and one 150 comes: 6 more a mean; the fourth passes 100.
        #expect(outlook.left == .seconds(240))
        let quiet = AlarmOutlook(
            readings([(15, 60)]), window: window(.rolling), limit: 100, now: at(900), end: at(900))
        #expect(quiet.left == nil)
        #expect(
            AlarmOutlook([], window: window(.rolling), limit: 100, now: at(900), end: at(900))
                == AlarmOutlook(
                    [(at(0), 5)], window: window(.rolling), limit: 100, now: at(9000),
                    end: at(9000)))
    }

    @Test("that was foretold comes true when things go on as they do")
    func comesTrue() {
        for step in 1..<40 {
            let rate = 60.0 + Double(step) * 10
            var all = readings([(12, 60), (3, rate)])
            let foretold = AlarmOutlook(
                all, window: window(.rolling), limit: 100, now: at(900), end: at(900))
            var broken: Duration?
            for minute in 0..<15 where broken == nil {
                let now = at(900 + Double(minute) * 60)
                if minute > 0 { all.append((now, rate)) }
                let held = all.filter { $0.time > now - .seconds(900) && $0.time <= now }
                if held.reduce(0, { $0 + $1.value }) / Double(held.count) > 100 {
                    broken = .seconds(minute * 60)
                }
            }
            #expect(foretold.left == broken, "at \(rate)")
        }
    }
}

@Suite("The means of which an outlook is given")
struct AlarmOutlookTargetTests {
    private func machine(_ when: String, head: String? = nil) throws -> AlarmMachine {
        let site = AlarmSite(groups: [dustGroup(), dustGroup(2, device: "dust-south")])
        return AlarmMachine(rules: [try parseRule(when, head: head)], site: site)
    }

    private let mean = "rollup: mean, over: 15min, window: aligned, above: 150 ug/m3"

    @Test("are the limited ones of each series, in its own unit")
    func targets() throws {
        let targets = try machine(mean).outlookTargets(at: at(0))
        #expect(targets.map(\.series.description) == ["dust-north.pm10", "dust-south.pm10"])
        #expect(targets.allSatisfy { $0.limit == 150 && $0.unit == "ug/m3" })
        #expect(targets.allSatisfy { $0.window.over == .seconds(900) })
        let south = SeriesID(device: DeviceID("dust-south"), point: PointKey("pm10"))
        let ofSouth = try machine(mean).outlookTargets(at: at(0), of: south)
        #expect(ofSouth == [targets[1]])
    }

    @Test(
        "are no others: a rate that goes on says nothing of them",
        arguments: [
            "input: reading, above: 150 ug/m3",
            "rollup: max, over: 15min, window: aligned, above: 150 ug/m3",
            "rollup: mean, over: 15min, window: aligned, below: 5 ug/m3",
        ])
    func others(when: String) throws {
        let targets = try machine(when).outlookTargets(at: at(0))
        #expect(targets.isEmpty)
    }

    @Test("are those of rules that are in force")
    func inForce() throws {
        let head = "severity: info, source: a test, status: project, valid_from: 2026-01-02"
        let machine = try machine(mean, head: head)
        #expect(machine.outlookTargets(at: at(0)).isEmpty)
        #expect(machine.outlookTargets(at: at(2 * 86_400)).count == 2)
    }
}
