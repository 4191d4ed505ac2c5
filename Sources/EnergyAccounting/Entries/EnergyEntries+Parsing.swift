import LocatedText
import Telemetry

/// The grammar of `energy-entries/1`, the file that people write in:
///
///     format: energy-entries/1
///     entries:
///       - { exchange: main, at: 2026-03-01T10:00:00+08:00, old_end: 84213.4, new_start: 0, reason: …, by: … }
///       - { ratio: main, at: …, from: 40, to: 60, register: 812.55, reason: …, by: … }
///       - { rescale: main, from: …, to: …, was: 40, is: 60, reason: …, by: … }
///       - { adjust: main, from: …, to: …, amount: -12.5, source: measured, reason: …, by: … }
///       - { delivered: generator, first: 2026-03-01, last: 2026-03-31, amount: 1200, source: bill, by: … }
///       - { area: 8000 m2, from: 2026-01-01 }
///       - { people: 120, from: 2026-01-01 }
///       - { output: 350, month: 2026-03 }                              10⁴ yuan
///       - { produced: concrete, unit: m3, amount: 1200, month: 2026-03 }
///       - { repair: main, from: …, to: …, reason: …, by: … }
///       - { certificate: main, number: …, issued: 2026-01-05, due: 2027-01-04, by: … }
///
/// The first key says what the entry is. Registers and amounts are in the unit of the meter's
/// carrier; `ratio` is an exchange at which the register goes on and its factor changes, and
/// `register` its value before the factor. Instants are RFC 3339 with an offset.
extension EnergyEntries {
    private static let kinds = [
        "exchange", "ratio", "rescale", "adjust", "delivered", "area", "people", "output",
        "produced", "repair", "certificate",
    ]

    /// Reads a file of entries; all its mistakes at once.
    package static func parse(_ text: String, file: String) throws(Faults) -> EnergyEntries {
        let faults = FaultCollector()
        let root = try LocatedNode.parse(text, file: file)
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([("energy-entries/1", ())], faults)
        let nodes = reader.optional("entries")?.list(faults) ?? []
        reader.finish()
        var entries = EnergyEntries()
        var steps = (area: [Dated](), people: [Dated]())
        for node in nodes {
            guard let kind = node.entries(faults).first(where: { kinds.contains($0.key) })?.key
            else {
                faults.add(
                    node.location, "nobody knows what this entry is",
                    remedy: "it begins with one of \(kinds.joined(separator: ", "))")
                continue
            }
            var entry = EntryReader(node, kind, faults)
            switch kind {
            case "exchange": entries.exchanges += entry.exchange().map { [$0] } ?? []
            case "ratio": entries.exchanges += entry.ratio().map { [$0] } ?? []
            case "rescale": entries.rescalings += entry.rescaling().map { [$0] } ?? []
            case "adjust": entries.adjustments += entry.adjustment().map { [$0] } ?? []
            case "delivered": entries.deliveries += entry.delivery().map { [$0] } ?? []
            case "area": steps.area += entry.dated(unit: "m2").map { [$0] } ?? []
            case "people": steps.people += entry.dated(unit: nil).map { [$0] } ?? []
            case "output":
                if let (month, amount) = entry.output() { entries.output[month] = amount }
            case "produced": entries.productions += entry.production().map { [$0] } ?? []
            case "repair": entries.repairs += entry.repair().map { [$0] } ?? []
            default: entries.certificates += entry.certificate().map { [$0] } ?? []
            }
            entry.finish()
        }
        refuseDoubles(steps.area, "area", faults)
        refuseDoubles(steps.people, "number of people", faults)
        entries.area = DatedSteps(steps.area.map(\.step))
        entries.people = DatedSteps(steps.people.map(\.step))
        entries.refuseContradictions(faults)
        try faults.throwIfAny()
        return entries
    }

    private static func refuseDoubles(_ steps: [Dated], _ what: String, _ faults: FaultCollector) {
        var seen: Set<CivilDate> = []
        for step in steps where !seen.insert(step.step.from).inserted {
            faults.add(
                step.location, "two entries give the \(what) from \(step.step.from)",
                remedy: "keep one of them")
        }
    }

    /// Two exchanges of one meter at one instant, and deliveries that lie in each other.
    private func refuseContradictions(_ faults: FaultCollector) {
        var seen: Set<String> = []
        for one in exchanges where !seen.insert("\(one.meter) \(one.at.milliseconds)").inserted {
            faults.add(
                one.note.location, "'\(one.meter)' is exchanged twice at one instant",
                remedy: "keep one of the entries")
        }
        let byMeter = Dictionary(grouping: deliveries, by: \.meter)
        for (_, list) in byMeter.sorted(by: { $0.key < $1.key }) {
            let sorted = list.sorted { ($0.first, $0.last) < ($1.first, $1.last) }
            for (a, b) in zip(sorted, sorted.dropFirst())
            where b.first <= a.last && !(a.first == a.last && b.first == b.last) {
                faults.add(
                    b.note.location,
                    "the delivery from \(b.first) lies in the one from \(a.first) to \(a.last)",
                    remedy: "give each its own days")
            }
        }
    }

    /// Says which entries name a meter that is not there, or the wrong kind of one.
    package func bindingFaults(tree: MeterTree) -> [Fault] {
        let ids = tree.meters.map(\.id)
        func find(_ id: String, _ note: EntryNote) -> (Meter?, [Fault]) {
            if let meter = tree[id] { return (meter, []) }
            return (
                nil,
                [
                    Fault(
                        note.location, "no meter has the id '\(id)'",
                        remedy: Spelling.nearest(to: id, among: ids).map { "did you mean '\($0)'?" }
                            ?? "the meters are: \(ids.joined(separator: ", "))")
                ]
            )
        }
        var faults: [Fault] = []
        let counted =
            exchanges.map { ($0.meter, $0.note) } + rescalings.map { ($0.meter, $0.note) }
        for (id, note) in counted {
            let (meter, found) = find(id, note)
            faults += found
            if let meter, meter.counter == nil {
                faults.append(
                    Fault(
                        note.location, "'\(id)' has no counter that could be exchanged or rescaled",
                        remedy: "name the meter with the counter"))
            }
        }
        for delivery in deliveries {
            let (meter, found) = find(delivery.meter, delivery.note)
            faults += found
            if let meter, meter.source != .entries {
                faults.append(
                    Fault(
                        delivery.note.location, "'\(meter.id)' counts by itself",
                        remedy: "'adjust' changes what a counter says; 'delivered' is for "
                            + "meters with 'entries: true'"))
            }
        }
        for adjustment in adjustments {
            let (meter, found) = find(adjustment.meter, adjustment.note)
            faults += found
            if let meter, case .formula = meter.source {
                faults.append(
                    Fault(
                        adjustment.note.location, "'\(meter.id)' is calculated from others",
                        remedy: "adjust one of the meters that it is calculated from"))
            }
        }
        for (id, note) in repairs.map({ ($0.meter, $0.note) })
            + certificates.map({ ($0.meter, $0.note) })
        {
            faults += find(id, note).1
        }
        return faults
    }

    /// One step and where it stands.
    struct Dated {
        var step: DatedSteps<Exact>.Step
        var location: Location
    }
}
