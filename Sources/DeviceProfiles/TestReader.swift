import LocatedText
import Telemetry

/// Reads the vectors of an interface.
struct TestReader {
    let points: [ProfilePoint]
    let faults: FaultCollector
    /// Gives the addresses of SunSpec points.
    var vocabulary = Vocabulary.empty
    /// Reads what is given, for protocols with neither registers nor messages.
    var given: ((LocatedNode) -> ProfileTest.Given?)?
    /// What the payloads of messages are.
    var payload = PayloadFormat.json

    func tests(_ node: LocatedNode?, isModbus: Bool) -> [ProfileTest] {
        (node?.list(faults) ?? []).compactMap { test($0, isModbus: isModbus) }
    }

    private func test(_ node: LocatedNode, isModbus: Bool) -> ProfileTest? {
        var reader = MappingReader(node, faults)
        let name = reader.required("name")?.string(faults)
        let givenNode = reader.required("given")
        var parameters: [String: Double] = [:]
        for entry in reader.optional("params")?.entries(faults) ?? [] {
            parameters[entry.key] = entry.value.double(faults)
        }
        let expect = (reader.required("expect")?.entries(faults) ?? []).compactMap(expectation)
        var time: Timestamp?
        if let node = reader.optional("time"), let text = node.string(faults) {
            time = Timestamp(rfc3339: text)
            if time == nil {
                faults.add(
                    node.location, "'\(text)' is not a time",
                    remedy: "write \"2026-11-21T08:05:00+08:00\"")
            }
        }
        reader.finish()
        guard let name, let givenNode else { return nil }
        let read: ProfileTest.Given?
        if let given {
            read = given(givenNode)
        } else {
            read = isModbus ? registers(givenNode) : messages(givenNode)
        }
        guard let given = read else { return nil }
        return ProfileTest(
            name: name, given: given, parameters: parameters, expect: expect, time: time,
            location: node.location)
    }

    private func expectation(_ entry: LocatedNode.Entry) -> ProfileTest.Expectation? {
        let key = PointKey(entry.key)
        guard let point = points.first(where: { $0.key == key }) else {
            let near = Spelling.nearest(to: entry.key, among: points.map(\.key.text))
            faults.add(
                entry.keyLocation, "'\(entry.key)' is not a point of this interface",
                remedy: near.map { "did you mean '\($0)'?" } ?? "expect what 'points' lists")
            return nil
        }
        var value: Value?
        if !entry.value.isNull {
            switch point.description.kind {
            case .gauge, .counter: value = entry.value.double(faults).map(Value.number)
            case .state, .text: value = entry.value.string(faults).map(Value.text)
            }
            if value == nil { return nil }
        }
        return ProfileTest.Expectation(key: key, value: value, location: entry.keyLocation)
    }

    /// `{input/0x48: "4640E700", coil/0: "1"}`
    func registers(_ node: LocatedNode) -> ProfileTest.Given? {
        let reader = PointReader(
            vocabulary: vocabulary, parameters: [], faults: faults)
        var areas: [RegisterArea: [Int: UInt16]] = [:]
        for entry in node.entries(faults) {
            let at = LocatedNode(
                content: .scalar(entry.key, isQuoted: true), location: entry.keyLocation)
            guard let place = reader.address(at), let text = entry.value.string(faults) else {
                continue
            }
            if place.area.isBits {
                guard text == "0" || text == "1" else {
                    faults.add(entry.value.location, "a bit is \"0\" or \"1\", not '\(text)'")
                    continue
                }
                areas[place.area, default: [:]][place.address] = text == "1" ? 1 : 0
                continue
            }
            let digits = Array(text)
            let words = stride(from: 0, to: digits.count, by: 4).compactMap { start in
                UInt16(String(digits[start..<min(start + 4, digits.count)]), radix: 16)
            }
            guard !digits.isEmpty, digits.count % 4 == 0, words.count * 4 == digits.count,
                place.address + words.count <= 65_536
            else {
                faults.add(
                    entry.value.location, "'\(text)' is not the content of registers",
                    remedy: "four hexadecimal digits each, in quotes, for example \"43668000\"")
                continue
            }
            for (index, word) in words.enumerated() {
                areas[place.area, default: [:]][place.address + index] = word
            }
        }
        return .registers(areas)
    }

    /// One message, after those of `before`.
    private func messages(_ node: LocatedNode) -> ProfileTest.Given? {
        var reader = MappingReader(node, faults)
        let before = (reader.optional("before")?.list(faults) ?? []).compactMap { node in
            var reader = MappingReader(node, faults)
            defer { reader.finish() }
            return message(&reader)
        }
        let last = message(&reader)
        let device = reader.optional("device")?.string(faults)
        reader.finish()
        return last.map { .messages(before + [$0], device: device) }
    }

    private func message(_ reader: inout MappingReader) -> ProfileTest.Message? {
        let topic = reader.required("topic")?.string(faults)
        guard let node = reader.required("payload"), let topic else { return nil }
        if payload == .json {
            var json = JSONWriter()
            Self.write(node, &json)
            return .init(topic: topic, payload: json.bytes)
        }
        guard let text = node.string(faults) else { return nil }
        guard payload == .sparkplug else { return .init(topic: topic, payload: Array(text.utf8)) }
        let digits = Array(text.utf8.filter { $0 != 0x20 })
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap { start -> UInt8? in
            guard start + 1 < digits.count, let high = JSONText.hexDigit(digits[start]),
                let low = JSONText.hexDigit(digits[start + 1])
            else { return nil }
            return UInt8(high << 4 | low)
        }
        guard bytes.count * 2 == digits.count else {
            faults.add(
                node.location, "the payload is not hexadecimal",
                remedy: "two digits for each byte, in quotes")
            return nil
        }
        return .init(topic: topic, payload: bytes)
    }

    /// YAML as the JSON that a device would send: what is quoted is a text.
    private static func write(_ node: LocatedNode, _ json: inout JSONWriter) {
        switch node.content {
        case .scalar(let text, isQuoted: false):
            if node.isNull {
                json.null()
            } else if text == "true" || text == "false" {
                json.value(text == "true")
            } else if DecimalText.parse(Array(text.utf8)[...]) != nil {
                json.fragment(text.utf8)
            } else {
                json.value(text)
            }
        case .scalar(let text, isQuoted: true): json.value(text)
        case .sequence(let nodes):
            json.array { json in for node in nodes { write(node, &json) } }
        case .mapping(let entries):
            json.object { json in
                for entry in entries {
                    json.key(entry.key)
                    write(entry.value, &json)
                }
            }
        }
    }
}
