import ArgumentParser
import DeviceProfiles
import FieldLinks
import Foundation
import Gateway
import Telemetry

/// `plumbline probe --scan`: who is on the bus, and the lines to paste.
extension Probe {
    func walk(_ address: BusAddress) async throws {
        let library = try SiteFiles.library(at: try folders.folder() + "/Devices")
        let range = try unitRange()
        let places = address.variants(bauds: try rates(), forms: try characterForms())
        let progress = ProgressLine(say("scanning", "扫描中"), withoutTerminalEvery: .seconds(10))
        var found: [BusScan.Found] = []
        do throws(BusError) {
            try await BusScan(library: library, timeout: .milliseconds(timeout ?? 300)).run(
                places, units: range, looksForMeters: true,
                onProgress: { progress.show($0) }, onFound: { found.append($0) })
        } catch {
            progress.end()
            throw Failure.unreachable("\(error)")
        }
        progress.end()
        guard !found.isEmpty else {
            throw Failure.unreachable(
                say(
                    "nobody answered at \(connect), units \(range.lowerBound) to \(range.upperBound)"
                        + "; try --bauds, --forms 8N1,8E1, another --units, or swap A and B",
                    "\(connect) 站号 \(range.lowerBound) 至 \(range.upperBound) 无应答；"
                        + "可尝试 --bauds、--forms 8N1,8E1、其他 --units，或对调 A/B 线"))
        }
        show(found, library)
        paste(found)
    }

    private func unitRange() throws -> ClosedRange<Int> {
        let parts = units.split(separator: "-").compactMap { Int($0) }
        if parts.count == 1, (0...255).contains(parts[0]) { return parts[0]...parts[0] }
        guard parts.count == 2, parts[0] <= parts[1], parts[0] >= 0, parts[1] <= 255 else {
            throw Failure.badInput(
                say("--units wants 1-32, or one unit", "--units 应为 1-32 或单个站号"))
        }
        return parts[0]...parts[1]
    }

    private func rates() throws -> [Int] {
        guard let bauds else { return [9600, 4800, 19_200, 2400] }
        return try bauds.split(separator: ",").map { text in
            guard let baud = Int(text), SerialLine.bauds.contains(baud) else {
                throw Failure.badInput(
                    say("--bauds: '\(text)' is no rate", "--bauds：'\(text)' 不是有效波特率"))
            }
            return baud
        }
    }

    private func characterForms() throws -> [(SerialLine.Parity, Int)] {
        guard let forms else { return [(.none, 1), (.even, 1)] }
        let known: [String: (SerialLine.Parity, Int)] = [
            "8N1": (.none, 1), "8N2": (.none, 2), "8E1": (.even, 1), "8O1": (.odd, 1),
            "8E2": (.even, 2), "8O2": (.odd, 2),
        ]
        return try forms.split(separator: ",").map { text in
            guard let form = known[text.uppercased()] else {
                throw Failure.badInput(
                    say(
                        "--forms: '\(text)' is none of \(known.keys.sorted().joined(separator: ", "))",
                        "--forms：'\(text)' 应为 \(known.keys.sorted().joined(separator: "、"))"))
            }
            return form
        }
    }

    private func show(_ found: [BusScan.Found], _ library: ProfileLibrary) {
        var table = TextTable([
            .init(say("line", "线路")), .init(say("unit", "站号"), isNumber: true),
            .init(say("profile", "档案")), .init(say("known from", "依据")),
            .init(say("fits", "吻合度"), isNumber: true),
        ])
        for device in found {
            let line = device.line?.settings ?? "–"
            let unit = device.meter?.address ?? "\(device.unit)"
            if device.candidates.isEmpty {
                table.add([line, unit, say("none fits", "无匹配档案"), "–", "–"])
            }
            for candidate in device.candidates.prefix(3) {
                table.add([
                    line, unit, candidate.profile, candidate.status.rawValue,
                    device.meter == nil ? "\(Int((candidate.fit * 100).rounded())) %" : "–",
                ])
            }
        }
        print(table.text)
        for device in found where !device.guesses.isEmpty {
            print("")
            print(
                say(
                    "unit \(device.unit): by physics these registers may be (compare with the display):",
                    "站号 \(device.unit)：按物理规律，以下寄存器可能是（请与表计显示核对）："))
            for guess in device.guesses { print("  " + Self.words(guess)) }
        }
    }

    private static func words(_ guess: RegisterGuess) -> String {
        let place = DeviceRecording.place(guess.area, guess.address)
        let order = guess.type.registers > 1 ? " \(guess.wordOrder.rawValue)" : ""
        let values = guess.values.map { short($0, places: 2) }.joined(separator: ", ")
        let meaning =
            switch guess.meaning {
            case .frequency: say("frequency", "频率")
            case .voltages: say("three voltages", "三相电压")
            case .powers: say("three powers and their total", "三相功率及合计")
            }
        return "\(place)  \(guess.type.rawValue)\(order) × \(guess.scale): \(meaning) \(values)"
    }

    private func paste(_ found: [BusScan.Found]) {
        print("")
        print(say("for the configuration:", "可粘贴到配置文件："))
        var links: [(line: SerialLine?, devices: [BusScan.Found])] = []
        for device in found {
            if let index = links.firstIndex(where: { $0.line == device.line }) {
                links[index].devices.append(device)
            } else {
                links.append((device.line, [device]))
            }
        }
        print("links:")
        for (number, link) in links.enumerated() {
            let place = link.line.map(Self.address) ?? connect
            print("  - id: bus-\(number + 1)")
            print("    bus: \"\(place)\"")
            print("    devices:")
            for device in link.devices {
                let profile = device.candidates.first?.profile ?? "…"
                if let meter = device.meter {
                    print(
                        "      - { id: meter-\(meter.address.suffix(4)), profile: \(profile), "
                            + "key: \"\(meter.address)\" }")
                } else {
                    print(
                        "      - { id: device-\(device.unit), profile: \(profile), unit: \(device.unit) }"
                            + (device.candidates.isEmpty
                                ? say(
                                    "   # no profile fits: docs/add-a-device.md",
                                    "   # 无匹配档案：见 docs/add-a-device.md")
                                : ""))
                }
            }
        }
    }

    private static func address(_ line: SerialLine) -> String {
        "rtu://\(line.path)?baud=\(line.baud)&parity=\(line.parity.rawValue)"
            + "&data_bits=\(line.dataBits)&stop_bits=\(line.stopBits)"
    }
}
