import EnergyAccounting
import LocatedText
import Telemetry
import Testing

@testable import Store

@Suite("Outdoor temperatures out of the store")
struct OutdoorDaysTests {
    private let site = Site()

    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    /// One bucket of so many readings that are all alike.
    private func rollup(
        _ series: Int, _ resolution: Resolution, _ start: Timestamp, _ celsius: Double, count: Int
    ) -> RollupRecord {
        var rollup = Rollup(expected: count)
        for _ in 0..<count { rollup.add(.number(celsius), at: start) }
        return RollupRecord(
            series: series, bucket: Bucket(resolution, containing: start, calendar: .utc),
            rollup: rollup, revision: 0)
    }

    private func plan(_ point: String) -> EnergyPlan {
        var plan = EnergyPlan(tree: .empty)
        plan.outdoor = OutdoorSource(
            series: SeriesID(device: DeviceID("station"), point: PointKey(point)),
            location: Location(file: "site.yaml", line: 1, column: 1))
        return plan
    }

    @Test(
        "are the means of hours, whatever the number of readings, and of quarters while hours are open"
    )
    func means() async throws {
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group("station", points: ["air"])])[0]
        let series = try #require(group.series.first?.number)
        let day = try time("2026-03-01T00:00:00Z")
        var rollups: [RollupRecord] = []
        for hour in 0..<24 {
            let start = day + .seconds(3600 * hour)
            // Twenty hours at 6 °C with four readings, four at 12 °C with one: (120 + 48) / 24.
            rollups.append(
                hour < 20
                    ? rollup(series, .hour, start, 6, count: 4)
                    : rollup(series, .hour, start, 12, count: 1))
            // Of the second day quarters alone, and of its last five hours nothing.
            if hour < 19 {
                for quarter in 0..<4 {
                    rollups.append(
                        rollup(
                            series, .quarterHour,
                            start + .seconds(86_400 + 900 * quarter), 1, count: 1))
                }
            }
        }
        try await store.writer.apply(.init(rollups: rollups))
        let period = try #require(AccountingPeriod("2026-03"))
        func days(_ now: String, _ point: String = "air") async throws -> [String: Double] {
            let found = try await store.reader.outdoorDays(
                of: plan(point), in: [period], now: try time(now))
            return Dictionary(
                uniqueKeysWithValues: found.means.map { ($0.key.description, $0.value) })
        }
        // Nineteen of 24 hours are too few.
        #expect(try await days("2026-03-03T00:00:00Z") == ["2026-03-01": 7])
        let rest = rollup(series, .quarterHour, day + .seconds(86_400 + 19 * 3600), 21, count: 1)
        try await store.writer.apply(.init(rollups: [rest]))
        // With one more they are twenty: (19 · 1 + 21) / 20.
        #expect(
            try await days("2026-03-03T00:00:00Z") == ["2026-03-01": 7, "2026-03-02": 2])
        // Nothing is told of a day that has not ended, nor of a series that is not there.
        #expect(try await days("2026-03-02T23:00:00Z") == ["2026-03-01": 7])
        #expect(try await days("2026-03-03T00:00:00Z", "else").isEmpty)
        try store.close()
    }
}
