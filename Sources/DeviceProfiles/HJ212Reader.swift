import Frames
import LocatedText
import Telemetry

/// Reads `protocol: hj212`.
struct HJ212Reader {
    let points: PointReader
    let faults: FaultCollector

    func interface(_ node: LocatedNode) -> HJ212Interface? {
        var reader = MappingReader(node, faults)
        _ = reader.required("protocol")
        if let role = reader.required("role"), role.scalar != "receiver" {
            faults.add(
                role.location, "a profile describes what the gateway receives",
                remedy: "write role: receiver")
        }
        if let key = reader.required("device_key"), key.string(faults) != "MN" {
            faults.add(key.location, "a station is known by its MN", remedy: "write device_key: MN")
        }
        var checksum = HJ212Packet.Checksum.hj212
        var acceptsLowerCase = true
        if let node = reader.optional("frame") {
            var frame = MappingReader(node, faults)
            checksum =
                frame.optional("crc")?.word(
                    [("required", .hj212), ("hj212", .hj212), ("modbus", .modbus)], faults)
                ?? .hj212
            acceptsLowerCase =
                frame.optional("accept_crc_case")?.word([("any", true), ("upper", false)], faults)
                ?? true
            frame.finish()
        }
        var systems: Set<String> = []
        var commands: Set<String> = ["2011", "2051"]
        if let node = reader.optional("select") {
            var select = MappingReader(node, faults)
            if let list = select.optional("st") {
                systems = Set(list.list(faults).compactMap { $0.string(faults) })
            }
            if let list = select.optional("cn") {
                let known = HJ212Interface.dataCommands.sorted().map { ($0, $0) }
                commands = Set(list.list(faults).compactMap { $0.word(known, faults) })
                if commands.isEmpty { faults.add(list.location, "no command is selected") }
            }
            select.finish()
        }
        let time = reader.required("time").flatMap(time)
        let unmarked = reader.optional("unmarked").flatMap(unmarked) ?? false
        let every = reader.optional("every")?.duration(faults)
        let silentAfter = reader.optional("silent_after")?.duration(faults)
        var defaults = PointReader.Defaults()
        defaults.isModbus = false
        for entry in reader.optional("maps")?.entries(faults) ?? [] {
            defaults.maps[entry.key] = points.map(entry.value)
        }
        defaults.origin = { reader, _ in origin(&reader) }
        let list = points.points(reader.required("points"), defaults)
        var vectors = TestReader(points: list, faults: faults)
        vectors.given = given
        let tests = vectors.tests(reader.required("tests"), isModbus: false)
        reader.finish()
        guard let time else { return nil }
        return HJ212Interface(
            systems: systems, commands: commands, checksum: checksum,
            acceptsLowerCase: acceptsLowerCase, timeField: time.field, time: time.time,
            isUnmarkedNormal: unmarked, every: every, silentAfter: silentAfter, points: list,
            tests: tests, location: node.location)
    }

    private func unmarked(_ node: LocatedNode) -> Bool? {
        node.word([("normal", true), ("refused", false)], faults)
    }

    /// `hj212/a34004`
    private func origin(_ reader: inout MappingReader) -> PointOrigin? {
        let at = reader.required("at")
        let isUnmarkedNormal = reader.optional("unmarked").flatMap(unmarked)
        guard let at, let text = at.string(faults) else { return nil }
        let name = text.dropFirst(6)
        let isPlain = name.utf8.allSatisfy { $0 > 0x20 && ![0x2C, 0x3B, 0x3D, 0x26].contains($0) }
        guard text.hasPrefix("hj212/"), !name.isEmpty, isPlain else {
            faults.add(
                at.location, "'\(text)' is not a factor of HJ 212",
                remedy: "write hj212/a34004, or a name in full such as hj212/Leq-Data")
            return nil
        }
        let dash = name.lastIndex(of: "-")
        return .factor(
            HJ212Source(
                factor: String(dash.map { name[..<$0] } ?? name),
                fullName: dash == nil ? nil : String(name), isUnmarkedNormal: isUnmarkedNormal))
    }

    private func time(_ node: LocatedNode) -> (field: String, time: PayloadTime)? {
        var reader = MappingReader(node, faults)
        let field = reader.required("field")?.string(faults)
        let formatNode = reader.required("format")
        let zone = reader.required("zone")
        let skew = reader.optional("max_skew")?.duration(faults)
        let refuses = reader.optional("else")?.word(
            [("arrival", false), ("reject", true)], faults)
        reader.finish()
        guard let field, let formatNode, let pattern = formatNode.string(faults), let zone,
            let text = zone.string(faults)
        else { return nil }
        guard PayloadTime.isPattern(Array(pattern.utf8)) else {
            faults.add(
                formatNode.location, "'\(pattern)' is not a format of time",
                remedy: "the standard's is yyyyMMddHHmmss")
            return nil
        }
        guard let probe = Timestamp(rfc3339: "2000-01-01T00:00:00" + text),
            text.first == "+" || text.first == "-"
        else {
            faults.add(zone.location, "'\(text)' is not an offset", remedy: "write \"+08:00\"")
            return nil
        }
        let offset = Int((946_684_800_000 - probe.milliseconds) / 1000)
        return (
            field,
            PayloadTime(
                place: nil, format: .civil(pattern: Array(pattern.utf8), offset: offset),
                maximumSkew: skew, refusesBadTime: refuses ?? false)
        )
    }

    /// `{frame: "##…"}`, without the line end.
    private func given(_ node: LocatedNode) -> ProfileTest.Given? {
        var reader = MappingReader(node, faults)
        let frame = reader.required("frame")?.string(faults)
        reader.finish()
        return frame.map { .packet(Array(($0 + "\r\n").utf8)) }
    }
}
