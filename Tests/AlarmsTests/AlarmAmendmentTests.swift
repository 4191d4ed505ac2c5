import Telemetry
import Testing

@testable import Alarms

@Suite("Evidence with the readings that came too late")
struct AlarmAmendmentTests {
    private static let series = Series(
        id: SeriesID("dust-north.pm10")!, kind: .gauge, unit: "ug/m3")

    /// Ten minutes of readings, of which those that `late` names come only afterwards.
    private func judged(
        _ when: String, late: ClosedRange<Double>, unit: String = "ug/m3"
    ) throws -> (AlarmRule, AlarmEvidence, [(time: Timestamp, value: Double)]) {
        let rule = try parseRule(when)
        var machine = AlarmMachine(rules: [rule], groups: [dustGroup(unit: unit)])
        var out: [AlarmTransition] = []
        var all: [(time: Timestamp, value: Double)] = []
        for t in stride(from: 0.0, through: 600, by: 10) {
            // The mean passes the limit when the window lies between readings that it does not hold.
            let value = t < 300 || late.contains(t) ? 100 : 200.0
            all.append((at(t), value))
            if !late.contains(t) { out += machine.handle(scan(t, value)) }
        }
        let opened = try #require(out.first { $0.to == .activeUnacknowledged })
        // They come, and change nothing.
        for t in stride(from: late.lowerBound, through: late.upperBound, by: 10) {
            #expect(machine.handle(scan(t, 100)).isEmpty)
        }
        return (rule, opened.evidence, all)
    }

    private let mean = """
        rollup: mean, over: 5min, window: rolling, coverage: 50 %, above: 150 ug/m3, clear: 120 ug/m3
        """

    @Test("is another figure of more readings, and the judged one stays")
    func amended() throws {
        let (rule, evidence, all) = try judged(mean, late: 310...330)
        #expect(evidence.value > 150)
        let amended = try #require(
            rule.amendment(
                of: evidence, series: Self.series, readings: all, units: [:]))
        #expect(amended.samples == evidence.samples + 3)
        #expect(amended.value < evidence.value)
        let held = all.filter {
            $0.time > evidence.windowStart && $0.time <= evidence.windowEnd
        }
        #expect(amended.value == held.map(\.value).reduce(0, +) / Double(held.count))
    }

    @Test("is none where nothing came since, or where readings are gone")
    func unchanged() throws {
        let (rule, evidence, all) = try judged(mean, late: 310...330)
        func amendment(_ readings: [(time: Timestamp, value: Double)]) -> AlarmAmendment? {
            rule.amendment(
                of: evidence, series: Self.series, readings: readings, units: [:])
        }
        #expect(amendment(all.filter { $0.time < at(310) || $0.time > at(330) }) == nil)
        #expect(amendment([]) == nil)
        let reading = try parseRule("input: reading, above: 150 ug/m3")
        #expect(
            reading.amendment(
                of: evidence, series: Self.series, readings: all, units: [:]) == nil)
    }

    @Test("speaks in the unit of the rule")
    func units() throws {
        let milli = Unit(
            symbol: "mg/m3", ucum: "mg/m3", dimension: Dimension("concentration"), factor: 1000)
        let rule = try parseRule(mean.replacing("ug/m3", with: "mg/m3"))
        let (_, evidence, all) = try judged(mean, late: 310...330)
        var shown = evidence
        (shown.unit, shown.value) = ("mg/m3", 0.2)
        let amended = try #require(
            rule.amendment(
                of: shown, series: Self.series, readings: all,
                units: ["mg/m3": milli]))
        #expect(amended.value < 0.2 && amended.value > 0.1)
        #expect(
            rule.amendment(
                of: shown, series: Self.series, readings: all, units: [:]) == nil)
    }
}
