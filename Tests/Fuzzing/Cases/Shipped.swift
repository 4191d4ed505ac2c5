import DeviceProfiles
import Foundation
import Telemetry

/// What the repository ships and the cases decode with.
enum Shipped {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The inputs that are kept, a folder for each case.
    static let corpus = root.appending(path: "Tests/Fuzzing/Corpus")

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static let vocabulary = sure {
        try Vocabulary.parse(text("Devices/vocabulary.yaml"), file: "vocabulary.yaml")
    }

    private static let folders = [
        "abb", "acrel", "boling", "deye", "eastron", "generic", "janitza", "kamstrup", "sunspec",
        "yunzhu",
    ]

    /// Some twenty profiles, of every protocol.
    static let profiles: [DeviceProfile] = sure {
        try folders.flatMap { folder in
            let path = "Devices/\(folder)"
            return try FileManager.default.contentsOfDirectory(
                atPath: root.appending(path: path).path
            )
            .filter { $0.hasSuffix(".yaml") }.sorted().map { name in
                try DeviceProfile.parse(
                    text("\(path)/\(name)"), file: "\(folder)/\(name)", vocabulary: vocabulary)
            }
        }
    }

    /// The interfaces of these profiles that speak a protocol.
    static func interfaces(
        _ wanted: FieldProtocol
    ) -> [(profile: DeviceProfile, interface: String)] {
        profiles.flatMap { profile in
            profile.interfaces(speaking: wanted).map { (profile, $0) }
        }
    }

    /// A profile around one MQTT interface, given from `subscribe:` on.
    static func profile(_ interface: String) throws -> DeviceProfile {
        let lines =
            ["protocol: mqtt"] + interface.split(separator: "\n").map(String.init)
        return try DeviceProfile.parse(
            """
            format: device-profile/1
            device:
              id: test/device
              vendor: {en: Test, zh: 测试}
              models: [one]
              kind: meter.electric
              title: {en: A device, zh: 设备}
            provenance: {status: community, checked: "2026-11-21", sources: [{ref: test, covers: [addresses]}]}
            interfaces:
              it:
            \(lines.map { "    \($0)" }.joined(separator: "\n"))
            """, file: "test/device.yaml", vocabulary: vocabulary)
    }

    /// What cannot fail unless the repository is broken.
    static func sure<T>(_ make: () throws -> T) -> T {
        do { return try make() } catch { fatalError("\(error)") }
    }
}

extension FuzzCase {
    /// The folder with the inputs that are kept for this case.
    package var corpus: URL { Shipped.corpus.appending(path: name) }
}

/// 2026-11-21T08:00:00+08:00, when everything here arrives.
let morning = Timestamp(milliseconds: 1_795_219_200_000)

let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)

/// Every reading is a finite number, a text or a reason, one for each series.
func promiseReadings(_ row: [Reading], count: Int) throws {
    try promise(row.count == count, "\(row.count) readings for \(count) series")
    try promise(row.allSatisfy { $0.number?.isFinite ?? true }, "a number that is none: \(row)")
}
