import EnergyAccounting
import Foundation
import LocatedText
import Store
import Telemetry

/// What a year of hours of many meters costs to account for, packed by series and as rows.
enum AccountsBenchmark {
    private static let calendar = SiteCalendar.utc

    /// - Parameters:
    ///   - directory: for a new store.
    ///   - runs: how often each is timed.
    static func run(
        directory: String, meters count: Int, runs: Int
    ) async throws -> [String: Any] {
        let store = try Store.open(
            StoreOptions(directory: directory, durability: .process), calendar: calendar)
        let groups = try await store.writer.register((0..<count).map(group))
        guard let year = AccountingPeriod(year: 2025) else { throw Failure("no year") }
        try await fill(store, groups.flatMap(\.series), year)
        let plan = EnergyPlan(tree: tree(groups), floorArea: Exact(12_000))
        let now = year.end(calendar: calendar) + .seconds(3 * 86_400)
        let rows = try await timed(store, plan, year, now, runs)
        while try await store.writer.packCountedHours(before: now) {}
        let packed = try await timed(store, plan, year, now, runs)
        try store.close()
        guard rows.document == packed.document else {
            throw Failure("the balance differs once the hours are packed")
        }
        return [
            "meters": count, "hours": year.days * 24 * count, "runs": runs,
            "rows_ms": figures(rows.timings), "packed_ms": figures(packed.timings),
            "packed_reading_ms": figures(packed.reading),
        ]
    }

    private static func figures(_ timings: Timings) -> [String: Double] {
        ["min": timings.quantile(0), "median": timings.quantile(0.5), "max": timings.quantile(1)]
    }

    private static func group(_ index: Int) -> ScanGroup {
        let id = DeviceID("meter\(index)")
        return ScanGroup(
            device: id, interface: "rs485", name: "slow",
            series: [
                Series(
                    id: SeriesID(device: id, point: PointKey("active_energy.import.total")),
                    kind: .counter, unit: "kWh",
                    counter: CounterPolicy(modulus: nil, resets: .manual))
            ], period: .seconds(900), isPolled: true)
    }

    /// One meter above all the others, which are spread over seven zones.
    private static func tree(_ groups: [ScanGroup]) -> MeterTree {
        let first = groups[0].device.text
        return MeterTree(
            groups.enumerated().map { index, group in
                var meter = Meter(
                    id: group.device.text, parent: index == 0 ? nil : first, item: nil,
                    carrier: .electricity, source: .counter(group.series[0].id),
                    location: Location(file: "benchmark", line: index, column: 1))
                meter.zone = "zone\(index % 7)"
                return meter
            })
    }

    /// A year of hours, each with a figure of its own to a hundredth of a kilowatt-hour.
    private static func fill(
        _ store: Store, _ series: [Series], _ year: AccountingPeriod
    ) async throws {
        let start = year.start(calendar: calendar)
        for day in 0..<year.days {
            var records: [RollupRecord] = []
            for hour in 0..<24 {
                let bucket = Bucket(
                    .hour, containing: start + .seconds(Int64(day * 24 + hour) * 3_600),
                    calendar: calendar)
                for (index, one) in series.enumerated() {
                    let cents = (day &* 7_919 &+ hour &* 104_729 &+ index &* 1_299_709) % 2_000
                    var rollup = Rollup(count: 4, expected: 4)
                    rollup.increase = ScaledInteger(
                        mantissa: Int128(index == 0 ? 200_000 + cents : cents), exponent: 2)
                    records.append(
                        RollupRecord(
                            series: one.number, bucket: bucket, rollup: rollup, revision: 1))
                }
            }
            try await store.writer.apply(EvaluationEffects(rollups: records))
        }
    }

    /// Times the reading alone, and the whole balance of the year with it.
    private static func timed(
        _ store: Store, _ plan: EnergyPlan, _ year: AccountingPeriod, _ now: Timestamp, _ runs: Int
    ) async throws -> (document: StatementDocument, timings: Timings, reading: Timings) {
        var document: StatementDocument?
        var (whole, reading) = (Timings(), Timings())
        for _ in 0..<max(1, runs) {
            let grid = CountGrid(.hour, of: year, calendar: calendar)
            let needs = AccountNeeds(tree: plan.tree, entries: plan.entries, grid: grid)
            _ = try await reading.measure {
                try await store.reader.accountData(for: needs, now: now)
            }
            document = try await whole.measure {
                EnergyView.balance(
                    try await store.reader.energyAccounts(of: plan, for: [year], now: now),
                    period: year, site: "benchmark")
            }
        }
        guard let document else { throw Failure("nothing was timed") }
        return (document, whole, reading)
    }
}
