import EnergyAccounting
import LocatedText
import Telemetry
import Testing

/// A site of one meter with a temperature, of which every figure can be worked out by hand.
///
/// The meter counts the same in every hour of a month, every day of a month is as warm.
struct SavingsSite {
    static let calendar = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
    static let counter = SeriesID(
        device: DeviceID("m"), point: PointKey("active_energy.import.total"))

    /// kWh of each hour and °C of each day, by month.
    var months: [(label: String, hourly: String, celsius: Double)] = [
        ("2026-01", "2", 10), ("2026-02", "1.5", 13), ("2026-03", "0.5", 17),
    ]
    /// Days without a temperature, and hours without a reading.
    var unknownDays: [String] = []
    var unknownHours: [String] = []
    var adjustments: [BaselineAdjustment] = []
    var changes: [String: String] = [:]
    var entries = ""
    var variables = [
        EnergyVariable("hdd", .degreeDays(DegreeDayBase(.heating, celsius: 18)), location: here)
    ]
    var now = "2026-04-01T00:00:00+08:00"

    static let here = Location(file: "site.yaml", line: 1, column: 1)

    /// 300 kWh a month and 5 kWh for each K·d, seen from 50 to 400 K·d; ± with 10 degrees of freedom.
    func frozen() throws -> FrozenBaseline {
        FrozenBaseline(
            id: "main-2025", subject: "main", frozenOn: try BaselineExample.day("2026-01-10"),
            method: "example", methodVersion: "7",
            model: BaselineModel(
                interval: .month, first: try BaselineExample.day("2025-01-01"),
                last: try BaselineExample.day("2025-12-31"),
                intercept: .init(value: 300, standardError: 10),
                terms: [
                    .init(
                        variable: BaselineExample.heating,
                        coefficient: .init(value: 5, standardError: 0.25, varianceInflation: 1),
                        least: 50, greatest: 400)
                ],
                quality: FitQuality(
                    periods: 12, parameters: 2, mean: 1000, rSquared: 0.975, cvRMSEPercent: 5,
                    nmbePercent: 0, autocorrelation: nil), leftOut: 0),
            adjustments: adjustments)
    }

    func accounts(hasBaseline: Bool = true) throws -> EnergyAccounts {
        let tree = try meterTree("[ { id: main, counter: m.active_energy.import.total } ]")
        var plan = EnergyPlan(tree: tree, floorArea: Exact(1000))
        if !entries.isEmpty { plan.entries = try energyEntries(entries) }
        plan.variables = variables
        if hasBaseline {
            var baselines = BaselinePlan(method: try BaselineExample.method(changes))
            baselines.frozen = [.init(try frozen(), at: Self.here)]
            plan.baselines = baselines
        }
        let periods = try months.map { try #require(AccountingPeriod($0.label)) }
        let span = try #require(
            AccountingPeriod(from: periods[0].first, through: periods[periods.count - 1].last))
        let now = try #require(Timestamp(rfc3339: now))
        let grid = CountGrid(.hour, of: span, calendar: Self.calendar)
        var counts = Counts(count: grid.count)
        let unknown = try unknownHours.map { try #require(Timestamp(rfc3339: $0)) }
        var means: [CivilDate: Double] = [:]
        for (period, month) in zip(periods, months) {
            let hourly = try #require(ScaledInteger(exactly: Double(month.hourly) ?? .nan))
            for slot in grid.slots(
                from: period.start(calendar: Self.calendar),
                to: period.end(calendar: Self.calendar))
            where grid.end(slot) <= now && !unknown.contains(grid.start(slot)) {
                counts[slot] = Counts.Slot(increase: hourly, good: 4, expected: 4)
            }
            for offset in 0..<period.days {
                let day = period.first.advanced(days: offset)
                if day.advanced(days: 1).start(calendar: Self.calendar) <= now,
                    !unknownDays.contains(day.description)
                {
                    means[day] = month.celsius
                }
            }
        }
        let ledger = MeterLedger(
            tree: tree, entries: plan.entries, grid: grid,
            data: AccountData(counts: [Self.counter: counts]), calendar: Self.calendar)
        return EnergyAccounts(
            plan: plan, calendar: Self.calendar, now: now, ledgers: [(span, ledger)],
            outdoor: OutdoorDays(means))
    }

    func statement(
        _ kind: EnergyStatement = .savings, _ period: String = "2026-01-01..2026-03-31",
        hasBaseline: Bool = true
    ) throws -> StatementDocument {
        kind.document(
            of: try #require(AccountingPeriod(period)),
            accounts: try accounts(hasBaseline: hasBaseline), site: "site")
    }
}

extension StatementDocument {
    /// The printed texts of one row of a table, English where there are words, `-` where nobody
    /// knows.
    func row(_ table: String, _ index: Int) -> [String] {
        guard let found = tables.first(where: { $0.key == table }),
            found.rows.indices.contains(index)
        else { return [] }
        return found.rows[index].map(Self.printed)
    }

    func tableNamed(_ key: String) -> Table? { tables.first { $0.key == key } }

    /// The printed value of a fact; nil where there is none of that key.
    func printedFact(_ key: String) -> String? {
        facts.first { $0.key == key }.map { Self.printed($0.value) }
    }

    private static func printed(_ cell: Cell) -> String {
        switch cell {
        case .text(let text): text.en
        case .number(let number): number.text
        case .missing(let reason): "(\(reason.en))"
        }
    }
}
