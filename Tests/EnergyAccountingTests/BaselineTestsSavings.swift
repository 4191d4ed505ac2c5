import EnergyAccounting
import Telemetry
import TestSeeds
import Testing

@Suite("Savings")
struct EnergySavingsTests {
    /// 1000 kWh a month and 10 kWh for each K·d, seen from 0 to 400 K·d.
    private func baseline(
        _ interval: BaselineMethod.Interval = .month, periods: Int = 12, cv: Double = 5,
        autocorrelation: Double? = nil, adjustments: [BaselineAdjustment] = []
    ) throws -> FrozenBaseline {
        let model = BaselineModel(
            interval: interval, first: try BaselineExample.day("2025-01-01"),
            last: try BaselineExample.day("2025-12-31"),
            intercept: .init(value: 1000, standardError: 50),
            terms: [
                .init(
                    variable: BaselineExample.heating,
                    coefficient: .init(value: 10, standardError: 1), least: 0, greatest: 400)
            ],
            quality: FitQuality(
                periods: periods, parameters: 3, mean: 2000, rSquared: 0.9, cvRMSEPercent: cv,
                nmbePercent: 0, autocorrelation: autocorrelation), leftOut: 0)
        return FrozenBaseline(
            id: "b", subject: "main", frozenOn: try BaselineExample.day("2026-01-10"),
            method: "example", methodVersion: "7", model: model, adjustments: adjustments)
    }

    private func month(
        _ number: Int, _ energy: String?, hdd: Double?, year: Int = 2026
    ) throws -> BaselineObservation {
        BaselineObservation(
            period: try BaselineExample.month(year, number),
            energy: energy.flatMap { Exact(text: $0) },
            variables: hdd.map { ["hdd": $0] } ?? [:])
    }

    private func adjustment(
        _ from: String, _ through: String?, _ change: BaselineAdjustment.Change
    ) throws -> BaselineAdjustment {
        try #require(
            BaselineAdjustment(
                from: try BaselineExample.day(from), through: try through.map(BaselineExample.day),
                change: change, reason: "agreed"))
    }

    @Test("are the adjusted baseline less what was measured, worked by hand")
    func byHand() throws {
        let savings = try EnergySavings(
            [try month(4, "1200.5", hdd: 50), try month(3, "1500.25", hdd: 100)],
            against: try baseline(adjustments: [
                // 10 days of March, 30 of April; then 16 days of 31 of March, all of April.
                try adjustment("2026-03-22", nil, .kilowattHoursPerDay(Exact(-10))),
                try adjustment("2026-03-16", "2026-04-30", .percent(Exact(5))),
            ]), method: try BaselineExample.method(),
            price: SavingsPrice(
                meanPerKilowattHour: Exact(text: "0.80") ?? .zero, contractorPercent: Exact(60)))
        let march = try #require(savings.rows.first)
        #expect(march.period.label == "2026-03" && march.modelled == Exact(2000))
        // −100 + 2000·5 %·16/31
        #expect(march.adjustment == Exact(-100) + Exact(1600, over: 31))
        #expect(march.saved.text(places: 4) == "451.3629")
        let april = savings.rows[1]
        #expect(april.adjustment == Exact(-300) + Exact(75))
        #expect(april.saved == Exact(745, over: 10))
        #expect(savings.saved == march.saved + april.saved)
        #expect(savings.measured.text(places: 2) == "2700.75")
        #expect(savings.adjustedBaseline - savings.measured == savings.saved)
        #expect(savings.savedPercent == savings.saved * Exact(100) / savings.adjustedBaseline)
        #expect(savings.savedMoney == savings.saved * Exact(4, over: 5))
        #expect(savings.contractorMoney == savings.saved * Exact(12, over: 25))
        #expect(!savings.isExtrapolated && savings.leftOut.isEmpty)
    }

    @Test("have the uncertainty of the worked example in the documents: ± 4321 kWh at 90 %")
    func uncertainty() throws {
        let year = try (1...12).map { try month($0, "9000", hdd: 0) }
        // Each month 10 000 kWh by an adjustment, so that the year has 120 000.
        let added = try adjustment("2026-01-01", "2026-12-31", .percent(Exact(900)))
        let savings = try EnergySavings(
            year, against: try baseline(adjustments: [added]),
            method: try BaselineExample.method())
        #expect(savings.adjustedBaseline == Exact(120_000) && savings.saved == Exact(12_000))
        let uncertainty = savings.uncertainty
        #expect(uncertainty.degreesOfFreedom == 9 && uncertainty.effectivePeriods == 12)
        #expect(agree(uncertainty.tValue, 1.833112932656237))
        #expect(agree(uncertainty.energy, 4321.0947435163525))
        #expect(agree(uncertainty.percentOfSavings, 36.00912286263627))
        #expect(!uncertainty.isTooLarge)
        #expect(uncertainty.confidencePercent == Exact(90))
        let strict = try EnergySavings(
            year, against: try baseline(adjustments: [added]),
            method: try BaselineExample.method(["month.uncertainty_limit": "36 %"]))
        #expect(strict.uncertainty.isTooLarge)
        let unlimited = try EnergySavings(
            year, against: try baseline(adjustments: [added]),
            method: try BaselineExample.method(["month.uncertainty_limit": ""]))
        #expect(!unlimited.uncertainty.isTooLarge)
    }

    private func days(_ count: Int, energy: Int) throws -> [BaselineObservation] {
        try (0..<count).map { index in
            let date = try BaselineExample.day("2026-01-01").advanced(days: index)
            return BaselineObservation(
                period: try #require(AccountingPeriod(from: date, through: date)),
                energy: Exact(energy), variables: ["hdd": 0])
        }
    }

    @Test("of days are less sure when the residuals follow each other")
    func autocorrelation() throws {
        func uncertainty(_ rho: Double?) throws -> EnergySavings.Uncertainty {
            // 30 days of 1000 kWh less 900 a day by an adjustment: 3000 kWh.
            let less = try adjustment("2026-01-01", nil, .kilowattHoursPerDay(Exact(-900)))
            return try EnergySavings(
                try days(30, energy: 50),
                against: try baseline(
                    .day, periods: 365, cv: 20, autocorrelation: rho, adjustments: [less]),
                method: try BaselineExample.method()
            ).uncertainty
        }
        let half = try uncertainty(0.5)
        #expect(agree(half.effectivePeriods, 365.0 / 3))
        #expect(half.degreesOfFreedom == 118)
        #expect(agree(half.energy, 399.58821000968186))
        let none = try uncertainty(nil)
        #expect(none.energy < half.energy && none.effectivePeriods == 365)
        #expect(try uncertainty(-0.5) == none)
        #expect(
            BaselineExample.refusals { _ = try uncertainty(0.99) }.map(\.text.en) == [
                "the residuals follow each other so closely that only 1.83 independent periods remain"
            ])
        #expect(BaselineExample.refusals { _ = try uncertainty(1) }.count == 1)
    }

    @Test("may be none or less than none, and are told so")
    func negative() throws {
        let wasted = try EnergySavings(
            [try month(3, "2500", hdd: 100)], against: try baseline(),
            method: try BaselineExample.method(),
            price: SavingsPrice(meanPerKilowattHour: Exact(2)))
        #expect(wasted.saved == Exact(-500) && wasted.savedMoney == Exact(-1000))
        #expect(wasted.contractorMoney == nil && wasted.savedPercent == Exact(-25))
        #expect(agree(wasted.uncertainty.energy, 249.47852133630434))
        let nothing = try EnergySavings(
            [try month(3, "2000", hdd: 100)], against: try baseline(),
            method: try BaselineExample.method())
        #expect(nothing.saved == .zero && nothing.savedMoney == nil)
        #expect(nothing.uncertainty.percentOfSavings == nil && nothing.uncertainty.isTooLarge)
    }

    @Test("are marked where the baseline has never seen such a variable")
    func extrapolation() throws {
        let savings = try EnergySavings(
            [
                try month(1, "100", hdd: 400), try month(2, "100", hdd: 400.5),
                try month(3, "100", hdd: -1),
            ], against: try baseline(), method: try BaselineExample.method())
        #expect(savings.rows.map(\.extrapolated) == [[], ["hdd"], ["hdd"]])
        #expect(savings.isExtrapolated)
    }

    @Test("claim nothing for a day that is left out, and are refused when too many are")
    func leftOut() throws {
        var ten = try days(10, energy: 50)
        ten[3].energy = nil
        let savings = try EnergySavings(
            ten, against: try baseline(.day, periods: 365), method: try BaselineExample.method())
        #expect(savings.rows.count == 9 && savings.saved == Exact(9 * 950))
        #expect(savings.leftOut == [ten[3].period])
        #expect(savings.shortcomings == [.energyUnknown([ten[3].period])])
        ten[7].variables = [:]
        let found = BaselineExample.refusals {
            _ = try EnergySavings(
                ten, against: try baseline(.day, periods: 365),
                method: try BaselineExample.method())
        }
        #expect(
            found == [
                .reportingShareBelow(usable: 8, offered: 10, limitPercent: Exact(90)),
                .energyUnknown([ten[3].period]), .variableMissing("hdd", [ten[7].period]),
            ])
        #expect(
            found[0].text.en == "8 of 10 reporting periods are usable, and 90 % are needed")
    }

    @Test("are refused for periods of the baseline itself or of another length")
    func question() throws {
        func refusals(
            _ observations: [BaselineObservation], _ baseline: FrozenBaseline
        ) -> [String] {
            BaselineExample.refusals {
                _ = try EnergySavings(
                    observations, against: baseline, method: try BaselineExample.method())
            }.map(\.text.en)
        }
        #expect(
            refusals([try month(12, "5", hdd: 1, year: 2025)], try baseline())
                == ["2025-12 lies in the baseline period or before it"])
        #expect(
            refusals(try days(3, energy: 5), try baseline())
                == ["the baseline rests on months, the periods do not"])
        #expect(refusals([], try baseline()) == ["0 usable periods, and 1 are needed"])
        let below = try baseline(adjustments: [
            try adjustment("2026-01-01", nil, .percent(Exact(-100)))
        ])
        #expect(
            refusals([try month(3, "5", hdd: 1)], below).first?.hasPrefix("the figures") == true)
        #expect(
            refusals([try month(3, "5", hdd: 1e300)], try baseline()).first?
                .hasPrefix("the figures") == true)
    }

    @Test("of rows add up to the total, exactly, whatever the figures")
    func property() throws {
        var random = SeededGenerator(500)
        for _ in 0..<100 {
            let adjustments = try (0..<Int.random(in: 0...3, using: &random)).map { index in
                try adjustment(
                    "2026-0\(index + 1)-1\(index)", nil,
                    index == 1
                        ? .percent(Exact(decimal: random.decimal(-9...9)) ?? .one)
                        : .kilowattHoursPerDay(Exact(decimal: random.decimal(0...9)) ?? .one))
            }
            let months = try (1...9).map { number in
                BaselineObservation(
                    period: try BaselineExample.month(2026, number),
                    energy: Exact(decimal: random.decimal(0...5000)),
                    variables: ["hdd": Double.random(in: 0...400, using: &random)])
            }
            let savings = try EnergySavings(
                months.shuffled(using: &random), against: try baseline(adjustments: adjustments),
                method: try BaselineExample.method())
            let sum = savings.rows.reduce(Exact.zero) { $0 + $1.saved }
            #expect(sum == savings.saved)
            for row in savings.rows {
                #expect(row.saved == row.adjustedBaseline - row.measured)
                #expect(Exact(row.modelled.rounded(places: 3)) == row.modelled)
            }
        }
    }
}
