import LocatedText
import Telemetry

/// The grammar of `meters:` in the site's configuration:
///
///     meters:
///       - { id: main,  carrier: electricity, counter: meter-main.active_energy.import.total }
///       - { id: crane, parent: main, item: special, zone: plant, machine: crane, counter: … }
///       - { id: pv,    role: generation, counter: pv-1.active_energy.export.total }
///       - { id: rest,  parent: main, formula: main - plant - office }
///       - { id: tenant-a, share: { of: common, by: area, part: 350 m2, whole: 1200 m2 } }
///       - { id: generator, carrier: diesel, entries: true }
///
///     id            [a-z0-9-], once                                          required
///     counter       device.point of a counter in the carrier's unit     ┐
///     formula       other meters of one unit (`MeterFormula`)           │ exactly one
///     share         { of, by: area | people, part, whole }              │ of these
///     entries       true: people write down what was delivered          ┘
///     parent        the id of another meter
///     carrier       electricity | water | …; else the parent's, at a root `electricity`
///     role          consumption | generation | export; else consumption
///     item, zone, machine   [a-z0-9-]; item and zone are the parent's unless said
///     organisation  up to four names, the largest first
///     limit         what the connection can carry, `630 kW`, `20 m3/h`
///     accuracy      the class, in per cent
///     area          the floor that it supplies, `350 m2`, for its rank among its peers
///     title         { en: …, zh: … }
extension MeterTree {
    /// Reads the list under `meters:`; every mistake goes to `faults`, and what is sound is kept.
    package static func parse(_ node: LocatedNode, faults: FaultCollector) -> MeterTree {
        var entries: [MeterEntry] = []
        for element in node.list(faults) {
            guard let entry = MeterEntry(element, faults) else { continue }
            if let first = entries.first(where: { $0.id == entry.id }) {
                faults.add(
                    entry.idLocation, "the meter '\(entry.id)' stands twice",
                    remedy: "the first is at \(first.idLocation); give one another id")
                continue
            }
            entries.append(entry)
        }
        let parents = parents(of: entries, faults)
        let carriers = carriers(of: entries, parents)
        let tree = MeterTree(
            entries.map { entry in
                var meter = Meter(
                    id: entry.id, parent: parents[entry.id], item: entry.item,
                    carrier: carriers[entry.id] ?? .electricity, role: entry.role,
                    source: entry.source, location: entry.location)
                meter.title = entry.title
                meter.zone = entry.zone
                meter.machine = entry.machine
                meter.organisation = entry.organisation
                meter.accuracy = entry.accuracy
                meter.area = entry.area
                meter.limit = entry.limit(for: meter.carrier, faults)
                return meter
            })
        return tree.withoutBadSources(faults)
    }

    private static func carriers(
        of entries: [MeterEntry], _ parents: [String: String]
    ) -> [String: Carrier] {
        let own = Dictionary(uniqueKeysWithValues: entries.map { ($0.id, $0.carrier) })
        var carriers: [String: Carrier] = [:]
        for entry in entries {
            var carrier = entry.carrier
            var above = parents[entry.id]
            while carrier == nil, let id = above {
                carrier = own[id] ?? nil
                above = parents[id]
            }
            carriers[entry.id] = carrier ?? .electricity
        }
        return carriers
    }

    /// The parents that exist and close no circle.
    private static func parents(
        of entries: [MeterEntry], _ faults: FaultCollector
    ) -> [String: String] {
        let ids = entries.map(\.id)
        let known = Set(ids)
        var parents: [String: String] = [:]
        for entry in entries {
            guard let (parent, location) = entry.parent else { continue }
            guard known.contains(parent) else {
                faults.add(unknown(parent, at: location, among: ids))
                continue
            }
            // Entries are linked one by one, so a circle is closed by exactly one link.
            var path = [entry.id]
            var above: String? = parent
            while let id = above, id != entry.id {
                path.append(id)
                above = parents[id]
            }
            if above == entry.id {
                faults.add(
                    location,
                    "a meter cannot stand below itself: "
                        + (path + [entry.id]).joined(separator: " below "),
                    remedy: "remove one 'parent:' of the circle")
                continue
            }
            parents[entry.id] = parent
        }
        return parents
    }

    private static func unknown(_ id: String, at location: Location, among ids: [String]) -> Faults
    {
        Faults([
            Fault(
                location, "no meter has the id '\(id)'",
                remedy: Spelling.nearest(to: id, among: ids).map { "did you mean '\($0)'?" }
                    ?? "the meters are: \(ids.joined(separator: ", "))")
        ])
    }

    /// Refuses formulas that name nobody, close a circle or mix units, parents of another unit,
    /// and counters of what no counter counts; formulas that are refused count as entries, so that
    /// the tree stays one.
    private func withoutBadSources(_ faults: FaultCollector) -> MeterTree {
        var bad: Set<String> = []
        let ids = meters.map(\.id)
        for meter in meters {
            if let parent = meter.parent.flatMap({ self[$0] }), parent.carrier != meter.carrier {
                faults.add(
                    meter.location,
                    "'\(meter.id)' counts \(meter.carrier.rawValue), its parent '\(parent.id)' "
                        + parent.carrier.rawValue,
                    remedy: "a child has the carrier of its parent")
            }
            if case .counter = meter.source, meter.carrier.counterUnit == nil {
                faults.add(
                    meter.location, "no counter counts \(meter.carrier.rawValue)",
                    remedy: "write 'entries: true' and enter what was delivered")
            }
            guard case .formula(let formula) = meter.source else { continue }
            for term in formula.terms {
                guard let other = self[term.meter] else {
                    faults.add(Self.unknown(term.meter, at: meter.location, among: ids))
                    bad.insert(meter.id)
                    continue
                }
                if other.carrier.unit != meter.carrier.unit {
                    faults.add(
                        meter.location,
                        "'\(meter.id)' is in \(meter.carrier.unit), '\(other.id)' in "
                            + other.carrier.unit,
                        remedy: "a formula adds meters of one unit")
                }
            }
            if let path = circle(from: meter.id, without: bad) {
                faults.add(
                    meter.location,
                    "a meter cannot be part of itself: " + path.joined(separator: " of "),
                    remedy: "remove one of these from its formula")
                bad.insert(meter.id)
            }
        }
        guard !bad.isEmpty else { return self }
        return MeterTree(meters.map { bad.contains($0.id) ? $0.withoutSource : $0 })
    }

    /// The way from a meter through formulas back to itself; nil when there is none.
    private func circle(from id: String, without bad: Set<String>) -> [String]? {
        var open = [[id]]
        var seen: Set<String> = []
        while let path = open.popLast() {
            guard let last = path.last, !bad.contains(last),
                case .formula(let formula)? = self[last]?.source
            else { continue }
            for term in formula.terms {
                if term.meter == id { return path + [id] }
                if seen.insert(term.meter).inserted { open.append(path + [term.meter]) }
            }
        }
        return nil
    }
}

extension Meter {
    fileprivate var withoutSource: Meter {
        var copy = Meter(
            id: id, parent: parent, item: item, carrier: carrier, role: role, source: .entries,
            location: location)
        copy.title = title
        return copy
    }
}
