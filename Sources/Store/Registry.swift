import Telemetry

/// Every scan group and series that the store knows, with the numbers it gave them.
package struct Registry: Hashable, Sendable {
    /// The group rows that new scans use: the newest of each (device, interface, name).
    package let groups: [ScanGroup]
    /// Groups whose column list has changed since; their scans are still in the journal.
    package let superseded: [ScanGroup]
    /// Where a group stands: in `groups`, or behind them in `superseded`.
    private let places: [ScanGroup.ID: Int]

    package init(groups: [ScanGroup] = [], superseded: [ScanGroup] = []) {
        self.groups = groups
        self.superseded = superseded
        places = Dictionary(
            (groups + superseded).enumerated().map { ($0.element.id, $0.offset) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The current series of this name; nil when no current group holds it.
    package func series(_ id: SeriesID) -> Series? {
        for group in groups where group.device == id.device {
            if let series = group.series.first(where: { $0.id == id }) { return series }
        }
        return nil
    }

    /// The current group that holds a series.
    package func group(of id: SeriesID) -> ScanGroup? {
        groups.first { $0.device == id.device && $0.series.contains { $0.id == id } }
    }

    /// A group by its number, current or superseded.
    package func group(_ id: ScanGroup.ID) -> ScanGroup? { look(at: id) { $0 } }

    /// Reads of a group in place: a copy of one counts each of its references.
    private func look<Value>(at id: ScanGroup.ID, _ read: (ScanGroup) -> Value) -> Value? {
        guard let place = places[id] else { return nil }
        return place < groups.count ? read(groups[place]) : read(superseded[place - groups.count])
    }

    /// How many columns a group has; nil for an unknown one.
    func width(of id: ScanGroup.ID) -> Int? { look(at: id) { $0.series.count } }

    /// How often a group reports and how late it may; nil for an unknown one.
    func times(of id: ScanGroup.ID) -> (period: Duration?, lateness: Duration)? {
        look(at: id) { ($0.period, $0.lateness) }
    }

    /// The same groups with their numbers; nil unless every one of them is current, in every detail.
    func numbered(_ groups: [ScanGroup]) -> [ScanGroup]? {
        let known = Dictionary(self.groups.map { ($0.scope, $0) }) { first, _ in first }
        var numbered: [ScanGroup] = []
        for group in groups {
            guard let current = known[group.scope], current.series.count == group.series.count
            else { return nil }
            var same = group
            same.id = current.id
            for index in same.series.indices {
                same.series[index].number = current.series[index].number
            }
            guard same == current else { return nil }
            numbered.append(same)
        }
        return numbered
    }
}
