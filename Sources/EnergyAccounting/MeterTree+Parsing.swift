import LocatedText
import Telemetry

/// The grammar of `meters:` in the site's configuration:
///
///     meters:
///       - { id: main,  carrier: electricity, counter: meter-main.active_energy.import.total }
///       - { id: crane, parent: main, item: special, counter: meter-crane.active_energy.import.total }
///
///     id       [a-z0-9-], once                       required
///     counter  device.point of a counter in kWh      required
///     parent   the id of another meter               optional
///     item     the end use, [a-z0-9-]                optional
///     carrier  electricity | heat | cooling          optional: the parent's, at a root `electricity`
extension MeterTree {
    /// Reads the list under `meters:`; every mistake goes to `faults`, and what is sound is kept.
    package static func parse(_ node: LocatedNode, faults: FaultCollector) -> MeterTree {
        var entries: [Entry] = []
        for element in node.list(faults) {
            guard let entry = Entry(element, faults) else { continue }
            if let first = entries.first(where: { $0.id == entry.id }) {
                faults.add(
                    entry.idLocation, "the meter '\(entry.id)' stands twice",
                    remedy: "the first is at \(first.idLocation); give one another id")
                continue
            }
            entries.append(entry)
        }
        let parents = parents(of: entries, faults)
        let carriers = Dictionary(uniqueKeysWithValues: entries.map { ($0.id, $0.carrier) })
        return MeterTree(
            entries.map { entry in
                var carrier = entry.carrier
                var above = parents[entry.id]
                while carrier == nil, let id = above {
                    carrier = carriers[id] ?? nil
                    above = parents[id]
                }
                return Meter(
                    id: entry.id, parent: parents[entry.id], item: entry.item,
                    carrier: carrier ?? defaultCarrier, counter: entry.counter,
                    location: entry.location)
            })
    }

    private static let defaultCarrier = "electricity"
    private static let carriers = ["electricity", "heat", "cooling"]

    /// The parents that exist and close no circle.
    private static func parents(of entries: [Entry], _ faults: FaultCollector) -> [String: String] {
        let ids = entries.map(\.id)
        let known = Set(ids)
        var parents: [String: String] = [:]
        for entry in entries {
            guard let (parent, location) = entry.parent else { continue }
            guard known.contains(parent) else {
                faults.add(
                    location, "no meter has the id '\(parent)'",
                    remedy: Spelling.nearest(to: parent, among: ids).map { "did you mean '\($0)'?" }
                        ?? "the meters are: \(ids.joined(separator: ", "))")
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

    /// One element of the list, as it is written.
    private struct Entry {
        let id: String
        let idLocation: Location
        let parent: (id: String, location: Location)?
        let item: String?
        let carrier: String?
        let counter: SeriesID
        let location: Location

        init?(_ node: LocatedNode, _ faults: FaultCollector) {
            var reader = MappingReader(node, faults)
            let idNode = reader.required("id")
            let id = idNode.flatMap { Self.name($0, faults) }
            let parent = reader.optional("parent").flatMap { node in
                node.string(faults).map { (id: $0, location: node.location) }
            }
            let item = reader.optional("item").flatMap { Self.name($0, faults) }
            let carrier = reader.optional("carrier")
                .flatMap { $0.word(MeterTree.carriers.map { ($0, $0) }, faults) }
            var counter: SeriesID?
            if let formula = reader.optional("formula") {
                faults.add(
                    formula.location, "calculated meters come later; this version reads counters",
                    remedy: "remove the meter, or give it a 'counter: device.point'")
                _ = reader.optional("counter")
            } else {
                counter = reader.required("counter").flatMap { Self.series($0, faults) }
            }
            reader.finish()
            guard let id, let idNode, let counter else { return nil }
            self.id = id
            idLocation = idNode.location
            self.parent = parent
            self.item = item
            self.carrier = carrier
            self.counter = counter
            location = node.location
        }

        private static func name(_ node: LocatedNode, _ faults: FaultCollector) -> String? {
            guard let text = node.string(faults) else { return nil }
            let isName =
                !text.isEmpty
                && text.utf8.allSatisfy {
                    (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
                }
            if isName { return text }
            faults.add(
                node.location, "'\(text)' is not a name",
                remedy: "small letters a to z, digits and '-'")
            return nil
        }

        private static func series(_ node: LocatedNode, _ faults: FaultCollector) -> SeriesID? {
            guard let text = node.string(faults) else { return nil }
            if let id = SeriesID(text), !text.contains(where: { $0 == " " || $0 == "/" }) {
                return id
            }
            faults.add(
                node.location, "'\(text)' is not a series",
                remedy: "device and point with a dot, 'meter-main.active_energy.import.total'")
            return nil
        }
    }
}
