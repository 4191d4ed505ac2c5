import Telemetry

/// Everything that the site has decided about its accounts.
package struct EnergyPlan: Sendable {
    package var tree: MeterTree
    package var entries: EnergyEntries
    /// In m²; nil leaves figures per area open. A built-up area to date among the entries comes first.
    package var floorArea: Exact?
    /// Heads; numbers among the entries come first.
    package var people: Exact?

    package init(
        tree: MeterTree, entries: EnergyEntries = .none, floorArea: Exact? = nil,
        people: Exact? = nil
    ) {
        self.tree = tree
        self.entries = entries
        self.floorArea = floorArea
        self.people = people
    }

    /// The mean area over a period; nil unless it is known for all of its days.
    package func area(over period: AccountingPeriod) -> Exact? {
        entries.area.steps.isEmpty ? floorArea : entries.area.mean(over: period)
    }

    /// The mean number of people over a period; nil unless it is known for all of its days.
    package func people(over period: AccountingPeriod) -> Exact? {
        entries.people.steps.isEmpty ? people : entries.people.mean(over: period)
    }
}
