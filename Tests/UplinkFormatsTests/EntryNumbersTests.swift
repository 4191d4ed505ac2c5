import Telemetry
import Testing
import UplinkFormats

@Suite("What is told of a period")
struct EntryNumbersTests {
    private func entry(_ values: [Double], _ point: UplinkPoint = .asStored) -> UplinkItem.Entry {
        UplinkItem.Entry(
            series: series("dust-north.pm10", .gauge, "ug/m3"),
            rollup: rollup(values, expected: nil), point: point,
            samples: values.enumerated().map {
                Sample(time: morning + .seconds(10 * $0.offset), reading: .number($0.element))
            })
    }

    private let milligrams = Unit(
        symbol: "mg/m3", ucum: "mg/m3", dimension: Dimension("concentration"), factor: 1000)

    @Test("goes out in the platform's unit, with its digits")
    func unit() {
        let entry = entry([217, 218], UplinkPoint(unit: milligrams, decimals: 3))
        #expect(entry.number(.mean) == 0.2175)
        #expect(entry.text(.mean) == "0.218")
        #expect(entry.text(.minimum) == "0.217")
        #expect(entry.text(.last) == "0.218")
    }

    @Test("has as many digits as the number where the platform names none")
    func shortest() {
        #expect(entry([217, 218]).text(.mean) == "217.5")
        #expect(entry([50]).text(.mean) == "50")
    }

    @Test("is unknown without a reading, never zero")
    func unknown() {
        let empty = UplinkItem.Entry(
            series: series("d.pm10", .gauge, "ug/m3"), rollup: Rollup(bad: 6, expected: 6))
        for statistic: Statistic in [
            .mean, .minimum, .maximum, .first, .last, .sum, .increase, .energeticMean,
            .exceeded(50), .vectorMean,
        ] {
            #expect(empty.number(statistic) == nil)
            #expect(empty.text(statistic) == nil)
        }
    }

    @Test("levels are averaged by their energy: 50 and 60 dB are 57.4 dB")
    func leq() throws {
        let level = try #require(entry([50, 60]).number(.energeticMean))
        #expect(DecimalText.fixed(level, places: 1) == "57.4")
        #expect(Levels.energeticMean([55, 55, 55]) == 55)
    }

    @Test("L10 is exceeded a tenth of the time, L90 nine tenths")
    func exceeded() {
        let levels = (1...100).map(Double.init)
        #expect(Levels.exceeded(10, levels) == 91)
        #expect(Levels.exceeded(50, levels) == 51)
        #expect(Levels.exceeded(90, levels) == 11)
        #expect(Levels.exceeded(10, [42]) == 42)
    }

    @Test("north-west and north-east make north, opposite winds make nothing")
    func directions() throws {
        let north = try #require(Directions.mean([350, 10]))
        #expect(min(north, 360 - north) < 1e-9)
        #expect(Directions.mean([90, 270]) == nil)
        #expect(Directions.mean([]) == nil)
        let west = try #require(Directions.mean([260, 280]))
        #expect(abs(west - 270) < 1e-9)
    }

    @Test("an increase is converted by the factor alone")
    func increase() {
        let celsius = Unit(
            symbol: "degF", ucum: "[degF]", dimension: Dimension("temperature"), factor: 5.0 / 9,
            offset: -160.0 / 9)
        let entry = UplinkItem.Entry(
            series: series("d.x", .counter, "degC"),
            rollup: Rollup(count: 2, increase: ScaledInteger(mantissa: 5, exponent: 0)),
            point: UplinkPoint(unit: celsius, decimals: 1))
        #expect(entry.text(.increase) == "9.0")
    }
}
