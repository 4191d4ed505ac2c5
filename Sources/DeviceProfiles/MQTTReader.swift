import LocatedText
import Telemetry

/// Reads `protocol: mqtt`.
struct MQTTReader {
    let points: PointReader
    let faults: FaultCollector

    func interface(_ node: LocatedNode) -> MQTTInterface? {
        var reader = MappingReader(node, faults)
        _ = reader.required("protocol")
        var defaults = PointReader.Defaults()
        defaults.isModbus = false
        let payload = reader.required("payload")
        let separators = reader.optional("separators")
        defaults.payload = format(payload, separators)
        let isSparkplug = defaults.payload == .sparkplug
        let eachNode = reader.optional("each")
        let samplesNode = reader.optional("samples")
        let each = eachNode.flatMap { listPath($0, defaults) }
        defaults.hasElements = each != nil
        let samples = samplesNode.flatMap { listPath($0, defaults) }
        defaults.hasElements = each != nil || samples != nil
        let keyNode = isSparkplug ? reader.optional("device_key") : reader.required("device_key")
        let deviceKey = keyNode.map { self.deviceKey($0, each, defaults) } ?? .topic
        let subscribe = isSparkplug ? reader.optional("subscribe") : reader.required("subscribe")
        let topic =
            isSparkplug
            ? sparkplugTopic(subscribe) : subscribe.flatMap { topicPattern($0, deviceKey) }
        let qos = reader.optional("qos")?.word([("0", 0), ("1", 1), ("2", 2)], faults) ?? 1
        let select = selectors(reader.optional("select"), defaults)
        let agree = reader.optional("agree").flatMap { points.place($0, defaults) }
        let timeNode = isSparkplug ? reader.optional("time") : reader.required("time")
        let time = timeNode.flatMap { payloadTime($0, defaults) }
        let silentAfter = reader.optional("silent_after")?.duration(faults)
        let every = reader.optional("every")?.duration(faults)
        for entry in reader.optional("maps")?.entries(faults) ?? [] {
            defaults.maps[entry.key] = points.map(entry.value)
        }
        let list = points.points(reader.required("points"), defaults)
        let tests = TestReader(points: list, faults: faults, payload: defaults.payload)
            .tests(reader.required("tests"), isModbus: false)
        reader.finish()
        if isSparkplug {
            for (node, name) in [(eachNode, "each"), (samplesNode, "samples")] {
                if let node { faults.add(node.location, "Sparkplug has no '\(name)'") }
            }
        }
        guard let topic, let time = time ?? (isSparkplug ? .sparkplug : nil) else { return nil }
        var interface = MQTTInterface(
            topicPattern: topic, qos: qos, time: time, points: list, tests: tests,
            location: node.location)
        interface.format = defaults.payload
        interface.deviceKey = deviceKey
        interface.each = each
        interface.samples = samples
        interface.select = select
        interface.agree = agree
        interface.silentAfter = silentAfter
        interface.every = every
        return interface
    }

    private func format(_ node: LocatedNode?, _ separators: LocatedNode?) -> PayloadFormat {
        let format = node?.word(PayloadFormat.words, faults) ?? .json
        guard let separators else { return format }
        var reader = MappingReader(separators, faults)
        defer { reader.finish() }
        switch format {
        case .pairs(let fields, let value):
            let ends = reader.optional("field").flatMap { bytes($0, 1...8) } ?? fields
            let middle = reader.optional("value").flatMap { bytes($0, 1...1) }?[0] ?? value
            if ends.contains(middle) {
                faults.add(separators.location, "'field' and 'value' have a character in common")
            }
            return .pairs(fields: ends, value: middle)
        case .columns(let separator):
            return .columns(
                separator: reader.optional("field").flatMap { bytes($0, 1...1) }?[0] ?? separator)
        default:
            faults.add(separators.location, "only 'kv' and 'csv' have separators")
            return format
        }
    }

    private func bytes(_ node: LocatedNode, _ count: ClosedRange<Int>) -> [UInt8]? {
        guard let text = node.string(faults) else { return nil }
        let bytes = Array(text.utf8)
        guard count.contains(bytes.count), bytes.allSatisfy({ $0 < 0x80 }) else {
            faults.add(
                node.location,
                "\(count.upperBound == 1 ? "one ASCII character" : "1 to 8 ASCII characters") expected"
            )
            return nil
        }
        return bytes
    }

    /// `$.devices`, `@.samples`, or `$` alone.
    private func listPath(_ node: LocatedNode, _ defaults: PointReader.Defaults) -> JSONPath? {
        guard let text = node.string(faults) else { return nil }
        guard defaults.payload == .json else {
            faults.add(node.location, "only JSON has lists of this kind")
            return nil
        }
        guard let path = JSONPath(text, allowsWhole: true), defaults.hasElements || !path.isRelative
        else {
            faults.add(
                node.location, "'\(text)' is not the place of a list",
                remedy: "for example $.devices, or $ when the message itself is the list")
            return nil
        }
        return path
    }

    private func deviceKey(
        _ node: LocatedNode, _ each: JSONPath?, _ defaults: PointReader.Defaults
    ) -> MQTTInterface.DeviceKey {
        switch node.scalar {
        case "{device}": return .topic
        case "{name}":
            if each == nil {
                faults.add(
                    node.location, "'{name}' is the name of an element, and there is no 'each'")
            }
            return .memberName
        default:
            return points.place(node, defaults).map { .payload($0) } ?? .topic
        }
    }

    private func selectors(
        _ node: LocatedNode?, _ defaults: PointReader.Defaults
    ) -> [MQTTInterface.Selector] {
        (node?.entries(faults) ?? []).compactMap { entry in
            let at = LocatedNode(
                content: .scalar(entry.key, isQuoted: true), location: entry.keyLocation)
            let texts: [String]
            if case .sequence(let nodes) = entry.value.content {
                texts = nodes.compactMap { $0.string(faults) }
            } else {
                texts = entry.value.string(faults).map { [$0] } ?? []
            }
            return points.place(at, defaults).map { .init(place: $0, texts: texts) }
        }
    }

    private func sparkplugTopic(_ node: LocatedNode?) -> String {
        if let node, node.scalar != SparkplugAddress.pattern {
            faults.add(
                node.location, "the topics of Sparkplug are fixed",
                remedy: "leave 'subscribe' out; the device's key in the site is GROUP/NODE/DEVICE")
        }
        return SparkplugAddress.pattern
    }

    private func topicPattern(
        _ node: LocatedNode, _ deviceKey: MQTTInterface.DeviceKey
    ) -> String? {
        guard let text = node.string(faults) else { return nil }
        let levels = text.split(separator: "/", omittingEmptySubsequences: false)
        let named = levels.count { $0 == "{device}" }
        if deviceKey == .topic, named != 1 {
            faults.add(
                node.location, "'\(text)' does not name the device",
                remedy: "put {device} in place of one whole level")
        } else if deviceKey != .topic, named != 0 {
            faults.add(
                node.location, "'\(text)' names the device, and so does 'device_key'",
                remedy: "write '+' in the topic and check the other with 'agree', or write "
                    + "device_key: \"{device}\"")
        }
        for (index, level) in levels.enumerated() where level != "{device}" {
            let isWild = level == "+" || (level == "#" && index == levels.count - 1)
            if !isWild, level.contains(where: { "+#{}".contains($0) }) {
                faults.add(
                    node.location, "'\(level)' is not a level of a topic filter",
                    remedy: "'+' stands alone in its level, '#' alone in the last")
            }
        }
        return text
    }

    private func payloadTime(
        _ node: LocatedNode, _ defaults: PointReader.Defaults
    ) -> PayloadTime? {
        let isSparkplug = defaults.payload == .sparkplug
        var reader = MappingReader(node, faults)
        let at = reader.optional("at")
        let place = at.flatMap { points.place($0, defaults) }
        let formatNode = reader.required("format")
        let zone = reader.optional("zone")
        let skew = reader.optional("max_skew")?.duration(faults)
        let refuses = reader.optional("else")?.word(
            [("arrival", false), ("reject", true)], faults)
        reader.finish()
        guard let formatNode, let text = formatNode.string(faults) else { return nil }
        let format: PayloadTime.Format
        switch text {
        case "rfc3339": format = .rfc3339
        case "epoch-s": format = .epochSeconds
        case "epoch-ms": format = .epochMilliseconds
        case "arrival":
            if let at { faults.add(at.location, "the format 'arrival' has no place") }
            format = .epochMilliseconds
        default:
            guard PayloadTime.isPattern(Array(text.utf8)) else {
                faults.add(
                    formatNode.location, "'\(text)' is not a format of time",
                    remedy: "one of arrival, epoch-ms, epoch-s, rfc3339, or a pattern such as "
                        + "\"yyyy-MM-dd HH:mm:ss\"")
                return nil
            }
            guard let zone, let offset = offset(zone) else {
                if zone == nil {
                    faults.add(
                        node.location, "a civil time needs its zone", remedy: "add zone: \"+08:00\""
                    )
                }
                return nil
            }
            format = .civil(pattern: Array(text.utf8), offset: offset)
        }
        if isSparkplug {
            if text != "epoch-ms" || at != nil {
                faults.add(node.location, "Sparkplug has a time of its own, 'format: epoch-ms'")
            }
        } else if text != "arrival", at == nil {
            faults.add(
                node.location, "'at' of the time is missing",
                remedy: "add 'at: $.…', or 'format: arrival' if the device sends none")
        }
        return PayloadTime(
            place: place, format: format, maximumSkew: skew, refusesBadTime: refuses ?? false)
    }

    /// `+08:00` in seconds.
    private func offset(_ node: LocatedNode) -> Int? {
        guard let text = node.string(faults) else { return nil }
        let probe = Timestamp(rfc3339: "2000-01-01T00:00:00" + text)
        guard let probe, text.first == "+" || text.first == "-" else {
            faults.add(node.location, "'\(text)' is not an offset", remedy: "write \"+08:00\"")
            return nil
        }
        return Int((946_684_800_000 - probe.milliseconds) / 1000)
    }
}
