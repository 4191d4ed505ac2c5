import Alarms
import EnergyAccounting
import LocatedText
import Store
import Telemetry
import WebAPI

extension SiteConfiguration {
    /// Reads a configuration and the rule files that it includes.
    ///
    /// Reading goes on after each mistake, with a stand-in for what could not be read, so that one
    /// run shows them all; the result is good only if `faults` is empty.
    ///
    /// - Parameters:
    ///   - file: the path, for messages and for what the text includes.
    ///   - readFile: gives the text of an included path, relative to the including file.
    /// - Returns: nil when the text is not YAML at all.
    package static func parse(
        _ text: String, file: String, faults: FaultCollector,
        readFile: (String) throws -> String
    ) -> SiteConfiguration? {
        do {
            return parse(try LocatedNode.parse(text, file: file), faults, readFile)
        } catch {
            faults.add(error)
            return nil
        }
    }

    private static func parse(
        _ root: LocatedNode, _ faults: FaultCollector, _ readFile: (String) throws -> String
    ) -> SiteConfiguration {
        var reader = MappingReader(root, faults)
        let site = reader.required("site").map { Site.parse($0, faults) } ?? .standIn
        let data = reader.required("data").map { Data.parse($0, faults) } ?? Data(directory: "")
        var trust = ClockTrust.kernel
        var confirmation: Duration?
        if let node = reader.optional("clock") {
            var clock = MappingReader(node, faults)
            trust =
                clock.required("trust")?.word(ClockTrust.allCases.map { ($0.rawValue, $0) }, faults)
                ?? .kernel
            confirmation = clock.optional("confirmation")?.duration(faults)
            clock.finish()
        }
        let links = (reader.required("links")?.list(faults) ?? []).map {
            Link.parse($0, faults)
        }
        let meters = reader.optional("meters").map { MeterTree.parse($0, faults: faults) } ?? .empty
        let energy = energy(
            reader.optional("energy"), tree: meters, site: site, faults, readFile)
        let alarms = rules(reader.optional("alarms"), faults, readFile)
        let circumstances = (reader.optional("circumstances")?.list(faults) ?? []).compactMap {
            Circumstance.parse($0, faults)
        }
        let cranes = reader.optional("cranes").flatMap { Cranes.parse($0, faults, readFile) }
        let feeds = (reader.optional("feeds")?.list(faults) ?? []).compactMap {
            Feed.parse($0, faults)
        }
        let evidence = (reader.optional("evidence")?.list(faults) ?? []).compactMap {
            Evidence.parse($0, faults)
        }
        let sprays = (reader.optional("sprays")?.list(faults) ?? []).compactMap {
            Spray.parse(
                $0, rules: alarms.filter(\.isEnabled).map(\.name), circumstances: circumstances,
                faults)
        }
        let instructions = reader.optional("instructions").flatMap {
            InstructionTopic.parse($0, faults)
        }
        let uplinks = (reader.optional("uplinks")?.list(faults) ?? []).flatMap {
            Uplink.parse(entry: $0, faults, readFile)
        }
        var listen = Endpoint(host: "127.0.0.1", port: 8420)
        var tokens = AccessTokens.none
        if let node = reader.optional("api") {
            var api = MappingReader(node, faults)
            if let address = api.required("listen") {
                listen = Endpoint.parse(address, scheme: nil, defaultPort: 8420, faults) ?? listen
            }
            if let node = api.optional("tokens") { tokens = Self.tokens(node, faults, readFile) }
            api.finish()
        }
        reader.finish()
        refuseDoubles(links.map { ($0.id, $0.location) }, "link", faults)
        refuseDoubles(
            links.flatMap(\.devices).map { ($0.id.text, $0.location) }, "device", faults)
        refuseDoubles(uplinks.map { ($0.id, $0.location) }, "uplink", faults)
        refuseDoubles(sprays.map { ($0.id, $0.location) }, "spray", faults)
        refuseDoubles(feeds.map { ($0.id, $0.location) }, "feed", faults)
        return SiteConfiguration(
            site: site, data: data, clockTrust: trust, clockConfirmation: confirmation,
            links: links, energy: energy, alarms: alarms, circumstances: circumstances,
            cranes: cranes, feeds: feeds, evidence: evidence,
            sprays: sprays, instructions: instructions, uplinks: uplinks, listen: listen,
            tokens: tokens)
    }

    private static func tokens(
        _ node: LocatedNode, _ faults: FaultCollector, _ readFile: (String) throws -> String
    ) -> AccessTokens {
        node.file(faults, readFile, more: "'plumbline token' makes a line for it") {
            try AccessTokens($0, file: $1)
        } ?? .none
    }

    private static func refuseDoubles(
        _ names: [(String, Location)], _ what: String, _ faults: FaultCollector
    ) {
        var seen: [String: Location] = [:]
        for (name, location) in names {
            if let first = seen[name] {
                faults.add(
                    location, "the \(what) '\(name)' stands twice, first at \(first)",
                    remedy: "give each \(what) a name of its own")
            }
            seen[name] = seen[name] ?? location
        }
    }
}

extension SiteConfiguration.Site {
    /// Stands in for a site that could not be read.
    static let standIn = Self(
        id: SiteID("-"), name: "-", timezone: "UTC", phase: "operation", floorArea: nil,
        occupants: nil)

    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self {
        var reader = MappingReader(node, faults)
        let id = reader.required("id")?.identifier(faults)
        let name = reader.required("name")?.string(faults)
        let zone = reader.required("timezone")
        var timezone = zone?.string(faults) ?? "UTC"
        if let zone, SiteCalendar(systemZone: timezone) == nil {
            faults.add(
                zone.location, "the time zone '\(timezone)' is not known on this machine",
                remedy: "an IANA name, for example Asia/Shanghai")
            timezone = "UTC"
        }
        let phases = ["construction", "operation"].map { ($0, $0) }
        let phase = reader.optional("phase")?.word(phases, faults) ?? "operation"
        var floorArea: Double?
        if let area = reader.optional("floor_area"), let (value, unit) = area.quantity(faults) {
            if unit == "m2", value > 0 {
                floorArea = value
            } else {
                faults.add(
                    area.location, "a floor area is a positive number of m2",
                    remedy: "for example '103000 m2'")
            }
        }
        let occupants = reader.optional("occupants")?.int(faults)
        reader.finish()
        return Self(
            id: SiteID(id ?? "-"), name: name ?? "-", timezone: timezone, phase: phase,
            floorArea: floorArea, occupants: occupants)
    }
}

extension SiteConfiguration.Data {
    private static let smallestStore: Int64 = 64 << 20

    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self {
        var reader = MappingReader(node, faults)
        let directory = reader.required("directory")?.string(faults)
        var data = Self(directory: directory ?? "")
        if let node = reader.optional("durability") {
            data.durability =
                node.word(Durability.allCases.map { ($0.rawValue, $0) }, faults) ?? .power
        }
        if let node = reader.optional("commit_interval"), let interval = node.duration(faults) {
            if interval >= .milliseconds(10), interval <= .seconds(60) {
                data.commitInterval = interval
            } else {
                faults.add(
                    node.location, "the commit interval must lie between 10 ms and 1 min")
            }
        }
        if let node = reader.optional("max_size"), let bytes = node.byteCount(faults) {
            if bytes >= Self.smallestStore {
                data.maximumBytes = bytes
            } else {
                faults.add(
                    node.location, "the store needs at least 64 MiB",
                    remedy: "'8 GiB' keeps a year of 500 readings a second")
            }
        }
        if let node = reader.optional("retention") {
            var retention = MappingReader(node, faults)
            func span(_ key: String, _ fallback: Duration) -> Duration {
                retention.optional(key)?.duration(faults) ?? fallback
            }
            data.retention.raw = span("raw", data.retention.raw)
            data.retention.minute = span("1min", data.retention.minute)
            data.retention.quarterHour = span("15min", data.retention.quarterHour)
            data.retention.hour = span("1h", data.retention.hour)
            data.retention.day = span("1d", data.retention.day)
            retention.finish()
        }
        reader.finish()
        return data
    }
}

extension LocatedNode {
    /// A name of the form `[a-z0-9-]`.
    func identifier(_ faults: FaultCollector) -> String? {
        guard let text = string(faults) else { return nil }
        let isGood =
            !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
            }
        if isGood { return text }
        faults.add(
            location, "'\(text)' is not a name",
            remedy: "1 to 64 of the letters a-z, digits and '-'")
        return nil
    }
}
