import LocatedText
import Telemetry

/// Reads the parts of a profile that all interfaces share, and hands the interfaces on.
struct ProfileReader {
    let vocabulary: Vocabulary
    let faults: FaultCollector

    func profile(_ root: LocatedNode) -> DeviceProfile? {
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([("device-profile/1", true)], faults)
        let device = reader.required("device")
        let provenance = reader.required("provenance").flatMap(provenance)
        let params = parameters(reader.optional("params"))
        var interfaces: [String: ProfileInterface] = [:]
        for entry in reader.required("interfaces")?.entries(faults) ?? [] {
            interfaces[entry.key] = interface(entry.value, parameters: params)
        }
        reader.finish()
        guard let device else { return nil }
        var fields = MappingReader(device, faults)
        let id = fields.required("id")
        let vendor = fields.required("vendor").flatMap(bilingual)
        let models = texts(fields.required("models"))
        let kind = fields.required("kind")?.word(Self.kinds.map { ($0, $0) }, faults)
        let title = fields.required("title").flatMap(bilingual)
        let firmware = fields.optional("firmware")?.string(faults)
        let notThese = texts(fields.optional("not_these"))
        fields.finish()
        guard let id, let idText = id.string(faults) else { return nil }
        let path = root.location.file.split(separator: ".").dropLast().joined(separator: ".")
        if path != idText, !path.hasSuffix("/" + idText) {
            faults.add(
                id.location, "the id '\(idText)' is not the path of the file",
                remedy: "name the file \(idText).yaml")
        }
        guard let vendor, let kind, let title, let provenance else { return nil }
        return DeviceProfile(
            id: idText, title: title, vendor: vendor, models: models, firmware: firmware,
            notThese: notThese, kind: kind, provenance: provenance, params: params,
            sunspec: vocabulary.sunspec, interfaces: interfaces, location: root.location)
    }

    private func interface(
        _ node: LocatedNode, parameters: [String: ProfileParameter]
    ) -> ProfileInterface? {
        var probe = MappingReader(node, FaultCollector())
        guard let word = probe.optional("protocol") else {
            faults.add(
                node.location, "'protocol' is missing", remedy: "add 'protocol: modbus' or 'mqtt'")
            return nil
        }
        let points = PointReader(
            vocabulary: vocabulary, parameters: Set(parameters.keys), faults: faults)
        switch word.word(FieldProtocol.allCases.map { ($0.rawValue, $0) }, faults) {
        case .modbus:
            return ModbusReader(points: points, faults: faults).interface(node).map {
                .modbus($0)
            }
        case .mqtt:
            return MQTTReader(points: points, faults: faults).interface(node).map { .mqtt($0) }
        case .hj212:
            return HJ212Reader(points: points, faults: faults).interface(node).map { .hj212($0) }
        case .dlt645?, .cjt188?:
            let wanted: FieldProtocol = word.scalar == "dlt645" ? .dlt645 : .cjt188
            return MeterReader(points: points, faults: faults)
                .interface(node, speaking: wanted).map { .meter($0) }
        case nil: return nil
        }
    }

    func bilingual(_ node: LocatedNode) -> BilingualText? {
        var reader = MappingReader(node, faults)
        let en = reader.required("en")?.string(faults)
        let zh = reader.required("zh")?.string(faults)
        reader.finish()
        guard let en, let zh else { return nil }
        return BilingualText(en: en, zh: zh)
    }

    func texts(_ node: LocatedNode?) -> [String] {
        node?.list(faults).compactMap { $0.string(faults) } ?? []
    }

    private func provenance(_ node: LocatedNode) -> Provenance? {
        var reader = MappingReader(node, faults)
        let status = reader.required("status")?.word(
            Provenance.Status.allCases.map { ($0.rawValue, $0) }, faults)
        let checked = reader.required("checked")
        let sources = reader.required("sources")?.list(faults).compactMap { node in
            var reader = MappingReader(node, faults)
            let ref = reader.required("ref")?.string(faults)
            let covers = texts(reader.required("covers"))
            reader.finish()
            return ref.map { Provenance.Source(ref: $0, covers: covers) }
        }
        let questions = texts(reader.optional("open_questions"))
        reader.finish()
        guard let status, let day = checked?.string(faults), let sources else { return nil }
        if Timestamp(rfc3339: day + "T00:00:00Z") == nil, let checked {
            faults.add(checked.location, "'\(day)' is not a day", remedy: "write \"2026-11-21\"")
        }
        return Provenance(
            status: status, checked: day, sources: sources, openQuestions: questions)
    }

    private func parameters(_ node: LocatedNode?) -> [String: ProfileParameter] {
        var parameters: [String: ProfileParameter] = [:]
        for entry in node?.entries(faults) ?? [] {
            parameters[entry.key] = parameter(entry)
        }
        return parameters
    }

    private func parameter(_ entry: LocatedNode.Entry) -> ProfileParameter? {
        var reader = MappingReader(entry.value, faults)
        let title = reader.required("title").flatMap(bilingual)
        let isInteger = reader.required("type")?.word(
            [("number", false), ("integer", true)], faults)
        let oneOf = reader.optional("one_of")?.list(faults).compactMap { $0.double(faults) } ?? []
        let minimum = reader.optional("minimum")?.double(faults)
        let maximum = reader.optional("maximum")?.double(faults)
        let defaultValue = reader.required("default")?.double(faults)
        let readFrom = reader.optional("read_from").flatMap {
            PointReader(vocabulary: vocabulary, parameters: [], faults: faults).value($0)
        }
        reader.finish()
        guard let title, let isInteger, let defaultValue else { return nil }
        let parameter = ProfileParameter(
            title: title, isInteger: isInteger, oneOf: oneOf, minimum: minimum, maximum: maximum,
            defaultValue: defaultValue, readFrom: readFrom)
        if let accepted = parameter.refusal(of: defaultValue) {
            faults.add(
                entry.keyLocation,
                "the default of '\(entry.key)' is \(defaultValue), accepted is \(accepted)")
        }
        return parameter
    }

    static let kinds = [
        "meter.electric", "meter.water", "meter.gas", "meter.heat", "inverter.pv", "charger.ev",
        "station.dust-noise", "station.weather", "crane.tower", "hoist", "platform.unloading",
        "sensor.pit", "sensor.tilt", "sensor.load", "monitor.leakage", "relay", "wash.vehicle",
    ]
}
