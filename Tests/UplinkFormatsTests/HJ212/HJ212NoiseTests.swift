import Foundation
import Telemetry
import Testing
import UplinkFormats

@Suite("Levels of HJ 212")
struct HJ212NoiseTests {
    /// The fields of the packet of a day of hourly levels.
    private func day(
        _ levels: [Double], date: String = "20261120000000", calendar: SiteCalendar = shanghai,
        _ change: (inout HJ212Options) -> Void = { _ in }
    ) -> [String: String] {
        let start = site(date, calendar)
        let options = hj212Options {
            $0.acknowledged = false
            change(&$0)
        }
        let bench = HJ212Bench(
            options, stations: [northStation], at: start + .seconds(90_000), calendar: calendar)
        bench.open()
        bench.submit(
            report(
                "2031/1d", from: start, lasting: .seconds(86_400),
                [factor("LA", levels, from: start, every: .seconds(3600))]))
        var fields: [String: String] = [:]
        for packet in bench.sent {
            for field in packet.split(separator: "&&").dropFirst().first?.split(separator: ";")
                ?? []
            {
                let parts = field.split(separator: "=")
                fields[String(parts[0])] = String(parts[1])
            }
        }
        return fields
    }

    @Test("the day is from six to ten, the night what of the civil day is left")
    func hours() {
        let fields = day((0..<24).map { (6..<22).contains($0) ? 60 : 50 + Double($0) / 10 })
        #expect(fields["LMx-DayData"] == "60.0")
        #expect(fields["LMn-DayData"] == "60.0")
        #expect(fields["LMx-NightData"] == "52.3")
        #expect(fields["LMn-NightData"] == "50.0")
        #expect(fields["Leq-Data"] == nil)
        #expect(fields["L5-NightData"] == "52.3")
    }

    @Test("the night weighs ten decibels more: 16 and 8 hours")
    func dayNight() throws {
        let fields = day((0..<24).map { (6..<22).contains($0) ? 65 : 55 })
        #expect(fields["Ld-DayData"] == "65.0")
        #expect(fields["Ln-NightData"] == "55.0")
        #expect(fields["Ldn-Data"] == "65.0")
        // Written out as the standard has it.
        let wanted = 10 * log10((16 * pow(10, 6.1) + 8 * pow(10, 5.75 + 1)) / 24)
        #expect(abs(Levels.dayNight(day: 61, night: 57.5) - wanted) < 1e-9)
        let odd = day((0..<24).map { (6..<22).contains($0) ? 61 : 57.5 })
        #expect(odd["Ldn-Data"] == DecimalText.fixed(wanted, places: 1))
    }

    @Test("local government sets the hours")
    func otherHours() {
        let fields = day((0..<24).map { (7..<21).contains($0) ? 60 : 50 }) {
            $0.dayHours = 420..<1260
        }
        #expect(fields["LMn-DayData"] == "60.0")
        #expect(fields["LMx-NightData"] == "50.0")
    }

    @Test("hours are those of the site, not of UTC")
    func siteTime() {
        let berlin = SiteCalendar(zone: "Europe/Berlin", initialOffset: 3600)
        let fields = day((0..<24).map { (6..<22).contains($0) ? 60 : 50 }, calendar: berlin)
        #expect(fields["LMn-DayData"] == "60.0")
        #expect(fields["LMx-NightData"] == "50.0")
    }

    @Test("a day without a night says nothing of it, nor of both")
    func noNight() {
        let start = site("20261120080000")
        let bench = HJ212Bench(
            hj212Options(), stations: [northStation], at: start + .seconds(90_000))
        bench.open()
        bench.submit(
            report(
                "2031/1d", from: site("20261120000000"), lasting: .seconds(86_400),
                [factor("LA", [60, 62], from: start)]))
        #expect(bench.sent.count == 1)
        #expect(bench.sent[0].contains("Ld-DayData=61.1"))
        #expect(!bench.sent[0].contains("Night"))
        #expect(!bench.sent[0].contains("Ldn"))
    }

    @Test("a platform that knows Leq-Rtd gets it")
    func otherCode() {
        let bench = HJ212Bench(
            hj212Options(), stations: [northStation], at: site("20261120080000"))
        bench.open()
        bench.submit(
            report("2011/1min", from: morning, lasting: .seconds(60), [factor("Leq", [61.25])]))
        #expect(bench.sent[0].contains("Leq-Rtd=61.2,Leq-Flag=N"))
    }

    @Test("without readings there are no levels, and the item is given up")
    func noReadings() {
        let bench = HJ212Bench(
            hj212Options(), stations: [northStation], at: site("20261120080000"))
        bench.open()
        let ticket = bench.submit(
            report(
                "2051/10min", from: morning, lasting: .seconds(60),
                [factor("LA", [], bad: [.timeout])]))
        #expect(
            bench.outcomes[ticket]
                == [.expired(reason: "nothing is known of any factor in this period")])
    }
}
