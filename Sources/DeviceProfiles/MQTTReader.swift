import LocatedText
import Telemetry

/// Reads `protocol: mqtt`.
struct MQTTReader {
    let points: PointReader
    let faults: FaultCollector

    func interface(_ node: LocatedNode) -> MQTTInterface? {
        var reader = MappingReader(node, faults)
        _ = reader.required("protocol")
        for later in ["select", "each"] {
            if let node = reader.optional(later) {
                faults.add(node.location, "'\(later)' is not supported yet")
            }
        }
        let subscribe = reader.required("subscribe").flatMap(topicPattern)
        let qos = reader.optional("qos")?.word([("0", 0), ("1", 1), ("2", 2)], faults) ?? 1
        _ = reader.required("payload")?.word([("json", true)], faults)
        if let key = reader.required("device_key"), key.string(faults) != "{device}" {
            faults.add(
                key.location, "only the topic can name the device so far",
                remedy: "write device_key: \"{device}\"")
        }
        let agree = reader.optional("agree").flatMap(points.jsonPath)
        let time = reader.required("time").flatMap(payloadTime)
        let silentAfter = reader.optional("silent_after")?.duration(faults)
        let every = reader.optional("every")?.duration(faults)
        var defaults = PointReader.Defaults()
        defaults.isModbus = false
        for entry in reader.optional("maps")?.entries(faults) ?? [] {
            defaults.maps[entry.key] = points.map(entry.value)
        }
        let list = points.points(reader.required("points"), defaults)
        let tests = TestReader(points: list, faults: faults)
            .tests(reader.required("tests"), isModbus: false)
        reader.finish()
        guard let subscribe, let time else { return nil }
        return MQTTInterface(
            topicPattern: subscribe, qos: qos, agree: agree, time: time, silentAfter: silentAfter,
            every: every, points: list, tests: tests, location: node.location)
    }

    private func topicPattern(_ node: LocatedNode) -> String? {
        guard let text = node.string(faults) else { return nil }
        let levels = text.split(separator: "/", omittingEmptySubsequences: false)
        if levels.count(where: { $0 == "{device}" }) != 1 {
            faults.add(
                node.location, "'\(text)' does not name the device",
                remedy: "put {device} in place of one whole level")
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

    private func payloadTime(_ node: LocatedNode) -> PayloadTime? {
        var reader = MappingReader(node, faults)
        let at = reader.optional("at")
        let path = at.flatMap(points.jsonPath)
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
        if text != "arrival", at == nil {
            faults.add(
                node.location, "'at' of the time is missing",
                remedy: "add 'at: $.…', or 'format: arrival' if the device sends none")
        }
        return PayloadTime(
            path: path, format: format, maximumSkew: skew, refusesBadTime: refuses ?? false)
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
