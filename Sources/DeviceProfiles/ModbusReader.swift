import LocatedText
import Telemetry

/// Reads `protocol: modbus`.
struct ModbusReader {
    let points: PointReader
    let faults: FaultCollector

    func interface(_ node: LocatedNode) -> ModbusInterface? {
        var reader = MappingReader(node, faults)
        _ = reader.required("protocol")
        let isDiscovered = reader.optional("discover")?.word([("sunspec", true)], faults) ?? false
        let unit = reader.required("unit").flatMap { whole($0, in: 0...255) }
        let serial = reader.optional("serial").map(serialLine)
        let tcp = reader.optional("tcp").map(tcp)
        var defaults = PointReader.Defaults()
        let wordOrder = points.order(reader.required("word_order"))
        let byteOrder = points.order(reader.required("byte_order"))
        defaults.wordOrder = wordOrder ?? .highFirst
        defaults.byteOrder = byteOrder ?? .highFirst
        let limits = reader.required("limits").map(limits)
        let blocks = reader.optional("blocks")?.list(faults).compactMap(block) ?? []
        var polls: [String: Duration] = [:]
        for entry in reader.required("polls")?.entries(faults) ?? [] {
            guard let period = entry.value.duration(faults) else { continue }
            if period < .milliseconds(1) {
                faults.add(entry.value.location, "a poll class needs a period above 0")
            }
            polls[entry.key] = period
        }
        defaults.polls = Set(polls.keys)
        for entry in reader.optional("maps")?.entries(faults) ?? [] {
            defaults.maps[entry.key] = points.map(entry.value)
        }
        if let node = reader.optional("defaults") { read(node, into: &defaults) }
        let identify = reader.optional("identify")?.list(faults).compactMap {
            identification($0, defaults)
        }
        let list = points.points(reader.required("points"), defaults)
        let commands = (reader.optional("commands")?.entries(faults) ?? []).compactMap(command)
        let tests = TestReader(points: list, faults: faults, vocabulary: points.vocabulary)
            .tests(reader.required("tests"), isModbus: true)
        reader.finish()
        guard let unit, let limits else { return nil }
        return ModbusInterface(
            unit: unit, serial: serial, tcp: tcp, limits: limits, blocks: blocks,
            identify: identify ?? [], polls: polls, points: list, commands: commands,
            tests: tests, isDiscovered: isDiscovered, location: node.location)
    }

    func whole(_ node: LocatedNode, in range: ClosedRange<Int>) -> Int? {
        guard let value = node.int(faults) else { return nil }
        guard range.contains(value) else {
            faults.add(
                node.location, "\(value) is not between \(range.lowerBound) and \(range.upperBound)"
            )
            return nil
        }
        return value
    }

    private func read(_ node: LocatedNode, into defaults: inout PointReader.Defaults) {
        var reader = MappingReader(node, faults)
        if let type = reader.optional("type").flatMap(points.registerType) { defaults.type = type }
        if let poll = reader.optional("poll"), let name = poll.string(faults) {
            defaults.poll = name
            if !defaults.polls.contains(name) {
                faults.add(
                    poll.location, "'\(name)' is not one of 'polls'",
                    remedy: "one of \(defaults.polls.sorted().joined(separator: ", "))")
            }
        }
        if let order = points.order(reader.optional("word_order")) { defaults.wordOrder = order }
        reader.finish()
    }

    func serialLine(_ node: LocatedNode) -> ModbusInterface.SerialLine {
        var reader = MappingReader(node, faults)
        defer { reader.finish() }
        return ModbusInterface.SerialLine(
            baud: reader.required("baud").flatMap { whole($0, in: 300...4_000_000) } ?? 9600,
            dataBits: reader.required("data_bits").flatMap { whole($0, in: 7...8) } ?? 8,
            parity: reader.required("parity")?.word(
                ["none", "even", "odd"].map { ($0, $0) }, faults) ?? "none",
            stopBits: reader.required("stop_bits").flatMap { whole($0, in: 1...2) } ?? 1)
    }

    private func tcp(_ node: LocatedNode) -> ModbusInterface.TCP {
        var reader = MappingReader(node, faults)
        defer { reader.finish() }
        return ModbusInterface.TCP(
            port: reader.optional("port").flatMap { whole($0, in: 1...65_535) },
            afterConnect: reader.optional("after_connect")?.duration(faults),
            idleClose: reader.optional("idle_close")?.duration(faults),
            connections: reader.optional("connections").flatMap { whole($0, in: 1...1000) })
    }

    private func limits(_ node: LocatedNode) -> ModbusInterface.Limits {
        var reader = MappingReader(node, faults)
        defer { reader.finish() }
        return ModbusInterface.Limits(
            maxRegisters: reader.required("max_registers").flatMap { whole($0, in: 1...125) }
                ?? 125,
            maxBits: reader.optional("max_bits").flatMap { whole($0, in: 1...2000) } ?? 2000,
            responseTimeout: reader.optional("response_timeout")?.duration(faults) ?? .seconds(1),
            quietTime: reader.optional("quiet_time")?.duration(faults) ?? .zero,
            joinGaps: reader.optional("join_gaps").flatMap { whole($0, in: 0...124) } ?? 0)
    }

    private func block(_ node: LocatedNode) -> RegisterRequest? {
        var reader = MappingReader(node, faults)
        let place = reader.required("at").flatMap(points.address)
        let count = reader.required("count").flatMap { whole($0, in: 1...2000) }
        reader.finish()
        guard let place, let count else { return nil }
        guard place.address + count <= 65_536 else {
            faults.add(node.location, "the block reaches beyond address 0xFFFF")
            return nil
        }
        return RegisterRequest(area: place.area, address: place.address, count: count)
    }

    private func identification(
        _ node: LocatedNode, _ defaults: PointReader.Defaults
    ) -> ModbusInterface.Identification? {
        var reader = MappingReader(node, faults)
        let source = points.rawFields(&reader, at: reader.required("at"), defaults)
        let between = reader.optional("between").flatMap(points.range)
        let equals = reader.optional("equals")?.string(faults)
        let isAbsent = reader.optional("absent")?.bool(faults) ?? false
        reader.finish()
        if between == nil, equals == nil, !isAbsent {
            faults.add(
                node.location, "nothing is asked of the register",
                remedy: "add 'between: [lowest, highest]', 'equals: …' or 'absent: true'")
        }
        return source.map {
            ModbusInterface.Identification(
                source: $0, between: between, equals: equals, isAbsent: isAbsent)
        }
    }

    private func command(_ entry: LocatedNode.Entry) -> ModbusInterface.Command? {
        var reader = MappingReader(entry.value, faults)
        let place = reader.required("at").flatMap(points.address)
        let function = reader.required("function")?.word(
            [("5", 5), ("6", 6), ("15", 15), ("16", 16)], faults)
        var values: [String: Int] = [:]
        for value in reader.required("values")?.entries(faults) ?? [] {
            values[value.key] = whole(value.value, in: 0...0xFFFF)
        }
        let confirm = reader.required("confirm")?.string(faults)
        let safe = reader.optional("safe")
        if let safe, let word = safe.string(faults), values[word] == nil {
            faults.add(
                safe.location, "'\(word)' is not one of 'values'",
                remedy: "one of \(values.keys.sorted().joined(separator: ", "))")
        }
        let revertAfter = reader.optional("revert_after")?.duration(faults)
        let minInterval = reader.optional("min_interval")?.duration(faults)
        reader.finish()
        guard let place, let function, let confirm else { return nil }
        return ModbusInterface.Command(
            key: PointKey(entry.key), area: place.area, address: place.address,
            function: function, values: values, confirm: PointKey(confirm), safe: safe?.scalar,
            revertAfter: revertAfter, minInterval: minInterval)
    }
}
