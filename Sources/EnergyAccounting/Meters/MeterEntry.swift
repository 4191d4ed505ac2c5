import LocatedText
import Telemetry

/// One element of `meters:`, as it is written.
struct MeterEntry {
    let id: String
    let idLocation: Location
    let parent: (id: String, location: Location)?
    let title: LocalizedText?
    let item: String?
    let zone: String?
    let machine: String?
    let organisation: [String]
    let carrier: Carrier?
    let role: Meter.Role
    let source: Meter.Source
    let accuracy: Exact?
    let area: Exact?
    let location: Location
    private let limitNode: LocatedNode?

    private static let mostLevels = 4

    init?(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        let idNode = reader.required("id")
        let id = idNode.flatMap { $0.name(faults) }
        parent = reader.optional("parent").flatMap { node in
            node.string(faults).map { (id: $0, location: node.location) }
        }
        title = reader.optional("title").flatMap { LocalizedText.parse($0, faults) }
        item = reader.optional("item").flatMap { $0.name(faults) }
        zone = reader.optional("zone").flatMap { $0.name(faults) }
        machine = reader.optional("machine").flatMap { $0.name(faults) }
        organisation = reader.optional("organisation").map { Self.levels($0, faults) } ?? []
        carrier = reader.optional("carrier")
            .flatMap { $0.word(Carrier.allCases.map { ($0.rawValue, $0) }, faults) }
        role =
            reader.optional("role")
            .flatMap { $0.word(Meter.Role.allCases.map { ($0.rawValue, $0) }, faults) }
            ?? .consumption
        accuracy = reader.optional("accuracy").flatMap { Self.accuracy($0, faults) }
        area = reader.optional("area").flatMap { Self.area($0, faults) }
        limitNode = reader.optional("limit")
        let source = Self.source(&reader, node.location, faults)
        reader.finish()
        guard let id, let idNode, let source else { return nil }
        self.id = id
        idLocation = idNode.location
        self.source = source
        location = node.location
    }

    /// What the connection can carry an hour, once the carrier is known.
    func limit(for carrier: Carrier, _ faults: FaultCollector) -> Exact? {
        let unit = carrier.unit == "kWh" ? "kW" : "\(carrier.unit)/h"
        guard let node = limitNode, let limit = node.exact(unit: unit, faults) else { return nil }
        if Exact.zero < limit { return limit }
        faults.add(node.location, "a connection that carries nothing needs no meter")
        return nil
    }

    private static func source(
        _ reader: inout MappingReader, _ location: Location, _ faults: FaultCollector
    ) -> Meter.Source? {
        let nodes = ["counter", "formula", "share", "entries"].compactMap { key in
            reader.optional(key).map { (key: key, node: $0) }
        }
        guard let first = nodes.first else {
            faults.add(
                location, "'counter' is missing",
                remedy: "add 'counter: device.point', or 'formula', 'share' or 'entries: true'")
            return nil
        }
        if nodes.count > 1 {
            faults.add(
                nodes[1].node.location, "'\(first.key)' and '\(nodes[1].key)' stand together",
                remedy: "a meter has one of counter, formula, share and entries")
        }
        switch first.key {
        case "counter": return series(first.node, faults).map { .counter($0) }
        case "formula": return MeterFormula.parse(first.node, faults).map { .formula($0) }
        case "share": return MeterFormula.parseShare(first.node, faults).map { .formula($0) }
        default:
            if first.node.bool(faults) == true { return .entries }
            faults.add(
                first.node.location, "'entries' says 'true', or is left out",
                remedy: "add 'counter: device.point'")
            return nil
        }
    }

    private static func levels(_ node: LocatedNode, _ faults: FaultCollector) -> [String] {
        let levels = node.list(faults).compactMap { $0.string(faults) }
        if levels.count <= mostLevels { return levels }
        faults.add(
            node.location, "an organisation has at most \(mostLevels) levels here",
            remedy: "for example [group, company, building, tenant]")
        return Array(levels.prefix(mostLevels))
    }

    private static func accuracy(_ node: LocatedNode, _ faults: FaultCollector) -> Exact? {
        guard let value = node.exact(faults) else { return nil }
        if Exact.zero < value, value <= Exact(10) { return value }
        faults.add(
            node.location, "an accuracy class is a per cent between 0 and 10",
            remedy: "for example 'accuracy: 0.5'")
        return nil
    }

    private static func area(_ node: LocatedNode, _ faults: FaultCollector) -> Exact? {
        guard let value = node.exact(unit: "m2", faults) else { return nil }
        if Exact.zero < value { return value }
        faults.add(
            node.location, "an area is above 0 m2",
            remedy: "leave 'area' out where the floor is not known")
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
