import ArgumentParser
import DeviceProfiles
import FieldLinks
import Gateway
import Telemetry

/// Registers as they are, and what numbers they could be.
extension Probe {
    func dump(_ address: BusAddress) async throws {
        let parts = at.split(separator: "/")
        let digits = parts.count == 2 ? parts[1] : ""
        let place =
            digits.hasPrefix("0x") ? Int(digits.dropFirst(2), radix: 16) : Int(digits)
        guard parts.count == 2, let area = RegisterArea(rawValue: String(parts[0])), let place,
            (0...65_535).contains(place), (1...125).contains(count), place + count <= 65_536
        else {
            throw Failure.badInput(
                say(
                    "--at wants holding/0x61, input/97, coil/0 or discrete/0 and --count 1 to 125",
                    "--at 应为 holding/0x61、input/97、coil/0 或 discrete/0，--count 为 1 至 125"))
        }
        let unit = try unitID(1)
        let probe = DeviceProbe(
            link: BusLink(
                address.place, responseTimeout: patience, believesAnyUnit: address.believesAnyUnit),
            timeout: patience)
        do throws(BusError) { try await probe.connect() } catch { try refuse("\(error)") }
        let request = RegisterRequest(area: area, address: place, count: count)
        var recording = DeviceRecording(
            taken: now(), from: "\(address.place) unit \(unit)", unit: Int(unit), profile: nil)
        var hasAnswered = false
        try await repeating {
            switch await probe.read(request, unit: unit) {
            case .success(let answer):
                hasAnswered = true
                recording.note(request, answer)
                print(Self.table(answer, request).text + "\n")
            case .failure(let error):
                if case .exception = error.code { recording.note(request, .bad(.exception)) }
                print(say("failed: ", "失败：") + "\(error)")
            }
        }
        try save(recording)
        if !hasAnswered { throw ExitCode(69) }
    }

    /// Registers as everybody may have meant them; both ways to number them.
    private static func table(_ answer: RegisterAnswer, _ request: RegisterRequest) -> TextTable {
        var table = TextTable([
            .init(say("register", "寄存器")), .init(say("as printed", "手册编号"), isNumber: true),
            .init(say("hex", "十六进制")), .init("uint16", isNumber: true),
            .init("int16", isNumber: true), .init("float ABCD", isNumber: true),
            .init("float CDAB", isNumber: true), .init("int32 ABCD", isNumber: true),
            .init("int32 CDAB", isNumber: true),
        ])
        let bases: [RegisterArea: Int] = [
            .coil: 1, .discrete: 10_001, .input: 30_001, .holding: 40_001,
        ]
        func row(_ offset: Int, _ cells: [String]) {
            let address = request.address + offset
            table.add(
                [
                    DeviceRecording.place(request.area, address),
                    "\((bases[request.area] ?? 1) + address)",
                ] + cells)
        }
        switch answer {
        case .registers(let words):
            for (offset, word) in words.enumerated() {
                let hex = String(word, radix: 16, uppercase: true)
                var cells = [
                    String(repeating: "0", count: 4 - hex.count) + hex, "\(word)",
                    "\(Int16(bitPattern: word))",
                ]
                if offset + 1 < words.count {
                    let high = UInt32(word) << 16 | UInt32(words[offset + 1])
                    let low = UInt32(words[offset + 1]) << 16 | UInt32(word)
                    cells += [
                        "\(Float(bitPattern: high))", "\(Float(bitPattern: low))",
                        "\(Int32(bitPattern: high))", "\(Int32(bitPattern: low))",
                    ]
                } else {
                    cells += ["–", "–", "–", "–"]
                }
                row(offset, cells)
            }
        case .bits(let bits):
            for (offset, bit) in bits.prefix(request.count).enumerated() {
                row(offset, ["–", bit ? "1" : "0", "–", "–", "–", "–", "–"])
            }
        case .bad: break
        }
        return table
    }
}
