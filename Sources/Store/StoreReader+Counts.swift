import EnergyAccounting
import GRDB
import GRDBSQLite
import Telemetry

extension StoreReader {
    /// What every meter of a plan counted on a grid, with people's entries taken in.
    package func meterLedger(
        of plan: EnergyPlan, on grid: CountGrid, now: Timestamp
    ) async throws(StoreError) -> MeterLedger {
        let needs = AccountNeeds(tree: plan.tree, entries: plan.entries, grid: grid)
        return MeterLedger(
            tree: plan.tree, entries: plan.entries, grid: grid,
            data: try await accountData(for: needs, now: now), calendar: shared.calendar)
    }

    /// The accounts of some periods; each is read once.
    ///
    /// - Parameter isBilled: whether charges by the month are wanted for the first of them, which
    ///   takes its quarters of an hour.
    package func energyAccounts(
        of plan: EnergyPlan, for periods: [AccountingPeriod], now: Timestamp, isBilled: Bool = false
    ) async throws(StoreError) -> EnergyAccounts {
        var ledgers: [(period: AccountingPeriod, ledger: MeterLedger)] = []
        for period in periods {
            let grid = CountGrid(plan.resolution, of: period, calendar: shared.calendar)
            ledgers.append((period, try await meterLedger(of: plan, on: grid, now: now)))
        }
        var months: [Carrier: [AccountingPeriod: TariffMonth]] = [:]
        for carrier in Carrier.allCases
        where isBilled && plan.tariff(for: carrier)?.hasDemandCharge == true && !periods.isEmpty {
            months[carrier] = try await demands(
                of: carrier, plan, in: periods[0].months, now: now)
        }
        return EnergyAccounts(
            plan: plan, calendar: shared.calendar, now: now, ledgers: ledgers, months: months,
            outdoor: try await outdoorDays(of: plan, in: periods, now: now))
    }

    /// The greatest mean power of a quarter of an hour, month by month, of all that comes in.
    private func demands(
        of carrier: Carrier, _ plan: EnergyPlan, in months: [AccountingPeriod], now: Timestamp
    ) async throws(StoreError) -> [AccountingPeriod: TariffMonth] {
        let mains = plan.mains(of: carrier)
        var demands: [AccountingPeriod: TariffMonth] = [:]
        for month in months where month.start(calendar: shared.calendar) < now {
            let grid = CountGrid(.quarterHour, of: month, calendar: shared.calendar)
            let ledger = try await meterLedger(of: mains, on: grid, now: now)
            demands[month] = TariffMonth(maximumDemand: ledger.demand(of: carrier)?.power)
        }
        return demands
    }

    /// What counters counted and showed, as the accounts want it.
    ///
    /// Hours that have not been folded yet are put together from what is finer.
    /// - Parameter now: slots that begin later are left unknown.
    package func accountData(
        for needs: AccountNeeds, now: Timestamp
    ) async throws(StoreError) -> AccountData {
        let registry = shared.registry.value
        var numbers: [(id: SeriesID, number: Int)] = []
        for id in needs.series {
            if let series = registry.series(id) { numbers.append((id, series.number)) }
        }
        var data = AccountData()
        let counts = try await counts(numbers.map(\.number), on: needs.grid, now: now)
        for ((id, _), counts) in zip(numbers, counts) { data.counts[id] = counts }
        for (id, number) in numbers {
            guard let stored = data.counts[id] else { continue }
            var counts = try await completed(stored, of: number, on: needs.grid, now: now)
            // Whoever asks how things stood at an instant wants nothing of what came after it.
            if let end = needs.grid.bounds.last {
                for slot in needs.grid.slots(from: now, to: end) {
                    counts[slot] = Counts.Slot(increase: nil)
                }
            }
            data.counts[id] = counts
        }
        for need in needs.registers {
            guard let series = registry.series(need.series), let policy = series.counter else {
                continue
            }
            data.registers[need] = CounterRegisters(
                policy: policy,
                slots: try await registers(
                    of: series.number, around: need.at, needs.grid.resolution))
        }
        return data
    }

    private func counts(
        _ series: [Int], on grid: CountGrid, now: Timestamp
    ) async throws(StoreError) -> [Counts] {
        var counts = series.map { _ in Counts(count: grid.count) }
        guard !series.isEmpty, let from = grid.bounds.first, let to = grid.bounds.last else {
            return counts
        }
        if grid.resolution == .quarterHour {
            for (index, number) in series.enumerated() {
                try await fill(&counts[index], of: number, on: grid)
            }
            return counts
        }
        // A reader does not hold the log for longer than one stretch takes.
        var stretch = CountedHours.stretch(from.milliseconds)
        while stretch < min(to, now).milliseconds {
            let (start, end) = (stretch, stretch &+ CountedHours.length)
            let slots = grid.slots(
                from: Timestamp(milliseconds: start),
                to: min(Timestamp(milliseconds: end), now))
            let found = try await read("read what meters counted") { db in
                try CountedStretch.read(series, grid, slots, start, db)
            }
            for (index, hours) in found.packs {
                for slot in slots {
                    let hour = hours.slot(at: grid.start(slot).milliseconds, in: start)
                    if let hour { counts[index].set(slot, hour, hours.exponent) }
                }
            }
            for row in found.rows { counts[row.index][row.slot] = row.value }
            stretch = end
        }
        return counts
    }

    /// Quarters: packed days and rows are one.
    private func fill(
        _ counts: inout Counts, of series: Int, on grid: CountGrid
    ) async throws(StoreError) {
        guard let from = grid.bounds.first, let to = grid.bounds.last else { return }
        for record in try await rollups(
            series: series, resolution: .quarterHour, from: from, to: to)
        {
            guard let slot = grid.slot(of: record.bucket.start) else { continue }
            counts[slot] = Counts.Slot(record.rollup)
        }
    }

    /// Younger than this, an hour may not have been folded yet.
    private static let foldedAfter = Duration.seconds(2 * 86_400)

    /// The same with the youngest slots from quarters and minutes, as far as there are any.
    private func completed(
        _ counts: Counts, of series: Int, on grid: CountGrid, now: Timestamp
    ) async throws(StoreError) -> Counts {
        let young = grid.slots(from: now - Self.foldedAfter, to: now + .milliseconds(1))
        let open = young.filter { !counts.isKnown($0) }
        guard let first = open.first, let last = open.last else { return counts }
        let (from, to) = (grid.start(first), grid.end(last))
        var parts: [RollupRecord] = []
        if grid.resolution == .hour {
            parts = try await rollups(series: series, resolution: .quarterHour, from: from, to: to)
        }
        let rest = parts.last?.bucket.end ?? from
        // Minutes bridge only the quarter that is still open; older ones have been closed.
        if rest < to {
            parts += try await rollups(
                series: series, resolution: .minute, from: max(rest, now - .seconds(3600)), to: to)
        }
        var wholes: [Int: Rollup] = [:]
        for part in parts {
            guard let slot = grid.slot(of: part.bucket.start), !counts.isKnown(slot) else {
                continue
            }
            wholes[slot] = wholes[slot]?.merging(part.rollup) ?? part.rollup
        }
        var counts = counts
        for (slot, rollup) in wholes { counts[slot] = Counts.Slot(rollup) }
        return counts
    }

    /// What a counter showed in the slots around an instant: the last with readings before its
    /// slot, that one, and the first after it.
    private func registers(
        of series: Int, around instant: Timestamp, _ resolution: Resolution
    ) async throws(StoreError) -> [CounterRegisters.Slot] {
        let records = try await rollups(
            series: series, resolution: resolution, from: instant - AccountNeeds.reach,
            to: instant + AccountNeeds.reach)
        let slots = records.compactMap { record -> CounterRegisters.Slot? in
            let rollup = record.rollup
            guard let first = rollup.first?.value, let last = rollup.last?.value,
                let minimum = rollup.minimum, let maximum = rollup.maximum
            else { return nil }
            return CounterRegisters.Slot(
                start: record.bucket.start, end: record.bucket.end, first: first, last: last,
                minimum: minimum, maximum: maximum)
        }
        let after = slots.firstIndex { instant < $0.start } ?? slots.count
        return Array(slots[max(0, after - 2)..<min(slots.count, after + 1)])
    }
}

extension Counts.Slot {
    /// What a rollup of a counter says.
    fileprivate init(_ rollup: Rollup) {
        self.init(
            increase: rollup.increase, isEstimated: rollup.isEstimated, good: rollup.count,
            expected: rollup.expected)
    }
}

extension Counts {
    fileprivate mutating func set(_ slot: Int, _ hour: CountedHours.Slot, _ exponent: Int) {
        set(
            slot, mantissa: hour.increase, exponent: exponent, isEstimated: hour.isEstimated,
            good: hour.good, expected: hour.expected)
    }
}

/// What there is of many series in one stretch: packs, and the rows that no pack holds.
private struct CountedStretch: Sendable {
    var packs: [(index: Int, hours: CountedHours)] = []
    var rows: [CountRows.Found] = []

    static func read(
        _ series: [Int], _ grid: CountGrid, _ slots: Range<Int>, _ stretch: Int64, _ db: Database
    ) throws -> CountedStretch {
        var found = CountedStretch()
        let indices = Dictionary(uniqueKeysWithValues: series.enumerated().map { ($1, $0) })
        var untils: [Int: Int64] = [:]
        for pack in try CountedHourRows.stored(stretch, of: Set(series), db) {
            guard let hours = pack.hours, let index = indices[pack.series] else { continue }
            untils[pack.series] = pack.until
            found.packs.append((index, hours))
        }
        let rest = Dictionary(grouping: series) { untils[$0] ?? .min }
        for (until, series) in rest {
            let open = grid.slots(
                from: Timestamp(
                    milliseconds: max(until, grid.start(slots.lowerBound).milliseconds)),
                to: grid.start(slots.upperBound))
            if open.isEmpty { continue }
            found.rows += try CountRows.read(series, indices, grid, open, db)
        }
        return found
    }
}

/// Rows of many series slot by slot, as the key of the table has them.
private enum CountRows {
    struct Found: Sendable {
        var index: Int
        var slot: Int
        var value: Counts.Slot
    }

    static func read(
        _ series: [Int], _ indices: [Int: Int], _ grid: CountGrid, _ slots: Range<Int>,
        _ db: Database
    ) throws -> [Found] {
        let list = series.sorted().map(String.init).joined(separator: ",")
        let statement = try db.cachedStatement(
            sql: """
                SELECT series, count, expected, increase, estimated FROM rollup
                WHERE resolution = ? AND start = ? AND series IN (\(list))
                """)
        let code = RollupRows.code(grid.resolution)
        var found: [Found] = []
        found.reserveCapacity(slots.count * series.count)
        for slot in slots {
            let rows = try Row.fetchCursor(
                statement, arguments: [code, grid.start(slot).milliseconds])
            // The columns are read as SQLite has them: a year of a hundred meters is a million
            // rows, and each boxed value would cost more than the row.
            let cells = statement.sqliteStatement
            while try rows.next() != nil {
                guard let index = indices[Int(sqlite3_column_int64(cells, 0))] else { continue }
                let increase =
                    sqlite3_column_type(cells, 3) == SQLITE_NULL
                    ? nil : ScaledInteger(rounding: sqlite3_column_double(cells, 3))
                let expected =
                    sqlite3_column_type(cells, 2) == SQLITE_NULL
                    ? nil : Int(sqlite3_column_int64(cells, 2))
                found.append(
                    Found(
                        index: index, slot: slot,
                        value: Counts.Slot(
                            increase: increase, isEstimated: sqlite3_column_int64(cells, 4) != 0,
                            good: Int(sqlite3_column_int64(cells, 1)), expected: expected)))
            }
        }
        return found
    }
}
