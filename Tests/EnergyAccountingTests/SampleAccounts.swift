import EnergyAccounting
import LocatedText
import Telemetry
import Testing

/// Accounts of a site whose meters count what a test says, hour by hour, in Shanghai's time.
enum SampleAccounts {
    static let calendar = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)

    /// - Parameters:
    ///   - meters: the list under `meters:`; each counter is called `ID.e`.
    ///   - now: a day; the accounts are made at its first instant, or so many minutes later.
    ///   - registers: what counters showed around an exchange.
    ///   - slot: what a meter counted in an hour of a day; nil where nothing is known.
    static func make(
        _ meters: String, periods: [String], now: String,
        minutes: Int = 0, registers: [AccountNeeds.Register: CounterRegisters] = [:],
        change: (inout EnergyPlan) throws -> Void = { _ in },
        slot: (_ meter: String, _ date: CivilDate, _ hour: Int) -> Counts.Slot?
    ) throws -> EnergyAccounts {
        var plan = EnergyPlan(tree: try meterTree(meters))
        try change(&plan)
        let periods = try periods.map { try #require(AccountingPeriod($0)) }
        let ledgers = periods.map { period in
            let grid = CountGrid(.hour, of: period, calendar: calendar)
            var data = AccountData(registers: registers)
            for meter in plan.tree.meters {
                guard let series = meter.counter else { continue }
                var counts = Counts(count: grid.count)
                for index in 0..<grid.count {
                    let start = grid.start(index)
                    let date = CivilDate(start, calendar: calendar)
                    counts[index] =
                        slot(meter.id, date, calendar.civil(start).hour)
                        ?? Counts.Slot(increase: nil)
                }
                data.counts[series] = counts
            }
            return (
                period: period,
                ledger: MeterLedger(
                    tree: plan.tree, entries: plan.entries, grid: grid, data: data,
                    calendar: calendar)
            )
        }
        let day = try #require(CivilDate(now))
        return EnergyAccounts(
            plan: plan, calendar: calendar,
            now: day.start(calendar: calendar) + .seconds(60 * minutes),
            ledgers: ledgers)
    }

    /// So many kilowatt-hours in an hour, measured.
    static func kWh(_ amount: Int, isEstimated: Bool = false) -> Counts.Slot {
        Counts.Slot(
            increase: ScaledInteger(mantissa: Int128(amount), exponent: 0),
            isEstimated: isEstimated)
    }

    static func period(_ text: String) throws -> AccountingPeriod {
        try #require(AccountingPeriod(text))
    }
}

extension StatementDocument {
    /// The rows of a table as a reader sees them, column by column.
    func rows(_ table: String, _ columns: [String]) throws -> [[String]] {
        let table = try #require(tables.first { $0.key == table }, "no table '\(table)'")
        let places = try columns.map { key in
            try #require(table.columns.firstIndex { $0.key == key }, "no column '\(key)'")
        }
        return table.rows.indices.map { row in places.map { table.cell(row, $0).asRead } }
    }

    func factAsRead(_ key: String) throws -> String {
        try #require(facts.first { $0.key == key }, "no fact '\(key)'").value.asRead
    }
}

extension StatementDocument.Cell {
    /// `≈ 12.50`, a text in English, or a dash with the reason.
    fileprivate var asRead: String {
        switch self {
        case .text(let text): text.en
        case .number(let number): (number.isEstimated ? "≈ " : "") + number.text
        case .missing(let reason): "– \(reason.en)"
        }
    }
}
