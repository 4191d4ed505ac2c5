import EnergyAccounting
import Telemetry
import Testing

@testable import Gateway

@Suite("How quotas stand, as readings")
struct QuotaPointsTests {
    private static let year = AccountingPeriod(year: 2026)!

    private static func quota(_ id: String, value: String, status: String = "project") throws
        -> Quota
    {
        try QuotaFile.parse(
            """
            format: quotas/1
            quotas:
              - quota: \(id)
                title: { en: Area, zh: 面积 }
                kind: area
                unit: kWh/m2
                scope: { jurisdiction: here, building: office }
                from: 2026-01-01
                constraint: \(value) kWh/m2
                strength: encouraged
                source: a test
                status: \(status)
            """, file: "quotas.yaml")[0]
    }

    private static func judgement(
        _ quota: Quota, gross: Int, forecast: Bool = true, area: Int? = 100
    ) throws -> QuotaJudgement {
        let day = CivilDate(year: 2026, month: 7, day: 1)!
        // Two kilowatt-hours a day until the end of June, and so on.
        let daily = DailyUse(
            from: year.first,
            (0..<year.days).map { $0 < 181 ? Exact(2) : nil })
        return QuotaJudgement(
            of: quota, in: year, through: day.advanced(days: -1),
            use: QuotaUse(gross: Exact(gross), completeness: .one),
            basis: QuotaBasis(floorArea: area.map { Exact($0) }),
            forecast: forecast
                ? YearForecaster().forecast(
                    year, use: daily, through: day.advanced(days: -1), lastYear: nil) : nil)
    }

    @Test("are shares of what the quota allows for the year")
    func shares() throws {
        // 4 kWh/m² of 100 m² are 400 kWh; 362 are used, and 365 × 2 expected.
        let judgement = try Self.judgement(try Self.quota("area", value: "4"), gross: 362)
        let readings = QuotaPoints.readings([judgement])
        #expect(readings[PointKey("quota_used.area")] == .number(0.905))
        #expect(readings[PointKey("quota_expected.area")] == .number(1.825))
        let high = try #require(readings[PointKey("quota_high.area")]?.number)
        #expect(high >= 1.825)
    }

    @Test("are absent where nobody can judge")
    func unknown() throws {
        let noArea = try Self.judgement(try Self.quota("area", value: "4"), gross: 362, area: nil)
        #expect(QuotaPoints.readings([noArea]).isEmpty)
        let memory = try Self.judgement(
            try Self.quota("area", value: "4", status: "from-memory"), gross: 362)
        #expect(QuotaPoints.readings([memory]).isEmpty)
        let noForecast = try Self.judgement(
            try Self.quota("area", value: "4"), gross: 362, forecast: false)
        #expect(
            QuotaPoints.readings([noForecast]) == [PointKey("quota_used.area"): .number(0.905)])
    }
}
