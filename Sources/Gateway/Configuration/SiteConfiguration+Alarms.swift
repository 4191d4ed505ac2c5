import Alarms
import LocatedText
import Telemetry

//  alarms:
//    - include: alarms/dust.yaml
//      enable: [pm10_hourly]              rules that are off until the site turns them on
//      disable: [pm10_15min_aligned]
//      names: { background: city-1 }      devices that rules name, as this site calls them
//  circumstances:                         what people say of the site; rules may ask for it
//    - { id: pollution_level, title: { en: …, zh: … }, states: [none, yellow, orange, red] }
//  instructions:                          what people want done may come over MQTT too
//    mqtt: mqtt://127.0.0.1:1883          with the keys of a broker
//    topic: plumbline/hz-qt-0172/instructions

extension SiteConfiguration {
    /// Something that people say of the site, and that holds until they take it back.
    package struct Circumstance: Hashable, Sendable {
        /// `[a-z0-9_]`: the point of the device `site` of which rules ask.
        package var id: String
        package var title: LocalizedText
        /// The words that may be said; the first holds until somebody says another.
        package var states: [String]
    }

    /// Where instructions come from besides the API.
    package struct InstructionTopic: Hashable, Sendable {
        package var broker: Broker
        /// Instructions come at `<topic>/give`, answers go to `<topic>/done`.
        package var topic: String
    }

    /// Reads the rule files that a site includes, and what it changes about them.
    static func rules(
        _ node: LocatedNode?, _ faults: FaultCollector, _ readFile: (String) throws -> String
    ) -> [AlarmRule] {
        var rules: [AlarmRule] = []
        for entry in node?.list(faults) ?? [] {
            var reader = MappingReader(entry, faults)
            let include = reader.required("include")
            let enable = reader.optional("enable")?.list(faults) ?? []
            let disable = reader.optional("disable")?.list(faults) ?? []
            let names = reader.optional("names")?.entries(faults) ?? []
            reader.finish()
            let file = include?.file(faults, readFile) { try AlarmRuleFile.parse($0, file: $1) }
            guard var found = file else { continue }
            turn(enable, on: true, &found, faults)
            turn(disable, on: false, &found, faults)
            let devices = Dictionary(
                names.compactMap { entry in
                    entry.value.string(faults).map { (DeviceID(entry.key), DeviceID($0)) }
                }, uniquingKeysWith: { first, _ in first })
            rules += found.map { $0.renaming(devices) }
        }
        return rules
    }

    private static func turn(
        _ names: [LocatedNode], on isOn: Bool, _ rules: inout [AlarmRule], _ faults: FaultCollector
    ) {
        for node in names {
            guard let name = node.string(faults) else { continue }
            guard let place = rules.firstIndex(where: { $0.name == name }) else {
                let near = Spelling.nearest(to: name, among: rules.map(\.name))
                faults.add(
                    node.location, "the file has no alarm '\(name)'",
                    remedy: near.map { "did you mean '\($0)'?" } ?? "name one of its alarms")
                continue
            }
            rules[place].isEnabled = isOn
        }
    }
}

extension SiteConfiguration.InstructionTopic {
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self? {
        var reader = MappingReader(node, faults)
        let address = reader.required("mqtt")
        let fields = BrokerFields(BrokerFields.connection, in: &reader)
        let topicNode = reader.required("topic")
        let topic = topicNode?.string(faults)
        reader.finish()
        guard let address, let topic, let topicNode else { return nil }
        if topic.isEmpty || topic.contains("+") || topic.contains("#") || topic.hasSuffix("/") {
            faults.add(
                topicNode.location, "'\(topic)' cannot be a topic",
                remedy: "levels joined by '/', without + and #, without a final '/'")
            return nil
        }
        return Self(broker: fields.broker(at: address, faults), topic: topic)
    }
}

extension SiteConfiguration.Circumstance {
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self? {
        var reader = MappingReader(node, faults)
        let idNode = reader.required("id")
        let id = idNode?.string(faults)
        let title = reader.optional("title").flatMap { SiteConfiguration.Name.parse($0, faults) }
        let statesNode = reader.required("states")
        let states = statesNode?.list(faults).compactMap { $0.string(faults) } ?? []
        reader.finish()
        guard let id, let idNode, let statesNode else { return nil }
        func isWord(_ text: String) -> Bool {
            !text.isEmpty && text.utf8.count <= 64
                && text.utf8.allSatisfy {
                    (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f
                }
        }
        guard isWord(id) else {
            faults.add(
                idNode.location, "'\(id)' is not the name of a circumstance",
                remedy: "small letters a to z, digits and '_'")
            return nil
        }
        guard states.count >= 2, Set(states).count == states.count, states.allSatisfy(isWord) else {
            faults.add(
                statesNode.location, "a circumstance has two different words or more",
                remedy: "for example '[none, yellow, orange, red]'; quote \"on\" and \"off\"")
            return nil
        }
        return Self(
            id: id, title: LocalizedText(en: title?.en ?? id, zh: title?.zh ?? id), states: states)
    }
}
