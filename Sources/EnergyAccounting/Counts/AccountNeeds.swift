import Telemetry

/// What has to be read from the store before accounts can be made.
package struct AccountNeeds: Hashable, Sendable {
    /// Where a counter's register is wanted, and around which instant.
    package struct Register: Hashable, Sendable {
        package var series: SeriesID
        package var at: Timestamp

        package init(series: SeriesID, at: Timestamp) {
            self.series = series
            self.at = at
        }
    }

    package var grid: CountGrid
    /// The counters, each once.
    package var series: [SeriesID]
    package var registers: [Register]

    /// The needs of a tree with people's entries, on one grid.
    package init(tree: MeterTree, entries: EnergyEntries, grid: CountGrid) {
        self.grid = grid
        var seen: Set<SeriesID> = []
        series = tree.meters.compactMap(\.counter).filter { seen.insert($0).inserted }
        registers = []
        guard let first = grid.bounds.first, let last = grid.bounds.last else { return }
        // An exchange outside the grid can still reach into it, as far as a register is looked for.
        let (from, to) = (first - Self.reach, last + Self.reach)
        registers = entries.exchanges.compactMap { one in
            guard from <= one.at, one.at < to, let series = tree[one.meter]?.counter else {
                return nil
            }
            return Register(series: series, at: one.at)
        }
    }

    /// How far before and after an instant a register is looked for.
    package static let reach = Duration.seconds(45 * 86_400)
}

/// What the store gave.
package struct AccountData: Sendable {
    /// On the grid of the needs; a series that is not there has no counts at all.
    package var counts: [SeriesID: Counts]
    package var registers: [AccountNeeds.Register: CounterRegisters]

    package init(
        counts: [SeriesID: Counts] = [:],
        registers: [AccountNeeds.Register: CounterRegisters] = [:]
    ) {
        self.counts = counts
        self.registers = registers
    }
}
