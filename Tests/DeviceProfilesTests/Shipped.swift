import DeviceProfiles
import Foundation
import LocatedText
import Telemetry

/// The profiles of the repository's `Devices/`, and small ones made for one test.
enum Shipped {
    static let devices = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Devices")

    static func text(_ path: String) throws -> String {
        try String(contentsOf: devices.appending(path: path), encoding: .utf8)
    }

    /// Every `<vendor>/<model>.yaml` below `Devices/`.
    static func paths() throws -> [String] {
        let folders = try FileManager.default.contentsOfDirectory(atPath: devices.path)
        return try folders.flatMap { folder -> [String] in
            let path = devices.appending(path: folder)
            guard !folder.hasSuffix(".yaml") else { return [] }
            return try FileManager.default.contentsOfDirectory(atPath: path.path)
                .filter { $0.hasSuffix(".yaml") }.map { "\(folder)/\($0)" }
        }.sorted()
    }

    static func library() throws -> ProfileLibrary {
        try ProfileLibrary(
            vocabularyText: text("vocabulary.yaml"),
            profiles: paths().map { (path: $0, text: try text($0)) })
    }

    static func vocabulary() throws -> Vocabulary {
        try Vocabulary.parse(text("vocabulary.yaml"), file: "vocabulary.yaml")
    }

    /// A profile around one interface, given as YAML without indentation.
    static func wrap(_ interface: String, params: String = "") -> String {
        let indented = interface.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        return """
            format: device-profile/1
            device:
              id: test/device
              vendor: {en: Test, zh: 测试}
              models: [one]
              kind: meter.electric
              title: {en: A device, zh: 设备}
            provenance: {status: community, checked: "2026-11-21", sources: [{ref: test, covers: [addresses]}]}
            \(params)
            interfaces:
              it:
            \(indented)
            """
    }

    static func profile(_ interface: String, params: String = "") throws -> DeviceProfile {
        try DeviceProfile.parse(
            wrap(interface, params: params), file: "test/device.yaml", vocabulary: vocabulary())
    }

    /// What is said about a text that is not a profile.
    static func faults(_ text: String, file: String = "test/device.yaml") throws -> [Fault] {
        do {
            _ = try DeviceProfile.parse(text, file: file, vocabulary: vocabulary())
            return []
        } catch let faults as Faults {
            return faults.all
        }
    }

    static let modbusHead = """
        protocol: modbus
        unit: 1
        word_order: high_first
        byte_order: high_first
        limits: {max_registers: 40}
        identify: [{at: holding/0, type: uint16, between: [0, 65535]}]
        polls: {fast: 5s}
        defaults: {poll: fast}
        """

    static let mqttHead = """
        protocol: mqtt
        subscribe: "station/{device}/realtime"
        payload: json
        device_key: "{device}"
        """
}

extension ModbusBinding {
    /// The readings of one group of this image, by key.
    func readings(_ image: RegisterImage) -> [PointKey: Reading] {
        var readings: [PointKey: Reading] = [:]
        for index in groups.indices {
            let answers = requests(group: index).map(image.answer)
            for (series, reading) in zip(
                groups[index].series, decode(group: index, answers: answers))
            {
                readings[series.id.point] = reading
            }
        }
        return readings
    }
}
