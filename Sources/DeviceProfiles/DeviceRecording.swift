import LocatedText
import Telemetry

/// What a real device said once, as text: a vector for its profile, or a device for the simulator.
///
///     format: device-recording/1
///     taken: "2026-11-21T08:05:00+08:00"     when
///     from: "192.0.2.10:502 unit 1"          where, for people
///     unit: 1
///     profile: acrel/adl3000                 as it was read, if by one
///     registers:                             stands as it is under `given:` of a vector
///       holding/0x61: "08FD090808FA"
///       coil/0: "1"
///     refused: [holding/0x0836+2]            what the device refused
package struct DeviceRecording: Sendable {
    package var taken: String
    package var from: String
    package var unit: Int
    package var profile: String?
    package private(set) var image = RegisterImage()
    package private(set) var read: Set<RegisterRequest> = []
    package private(set) var refused: Set<RegisterRequest> = []

    package init(taken: String, from: String, unit: Int, profile: String?) {
        self.taken = taken
        self.from = from
        self.unit = unit
        self.profile = profile
    }

    /// Takes an answer down; the newest one of a register counts.
    package mutating func note(_ request: RegisterRequest, _ answer: RegisterAnswer) {
        switch answer {
        case .registers(let words):
            for (address, word) in zip(request.addresses, words) {
                image[request.area, address] = word
            }
            read.insert(request)
        case .bits(let bits):
            for (address, bit) in zip(request.addresses, bits) {
                image[request.area, address] = bit ? 1 : 0
            }
            read.insert(request)
        case .bad(.exception): refused.insert(request)
        case .bad: break
        }
    }

    /// The registers in runs, as `given:` of a vector wants them.
    package var given: [(place: String, content: String)] {
        RegisterArea.allCases.flatMap { area -> [(place: String, content: String)] in
            var runs: [(place: Int, words: [UInt16])] = []
            for (address, word) in (image.areas[area] ?? [:]).sorted(by: { $0.key < $1.key }) {
                if let last = runs.last, last.place + last.words.count == address, !area.isBits {
                    runs[runs.count - 1].words.append(word)
                } else {
                    runs.append((address, [word]))
                }
            }
            return runs.map { run in
                (
                    Self.place(area, run.place),
                    area.isBits
                        ? "\(run.words[0])" : run.words.map { Self.hex($0, 4) }.joined()
                )
            }
        }
    }

    /// The file.
    package var text: String {
        var lines = ["format: device-recording/1", "taken: \"\(taken)\"", "from: \"\(from)\""]
        lines.append("unit: \(unit)")
        if let profile { lines.append("profile: \(profile)") }
        lines.append(given.isEmpty ? "registers: {}" : "registers:")
        lines += given.map { "  \($0.place): \"\($0.content)\"" }
        let refused = refused.map { "\(Self.place($0.area, $0.address))+\($0.count)" }.sorted()
        if !refused.isEmpty { lines.append("refused: [\(refused.joined(separator: ", "))]") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Reads such a file.
    package static func parse(_ text: String, file: String) throws(Faults) -> DeviceRecording {
        let faults = FaultCollector()
        var root = MappingReader(try LocatedNode.parse(text, file: file), faults)
        _ = root.required("format")?.word([("device-recording/1", true)], faults)
        var recording = DeviceRecording(
            taken: root.required("taken")?.string(faults) ?? "",
            from: root.optional("from")?.string(faults) ?? "",
            unit: root.required("unit")?.int(faults) ?? 1,
            profile: root.optional("profile")?.string(faults))
        if let node = root.required("registers") {
            let reader = TestReader(points: [], faults: faults)
            if case .registers(let areas)? = reader.registers(node) {
                recording.image = RegisterImage(areas)
                for (area, registers) in areas {
                    for address in registers.keys {
                        recording.read.insert(
                            RegisterRequest(area: area, address: address, count: 1))
                    }
                }
            }
        }
        _ = root.optional("refused")
        root.finish()
        try faults.throwIfAny()
        return recording
    }

    /// `holding/0x61`, or `coil/3`.
    package static func place(_ area: RegisterArea, _ address: Int) -> String {
        area.isBits
            ? "\(area.rawValue)/\(address)"
            : "\(area.rawValue)/0x\(hex(UInt16(clamping: address), 2))"
    }

    private static func hex(_ word: UInt16, _ digits: Int) -> String {
        let text = String(word, radix: 16, uppercase: true)
        let width = text.utf8.count > digits ? 4 : digits
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
