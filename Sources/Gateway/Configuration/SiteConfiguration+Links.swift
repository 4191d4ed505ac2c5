import LocatedText
import Telemetry

extension SiteConfiguration.Endpoint {
    /// Reads `scheme://host:port`, or `host:port` where no scheme is asked for.
    static func parse(
        _ node: LocatedNode, scheme: String?, defaultPort: Int, _ faults: FaultCollector
    ) -> Self? {
        guard let text = node.string(faults) else { return nil }
        var rest = Substring(text)
        let form = (scheme.map { "\($0)://" } ?? "") + "HOST:\(defaultPort)"
        if let scheme {
            guard rest.hasPrefix("\(scheme)://") else {
                faults.add(
                    node.location, "'\(text)' is not an address of this kind",
                    remedy: "write it as '\(form)'")
                return nil
            }
            rest = rest.dropFirst(scheme.count + 3)
        }
        var host = String(rest)
        var port: Int? = defaultPort
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            let tail = rest[rest.index(after: end)...]
            if !tail.isEmpty { port = tail.first == ":" ? Int(tail.dropFirst()) : nil }
        } else if let colon = rest.lastIndex(of: ":") {
            host = String(rest[..<colon])
            port = Int(rest[rest.index(after: colon)...])
        }
        guard let port, (0...65_535).contains(port), !host.isEmpty, !host.contains("/") else {
            faults.add(
                node.location, "'\(text)' is not an address", remedy: "write it as '\(form)'")
            return nil
        }
        return Self(host: host, port: port)
    }
}

extension SiteConfiguration.Link {
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self {
        var reader = MappingReader(node, faults)
        let id = reader.required("id")?.identifier(faults)
        // One line may carry several protocols, so all of these name a bus.
        let buses = ["bus", "modbus", "dlt645", "cjt188"].compactMap { reader.optional($0) }
        let mqtt = reader.optional("mqtt")
        var hj212: SiteConfiguration.HJ212?
        if let address = reader.optional("hj212") {
            hj212 = SiteConfiguration.HJ212.parse(at: address, &reader, faults)
        }
        let fields = BrokerFields(hj212 == nil ? BrokerFields.link : [], in: &reader)
        let lateness = reader.optional("lateness")?.duration(faults)
        let devices = (reader.required("devices")?.list(faults) ?? []).compactMap {
            SiteConfiguration.Device.parse($0, faults)
        }
        reader.finish()
        let transport: SiteConfiguration.Transport
        if let hj212, buses.isEmpty, mqtt == nil {
            transport = .hj212(hj212)
        } else {
            transport = Self.transport(
                buses: hj212 == nil ? buses : [], mqtt: hj212 == nil ? mqtt : nil, fields, node,
                faults)
        }
        return Self(
            id: id ?? "-", transport: transport, lateness: lateness, devices: devices,
            location: node.location)
    }

    private static func transport(
        buses: [LocatedNode], mqtt: LocatedNode?, _ fields: BrokerFields, _ node: LocatedNode,
        _ faults: FaultCollector
    ) -> SiteConfiguration.Transport {
        if mqtt == nil { fields.refuse(faults) }
        switch (buses.count, mqtt) {
        case (1, nil): return .bus(BusAddress.parse(buses[0], faults) ?? .standIn)
        case (0, let address?): return .mqtt(fields.link(at: address, faults))
        default:
            faults.add(
                node.location, "a link has one address",
                remedy: "one of 'modbus: tcp://HOST:502', 'mqtt: mqtt://HOST:1883' and "
                    + "'hj212: listen://0.0.0.0:9212'")
            return .bus(.standIn)
        }
    }
}

extension SiteConfiguration.Name {
    /// One text for both languages, or `{ en: …, zh: … }`.
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self? {
        if case .mapping = node.content {
            var reader = MappingReader(node, faults)
            let en = reader.required("en")?.string(faults)
            let zh = reader.required("zh")?.string(faults)
            reader.finish()
            guard let en, let zh else { return nil }
            return Self(en: en, zh: zh)
        }
        return node.string(faults).map { Self(en: $0, zh: $0) }
    }
}

extension SiteConfiguration.Device {
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self? {
        var reader = MappingReader(node, faults)
        let id = reader.required("id")?.identifier(faults)
        let profile = reader.required("profile")?.string(faults)
        let name = reader.optional("name").flatMap { SiteConfiguration.Name.parse($0, faults) }
        let interface = reader.optional("interface")?.string(faults)
        var unit: Int?
        if let node = reader.optional("unit"), let value = node.int(faults) {
            if (0...255).contains(value) {
                unit = value
            } else {
                faults.add(node.location, "a unit id lies between 0 and 255")
            }
        }
        let key = reader.optional("key")?.string(faults)
        func points(_ key: String) -> [PointKey] {
            (reader.optional(key)?.list(faults) ?? []).compactMap {
                $0.string(faults).map { PointKey($0) }
            }
        }
        let commands = points("commands")
        let personal = points("personal")
        let area = reader.optional("area")?.string(faults)
        let checksIdentity = reader.optional("identify")?.bool(faults) ?? true
        var parameters: [String: Double] = [:]
        for entry in reader.optional("params")?.entries(faults) ?? [] {
            parameters[entry.key] = entry.value.double(faults)
        }
        reader.finish()
        guard let profile else { return nil }
        return Self(
            id: DeviceID(id ?? "-"), name: name, profile: profile, interface: interface, unit: unit,
            key: key, parameters: parameters, commands: commands, personal: personal, area: area,
            checksIdentity: checksIdentity, location: node.location)
    }
}
