import EnergyAccounting
import TestSeeds
import Testing

@Suite("Degree days")
struct DegreeDayTests {
    let heating = DegreeDayBase(.heating, celsius: 18)
    let cooling = DegreeDayBase(.cooling, celsius: 26)

    @Test("count what each day lies below or above the base, and nothing for the others")
    func byHand() {
        let days: [Double?] = [10, 18, 25.5, -2.5, 30, 26]
        let cold = DegreeDays(heating, dailyMeans: days)
        let warm = DegreeDays(cooling, dailyMeans: days)
        #expect(cold.value == 28.5)
        #expect(warm.value == 4)
        #expect(cold.knownDays == 6 && cold.days == 6 && !cold.isScaled)
    }

    @Test("have no value when a day is unknown and none may be")
    func unknownDay() {
        let degreeDays = DegreeDays(heating, dailyMeans: [10, nil, 12])
        #expect(degreeDays.value == nil)
        #expect(degreeDays.knownDays == 2)
        #expect(!degreeDays.isScaled)
    }

    @Test(
        "are scaled and marked up to the share of unknown days that is allowed",
        arguments: [24, 25, 100])
    func scaled(percent: Int) {
        let degreeDays = DegreeDays(
            heating, dailyMeans: [10, nil, 12, 21], greatestUnknownPercent: Exact(percent))
        // Known are 8, 6 and 0 kelvins in three days of four.
        #expect(percent < 25 ? degreeDays.value == nil : agree(degreeDays.value, 56.0 / 3))
        #expect(degreeDays.isScaled == (percent >= 25))
    }

    @Test("of nothing known are unknown, whatever is allowed, and NaN is not known")
    func nothing() {
        let hundred = Exact(100)
        #expect(DegreeDays(heating, dailyMeans: [], greatestUnknownPercent: hundred).value == nil)
        #expect(
            DegreeDays(heating, dailyMeans: [nil, nil], greatestUnknownPercent: hundred).value
                == nil)
        #expect(DegreeDays(heating, dailyMeans: [.nan, 3]).knownDays == 1)
        let noBase = DegreeDayBase(.heating, celsius: .infinity)
        #expect(DegreeDays(noBase, dailyMeans: [1]).value == nil)
    }

    @Test("of a period look up its days, the last included")
    func ofPeriod() throws {
        let period = try #require(AccountingPeriod("2026-02-27..2026-03-01"))
        var means: [CivilDate: Double] = [:]
        for (text, mean) in [
            ("2026-02-26", -50.0), ("2026-02-27", 8), ("2026-02-28", 9), ("2026-03-01", 10),
            ("2026-03-02", -50),
        ] {
            means[try BaselineExample.day(text)] = mean
        }
        #expect(DegreeDays(heating, of: period, dailyMeans: means).value == 27)
        means[try BaselineExample.day("2026-03-01")] = nil
        #expect(DegreeDays(heating, of: period, dailyMeans: means).value == nil)
    }

    @Test("of heating and cooling from one base differ by the mean's distance from it")
    func property() {
        var random = SeededGenerator(18)
        for _ in 0..<200 {
            let means = (0..<Int.random(in: 1...31, using: &random)).map { _ in
                Double.random(in: -30...40, using: &random)
            }
            let base = Double.random(in: 10...28, using: &random)
            let cold = DegreeDays(DegreeDayBase(.heating, celsius: base), dailyMeans: means)
            let warm = DegreeDays(DegreeDayBase(.cooling, celsius: base), dailyMeans: means)
            let difference = (cold.value ?? .nan) - (warm.value ?? .nan)
            let expected = base * Double(means.count) - means.reduce(0, +)
            #expect((difference - expected).magnitude < 1e-9)
            #expect((cold.value ?? -1) >= 0 && (warm.value ?? -1) >= 0)
        }
    }
}
