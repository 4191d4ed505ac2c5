import EnergyAccounting
import Telemetry
import Testing

@Suite("A baseline")
struct BaselineFitTests {
    private let variables = [BaselineExample.heating, BaselineExample.cooling]

    private func refusals(
        _ observations: [BaselineObservation], _ variables: [BaselineVariable],
        _ changes: [String: String] = [:], searched: Int = 0
    ) -> [BaselineRefusal] {
        BaselineExample.refusals {
            _ = try BaselineModel.fit(
                observations, variables: variables, method: try BaselineExample.method(changes),
                searchedParameters: searched)
        }
    }

    @Test("of a year of months has the coefficients, errors and closeness of exact fractions")
    func year() throws {
        let model = try BaselineModel.fit(
            try BaselineExample.year().reversed(), variables: variables,
            method: try BaselineExample.method())
        #expect(model.interval == .month && model.leftOut == 0)
        #expect(model.first.description == "2025-01-01")
        #expect(model.last.description == "2025-12-31")
        #expect(agree(model.intercept.value, 37763.47271258209))
        #expect(agree(model.terms[0].coefficient.value, 54.374114792449646))
        #expect(agree(model.terms[1].coefficient.value, 187.95074133507347))
        #expect(agree(model.terms[1].coefficient.standardError, 9.718056130270265))
        #expect(model.terms[0].least == 0 && model.terms[0].greatest == 412.5)
        #expect(agree(model.quality.rSquared, 0.9770006469701425))
        #expect(agree(model.quality.adjustedRSquared, 0.9718896796301743))
        #expect(agree(model.quality.cvRMSEPercent, 2.3490587622490473))
        #expect(model.quality.nmbePercent.magnitude < 1e-9)
        #expect(model.quality.parameters == 3 && model.quality.autocorrelation == nil)
        #expect(
            agree(
                model.energy([100, 10]), 37763.47271258209 + 5437.4114792449646 + 1879.5074133507347
            ))
    }

    @Test("counts a searched balance temperature as a parameter")
    func searched() throws {
        let model = try BaselineModel.fit(
            try BaselineExample.year(), variables: variables,
            method: try BaselineExample.method(), searchedParameters: 1)
        #expect(model.quality.parameters == 4)
        // √(9/8) of the closeness with three.
        #expect(agree(model.quality.cvRMSEPercent, 2.3490587622490473 * (9.0 / 8).squareRoot()))
    }

    @Test("of days leaves poor days out, tells how many, and reckons their autocorrelation")
    func days() throws {
        var days: [BaselineObservation] = []
        for index in 0..<20 {
            let date = try BaselineExample.day("2025-03-01").advanced(days: index)
            let period = try #require(AccountingPeriod(from: date, through: date))
            // Two days up, two days down beside the line: residuals that resemble their neighbours.
            let offset = index / 2 % 2 == 0 ? 5 : -5
            days.append(
                BaselineObservation(
                    period: period, energy: Exact(1000 + 10 * index + offset),
                    variables: ["hdd": Double(index)]))
        }
        days[4].energy = nil
        days[9].completenessPercent = Exact(97)
        let model = try BaselineModel.fit(
            days, variables: [BaselineExample.heating], method: try BaselineExample.method())
        #expect(model.leftOut == 2 && model.quality.periods == 18)
        // Over the gaps it would be −0.0638.
        #expect(agree(model.quality.autocorrelation, 0.05002896963346586))
    }

    @Test("is refused with everything that is wrong with the data, period by period")
    func poorData() throws {
        var year = try BaselineExample.year()
        year[0].energy = nil
        year[1].completenessPercent = Exact(text: "91.25") ?? .zero
        year[2].estimatedPercent = Exact(40)
        year[3].variables["hdd"] = nil
        year[4].variables["cdd"] = .nan
        let found = refusals(year, variables)
        #expect(
            found == [
                .tooFewPeriods(usable: 7, needed: 12),
                .energyUnknown([try BaselineExample.month(2025, 1)]),
                .completenessBelow(
                    [try BaselineExample.month(2025, 2)],
                    worstPercent: Exact(9125, over: 100), limitPercent: Exact(98)),
                .estimatedShareAbove(
                    [try BaselineExample.month(2025, 3)], worstPercent: Exact(40),
                    limitPercent: Exact(10)),
                .variableMissing("hdd", [try BaselineExample.month(2025, 4)]),
                .variableMissing("cdd", [try BaselineExample.month(2025, 5)]),
            ])
        #expect(
            found.map(\.text.en) == [
                "7 usable periods, and 12 are needed", "the energy is unknown in 2025-01",
                "less than 98 % is known of 2025-02; at worst 91.2 %",
                "more than 10 % is estimated of 2025-03; at worst 40.0 %",
                "the variable 'hdd' is missing in 2025-04",
                "the variable 'cdd' is missing in 2025-05",
            ])
        #expect(found[0].text.zh == "可用时段 7 个，至少需要 12 个")
    }

    @Test("is refused when a variable never changes or repeats the others")
    func uselessVariables() throws {
        var year = try BaselineExample.year()
        for index in year.indices {
            year[index].variables["flat"] = 21.5
            year[index].variables["both"] =
                2 * BaselineExample.hdd[index] - BaselineExample.cdd[index] + 7
        }
        #expect(
            refusals(year, variables + [BaselineVariable("flat")]) == [.constantVariable("flat")])
        #expect(
            refusals(year, variables + [BaselineVariable("both")]) == [.collinearVariable("both")])
        #expect(
            refusals(year, [BaselineVariable("production")], ["month.least_periods": "13"])
                == [.tooFewPeriods(usable: 12, needed: 13)])
        let inflated = refusals(
            year, variables + [BaselineVariable("production")],
            ["month.variance_inflation": "4"])
        #expect(
            inflated.map(\.text.en) == [
                "the variable 'hdd' resembles the others too much: variance inflation 4.58, limit 4"
            ])
    }

    @Test("is refused when the model is too coarse, and the figure is told")
    func coarse() throws {
        let found = refusals(
            try BaselineExample.year(), variables,
            ["month.cv_rmse": "2 %", "month.r_squared": "0.99"])
        #expect(
            found.map(\.text.en) == [
                "the model is too coarse: CV(RMSE) 2.35 %, limit 2 %",
                "the variables explain too little: R² 0.98, at least 0.99",
            ])
        #expect(
            BaselineRefusal.nmbeAbove(percent: -7.125, limitPercent: Exact(5)).text.en
                == "the model is biased: NMBE -7.12 %, limit ±5 %")
    }

    @Test("is refused when the question itself is wrong")
    func question() throws {
        let year = try BaselineExample.year()
        #expect(refusals([], variables) == [.tooFewPeriods(usable: 0, needed: 1)])
        #expect(refusals(year + [year[3]], variables) == [.periodTwice(year[3].period)])
        var mixed = year
        mixed[2].period = try #require(AccountingPeriod("2025-03-01"))
        #expect(refusals(mixed, variables) == [.mixedPeriods])
        mixed[2].period = try #require(AccountingPeriod("2025"))
        #expect(refusals(mixed, variables) == [.mixedPeriods])
        let many = ["a", "b", "c", "a", "d"].map { BaselineVariable($0) }
        #expect(
            refusals(year, many) == [.tooManyVariables(given: 5, most: 4), .variableTwice("a")])
        let months = try BaselineExample.method()
        let onlyDays = BaselineMethod(
            name: months.name, version: months.version,
            limits: months.limits.filter { $0.key == .day })
        let found = BaselineExample.refusals {
            _ = try BaselineModel.fit(year, variables: variables, method: onlyDays)
        }
        #expect(found.map(\.text.en) == ["the method has no limits for months"])
    }

    @Test("of energy that is nothing or absurd is refused, and nothing traps")
    func absurd() throws {
        var year = try BaselineExample.year()
        for index in year.indices { year[index].energy = .zero }
        #expect(refusals(year, []) == [.notComputable])
        for index in year.indices {
            year[index].variables["hdd"] = index == 0 ? 1e308 : -1e308
        }
        #expect(refusals(year, variables) == [.notComputable])
        #expect(
            refusals(year, variables, searched: .max) == [.tooFewPeriods(usable: 12, needed: 14)])
    }

    @Test("takes a period's quality from what was counted")
    func observation() throws {
        var counts = Counts(count: 5)
        counts[0] = Counts.Slot(increase: ScaledInteger(mantissa: 60, exponent: 0))
        counts[1] = Counts.Slot(
            increase: ScaledInteger(mantissa: 20, exponent: 0), isEstimated: true)
        counts[2] = Counts.Slot(increase: ScaledInteger(mantissa: 0, exponent: 0))
        let month = try BaselineExample.month(2025, 1)
        let one = BaselineObservation(period: month, total: counts.total(0..<4))
        #expect(one.energy == Exact(80))
        #expect(one.completenessPercent == Exact(75) && one.estimatedPercent == Exact(25))
        let unknown = BaselineObservation(period: month, total: counts.total(3..<5))
        #expect(unknown.energy == nil && unknown.completenessPercent == .zero)
        let nothing = BaselineObservation(period: month, total: counts.total(2..<3))
        #expect(nothing.energy == .zero && nothing.estimatedPercent == .zero)
        let all = BaselineObservation(period: month, total: counts.total(1..<2))
        #expect(all.estimatedPercent == Exact(100))
        #expect(BaselineObservation(period: month, total: Counts.Total()).energy == nil)
    }

    @Test("tells long lists of periods by their first three")
    func longList() throws {
        let months = try (1...7).map { try BaselineExample.month(2025, $0) }
        let text = BaselineRefusal.energyUnknown(months).text
        #expect(text.en == "the energy is unknown in 2025-01, 2025-02, 2025-03 and 4 more")
        #expect(text.zh == "以下时段能耗未知：2025-01、2025-02、2025-03等 7 个时段")
    }
}
