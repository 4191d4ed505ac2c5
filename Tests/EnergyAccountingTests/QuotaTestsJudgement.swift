import EnergyAccounting
import LocatedText
import Telemetry
import TestSeeds
import Testing

@Suite("The judgement of a quota")
struct QuotaTestsJudgement {
    private let year = AccountingPeriod(year: 2025)!

    /// One quota: 100 kWh/m2 with tiers, and `more` lines of its own.
    private func quota(
        _ more: String = "", _ old: String = "net: false", _ new: String = "net: false"
    ) throws -> Quota {
        let text = """
            format: quotas/1
            corrections:
              - { correction: hours, input: use-hours, constant: 0.3, share: 0.7, reference: 2500 h,
                  proportion: inverse, source: s, status: project }
              - { correction: space, input: area-per-person, constant: 0.7, share: 0.3,
                  reference: 10 m2/person, proportion: direct, source: s, status: project }
            quotas:
              - quota: office
                title: { en: Office, zh: 办公 }
                kind: area
                unit: kWh/m2
                scope: { jurisdiction: here, building: office }
                from: 2024-01-01
                until: 2026-12-31
                constraint: 100 kWh/m2
                guide: 80 kWh/m2
                net: false
                tiers:
                  - { above: 0 %, surcharge: 0.1 CNY/kWh }
                  - { above: 20 %, surcharge: 0.3 CNY/kWh }
                warn: [90 %, 100 %]
                strength: duty
                source: s
                status: project

            """
        return try #require(
            try QuotaFile.parse(text.replacing(old, with: new) + more, file: "q.yaml").first)
    }

    /// A forecast of so much, with half of a width.
    private func forecast(_ expected: Int, _ half: Int = 0) throws -> YearForecast {
        let days = DailyUse(
            from: try Given.day("2025-01-01"), Array(repeating: Exact.one, count: 365))
        var forecast = try YearForecaster()
            .forecast(year, use: days, through: try Given.day("2025-12-31")).get()
        forecast.expected = Exact(expected)
        forecast.low = Exact(expected - half)
        forecast.high = Exact(expected + half)
        return forecast
    }

    private func judge(
        _ quota: Quota, _ gross: Int, own: Int? = nil,
        forecast: Result<YearForecast, YearForecast.Refusal>? = nil,
        through: String = "2025-06-30",
        basis: QuotaBasis = QuotaBasis(floorArea: Exact(1000)), lastYear: YearShape? = nil,
        completeness: Exact? = nil, enabled: Set<String> = []
    ) throws -> QuotaJudgement {
        QuotaJudgement(
            of: quota, in: year, through: try Given.day(through),
            use: QuotaUse(
                gross: Exact(gross), ownGeneration: own.map { Exact($0) },
                completeness: completeness, estimatedShare: Exact(1, over: 50)),
            basis: basis, forecast: forecast, lastYear: lastYear, enabled: enabled)
    }

    @Test(
        "is within, at risk or exceeded by what was counted, expected and possible",
        arguments: [
            // 1000 m2 · 100 kWh/m2 = 100 000 kWh are allowed; warnings at 90 and 100 %
            (60_000, 80_000, 5_000, "within", nil),
            (60_000, 80_000, 20_000, "within", nil),
            (60_000, 80_000, 20_001, "at-risk", nil),
            (60_000, 89_999, 0, "within", nil),
            (60_000, 90_000, 0, "at-risk", 90),
            (60_000, 100_000, 0, "at-risk", 100),
            (100_000, 130_000, 0, "at-risk", 100),
            (100_001, 130_000, 0, "exceeded", 100),
        ])
    func states(used: Int, expected: Int, half: Int, word: String, warning: Int?) throws {
        let found = try judge(
            try quota(), used, forecast: .success(try forecast(expected, half)))
        #expect(found.state.word == word)
        #expect(found.warning == warning.map { Exact($0) })
    }

    @Test("says the share that is used, the path, what is expected and what is too much")
    func figures() throws {
        let last = DailyUse(
            from: try Given.day("2024-01-01"), (0..<366).map { Exact($0 < 182 ? 10 : 30) })
        let shape = YearShape(of: last, for: year, leastShare: .one)
        let found = try judge(
            try quota(), 60_000, forecast: .success(try forecast(130_000, 9_000)), lastYear: shape,
            completeness: Exact(9, over: 10))
        #expect(found.allowance?.amount == Exact(100_000))
        #expect(found.allowance?.guide == Exact(80_000))
        #expect(found.percentUsed == Exact(60))
        // 181 of 365 days
        #expect(found.linearPath?.text(places: 3) == "49589.041")
        // 1810 of 1810 + 184 · 30 = 7330
        #expect(found.seasonalPath?.text(places: 3) == "24693.042")
        #expect(found.expectedPercent == Exact(130))
        #expect(found.excess == .zero)
        #expect(found.expectedExcess == Exact(30_000))
        // 20 000 at 0.1 and 10 000 at 0.3
        #expect(found.expectedSurcharge?.parts.map(\.amount) == [Exact(20_000), Exact(10_000)])
        #expect(found.expectedSurcharge?.cost == Exact(5000))
        #expect(found.surcharge?.cost == .zero)
        #expect(found.use.completeness == Exact(9, over: 10))
        #expect(found.use.estimatedShare == Exact(1, over: 50))
    }

    @Test("sets own generation off where the quota is net, and only there")
    func net() throws {
        let netQuota = try quota("", "net: false", "net: true")
        let good = Result<YearForecast, YearForecast.Refusal>.success(try forecast(80_000))
        #expect(try judge(netQuota, 120_000, own: 30_000, forecast: good).state == .within)
        #expect(
            try judge(netQuota, 120_000, own: 30_000, forecast: good).counted == Exact(90_000))
        #expect(try judge(try quota(), 120_000, own: 30_000, forecast: good).state == .exceeded)
        let unmeasured = try judge(netQuota, 120_000, forecast: good)
        #expect(unmeasured.state == .unknown(.noOwnGeneration))
        #expect(unmeasured.percentUsed == nil)
    }

    @Test("is unknown, and says why, where something is missing")
    func unknown() throws {
        let good = Result<YearForecast, YearForecast.Refusal>.success(try forecast(80_000))
        func state(_ quota: Quota, basis: QuotaBasis) throws -> QuotaJudgement.State {
            try judge(quota, 10, forecast: good, basis: basis).state
        }
        #expect(try state(try quota(), basis: QuotaBasis()) == .unknown(.noFloorArea))
        #expect(
            try state(try quota(), basis: QuotaBasis(floorArea: .zero)) == .unknown(.noFloorArea))
        let open = try quota("", "    constraint: 100 kWh/m2\n", "")
        #expect(
            try state(open, basis: QuotaBasis(floorArea: .one)) == .unknown(.toFillIn))
        let remembered = try quota().fromMemory
        #expect(
            try state(remembered, basis: QuotaBasis(floorArea: .one)) == .unknown(.fromMemory))
        #expect(
            try judge(remembered, 10, forecast: good, enabled: ["office"]).state == .within)
        #expect(
            try judge(try quota("", "until: 2026-12-31", "until: 2025-05-01"), 10, forecast: good)
                .state == .unknown(.notInForce))
        #expect(try judge(try quota(), 10).state == .unknown(.noForecast))
        let refused = try judge(
            try quota(), 10, forecast: .failure(.tooFewDays(known: 5, needed: 28)))
        #expect(refused.state == .unknown(.refused(.tooFewDays(known: 5, needed: 28))))
        #expect(refused.state.text.en == "unknown: only 5 days are known, and 28 are needed")
        #expect(refused.percentUsed != nil)
        // What was counted is enough to know that it is too much.
        #expect(try judge(try quota(), 200_000).state == .exceeded)
    }

    @Test("takes no forecast and no shape of another year")
    func otherYear() throws {
        var other = try forecast(80_000)
        other.period = AccountingPeriod(year: 2024)!
        let last = DailyUse(
            from: try Given.day("2023-01-01"), Array(repeating: Exact.one, count: 365))
        let found = try judge(
            try quota(), 60_000, forecast: .success(other),
            lastYear: YearShape(of: last, for: AccountingPeriod(year: 2024)!, leastShare: .one))
        #expect(found.state == .unknown(.noForecast))
        #expect(found.forecast == nil && found.expectedPercent == nil)
        #expect(found.seasonalPath == nil)
    }

    @Test("needs no forecast once the year is over and all of it is known")
    func over() throws {
        #expect(
            try judge(try quota(), 99_999, through: "2025-12-31", completeness: .one).state
                == .within)
        #expect(
            try judge(
                try quota(), 99_999, through: "2025-12-31", completeness: Exact(99, over: 100)
            ).state == .unknown(.noForecast))
    }

    @Test("widens the allowance by the corrections of which the building's value is known")
    func corrections() throws {
        let corrected = try quota("", "net: false", "corrections: [hours, space]")
        let both = try corrected.allowance(
            year: 2025,
            basis: QuotaBasis(
                floorArea: Exact(1000),
                inputs: [.useHours: Exact(5000), .areaPerPerson: Exact(20)])
        ).get()
        // γ1 = 0.3 + 0.7 · 2500/5000 = 0.65, γ2 = 0.7 + 0.3 · 20/10 = 1.3
        #expect(both.applied.map(\.coefficient.plainText) == ["0.65", "1.3"])
        // 100 000 / (0.65 · 1.3) = 100 000 / 0.845
        #expect(both.amount.text(places: 4) == "118343.1953")
        let one = try corrected.allowance(
            year: 2025,
            basis: QuotaBasis(
                floorArea: Exact(1000), inputs: [.useHours: Exact(2500), .areaPerPerson: .zero])
        ).get()
        #expect(one.amount == Exact(100_000))
        #expect(one.notApplied.map(\.name) == ["space"])
    }

    @Test("splits any use over the tiers without losing any of the excess")
    func tiers() throws {
        var random = SeededGenerator(33)
        let tiers = try quota().tiers
        for _ in 0..<200 {
            let allowance = Exact(Int.random(in: 1...1_000_000, using: &random))
            let use = Exact(Int.random(in: 0...2_000_000, using: &random))
            let split = QuotaSurcharge(tiers, allowance: allowance, use: use)
            let sum = split.parts.reduce(Exact.zero) { $0 + $1.amount }
            #expect(sum == max(.zero, use - allowance))
            #expect(split.parts.allSatisfy { !$0.amount.isNegative })
        }
    }
}

extension Quota {
    /// The same with figures that nobody has confirmed.
    fileprivate var fromMemory: Quota {
        var quota = self
        quota.evidence = .fromMemory
        return quota
    }
}

@Suite("A glide path")
struct QuotaTestsGlidePath {
    @Test(
        "goes straight from the base to the target and stays there",
        arguments: [
            (2019, nil), (2020, "100"), (2021, "99"), (2023, "97"), (2025, "95"), (2030, "95"),
        ])
    func allowed(year: Int, value: String?) throws {
        let path = try #require(
            GlidePath(
                baseYear: 2020, baseValue: Exact(100), targetYear: 2025, targetValue: Exact(95)))
        #expect(path.allowed(in: year)?.plainText == value)
    }

    @Test("says how far a year lies beside it")
    func comparison() throws {
        let path = try #require(
            GlidePath(
                baseYear: 2020, baseValue: Exact(50), targetYear: 2025, targetValue: Exact(45)))
        let found = try #require(path.comparison(of: Exact(49), in: 2023))
        #expect(found.allowed == Exact(47))
        #expect(found.difference == Exact(2))
        #expect(found.change == Exact(-2))
        #expect(!found.isOnPath)
        #expect(path.comparison(of: Exact(47), in: 2023)?.isOnPath == true)
        #expect(path.comparison(of: Exact(47), in: 2019) == nil)
        #expect(
            GlidePath(baseYear: 2025, baseValue: .one, targetYear: 2025, targetValue: .one) == nil)
    }

    @Test("is what a saving allows in a year, once its base value is filled in")
    func saving() throws {
        let text = try Given.shippedText("quotas/public-institution-2025.yaml")
        let quota = try #require(
            try QuotaFile.parse(text, file: "q").first { $0.unit.text == "kgCO2/m2" })
        let basis = QuotaBasis(floorArea: Exact(2000))
        #expect(throws: QuotaUnknown.toFillIn) {
            try quota.allowance(year: 2025, basis: basis).get()
        }
        let filledText = text.replacing(
            "base: { year: 2020 }\n    target: { year: 2025, change: -7 %",
            with: "base: { year: 2020, value: 60 kgCO2/m2 }\n"
                + "    target: { year: 2025, change: -7 %")
        let filled = try #require(
            try QuotaFile.parse(filledText, file: "q").first { $0.unit.text == "kgCO2/m2" })
        let target = try filled.allowance(year: 2025, basis: basis).get()
        // 60 · 0.93 = 55.8, times 2000 m2
        #expect(target.limit.plainText == "55.8")
        #expect(target.amount == Exact(111_600))
        #expect(!target.isInterim)
        let between = try filled.allowance(year: 2022, basis: basis).get()
        // 60 − 4.2 · 2/5
        #expect(between.limit.plainText == "58.32")
        #expect(between.isInterim)
        #expect(throws: QuotaUnknown.beforeBaseYear) {
            try filled.allowance(year: 2019, basis: basis).get()
        }
    }
}
