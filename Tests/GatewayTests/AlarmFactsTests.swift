import Telemetry
import Testing

@testable import Gateway

@Suite("What is told of an alarm besides")
struct AlarmFactsTests {
    private func at(_ seconds: Int) -> Timestamp { Timestamp(milliseconds: Int64(seconds) * 1000) }

    private func ran(_ readings: [(Int, Reading)], _ running: SiteConfiguration.Evidence.Running)
        -> String
    {
        AlarmFacts.ran(
            readings.map { (time: at($0.0), reading: $0.1) }, running, from: at(0), to: at(1200),
            hold: .seconds(180)
        ).en
    }

    @Test("is for how long something ran, as far as anybody has seen")
    func running() {
        let power = (0..<20).map { ($0 * 60, Reading.number($0 < 12 ? 900 : 3)) }
        #expect(ran(power, .above(500, unit: "W")) == "ran 12 of 20 min")
        #expect(
            ran(power.map { ($0.0, .number(3)) }, .above(500, unit: "W"))
                == "did not run (20 min seen)")
        // On at the beginning because it was said before, off in the middle.
        #expect(
            ran([(-60, .text("on")), (100, .text("on")), (220, .text("off"))], .isOneOf(["on"]))
                == "ran 4 of 7 min")
    }

    @Test("never says that nothing ran when nobody knows")
    func unknown() {
        #expect(ran([], .isOneOf(["on"])) == "not known")
        #expect(ran([(10, .bad(.timeout)), (70, .bad(.timeout))], .isOneOf(["on"])) == "not known")
        // One reading stands for its hold, not for the whole span.
        #expect(ran([(0, .text("off"))], .isOneOf(["on"])) == "did not run (3 min seen)")
    }
}
