import ArgumentParser
import DeviceProfiles
import FieldLinks
import Foundation
import Gateway
import LocatedText
import Telemetry

/// `plumbline probe`: one device live, or a walk over a bus.
struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Reads one device live, or looks who is on a bus; writes nothing.",
            "实时读取一台设备，或扫描总线上的设备；不写入任何数据。"),
        discussion: say(
            """
            Examples:
              plumbline probe --connect tcp://192.0.2.10:502 --unit 1 --profile acrel/adl3000
              plumbline probe --connect rtu:///dev/ttyUSB0?baud=9600 --unit 3 --at holding/0x61 --count 8
              plumbline probe --connect rtu:///dev/ttyUSB0 --key 123456789012 --profile generic/dlt645-2007
              plumbline probe --connect rtu:///dev/ttyUSB0 --scan --units 1-32
            Stop the service first if it uses the same line. --record writes what the device said to a
            file, which stands in a profile's test or behind 'plumbline simulate --recording'.
            """,
            """
            示例：
              plumbline probe --connect tcp://192.0.2.10:502 --unit 1 --profile acrel/adl3000
              plumbline probe --connect rtu:///dev/ttyUSB0?baud=9600 --unit 3 --at holding/0x61 --count 8
              plumbline probe --connect rtu:///dev/ttyUSB0 --key 123456789012 --profile generic/dlt645-2007
              plumbline probe --connect rtu:///dev/ttyUSB0 --scan --units 1-32
            若服务占用同一串口，请先停止服务。--record 将设备应答写入文件，可用作档案测试
            或 'plumbline simulate --recording'。
            """))

    @Option(
        help: ArgumentHelp(
            say(
                "tcp://HOST:502, rtu:///dev/…?baud=9600, rtu+tcp://HOST:4001",
                "tcp://主机:502、rtu:///dev/…?baud=9600、rtu+tcp://主机:4001"),
            valueName: "address"))
    var connect: String

    @Option(help: ArgumentHelp(say("The unit id, 0 to 255.", "站号，0 至 255。")))
    var unit: Int?

    @Option(
        help: ArgumentHelp(say("A meter's address (DL/T 645, CJ/T 188).", "表号（DL/T 645、CJ/T 188）。"))
    )
    var key: String?

    @Option(help: ArgumentHelp(say("The device's profile.", "设备档案。"), valueName: "vendor/model"))
    var profile: String?

    @Option(help: ArgumentHelp(say("The profile's interface, if several fit.", "档案的接口名。")))
    var interface: String?

    @Option(
        name: .customLong("param"),
        help: ArgumentHelp(
            say("A parameter of the profile, for example ct_ratio=60.", "档案参数，如 ct_ratio=60。"),
            valueName: "name=value"))
    var parameters: [String] = []

    @Option(
        help: ArgumentHelp(say("Raw registers from here.", "原始寄存器起始地址。"), valueName: "area/address")
    )
    var at = "holding/0"

    @Option(help: ArgumentHelp(say("How many registers, 1 to 125.", "寄存器个数，1 至 125。")))
    var count = 10

    @Option(
        help: ArgumentHelp(
            say("Looks again after so many seconds.", "刷新间隔（秒）。"), valueName: "seconds"))
    var every = 2.0

    @Option(name: .shortAndLong, help: ArgumentHelp(say("Ends after so many looks.", "读取次数。")))
    var looks: Int?

    @Option(
        help: ArgumentHelp(
            say("How long a unit may take, in milliseconds.", "应答超时（毫秒）。"), valueName: "ms"))
    var timeout: Int?

    @Option(
        help: ArgumentHelp(
            say("Writes what the device said to a file.", "将应答写入文件。"), valueName: "file"))
    var record: String?

    @Flag(help: ArgumentHelp(say("Looks who is on the bus.", "扫描总线。")))
    var scan = false

    @Option(help: ArgumentHelp(say("The units to scan.", "扫描的站号范围。"), valueName: "1-247"))
    var units = "1-32"

    @Option(help: ArgumentHelp(say("The rates to scan.", "扫描的波特率。"), valueName: "baud,…"))
    var bauds: String?

    @Option(
        help: ArgumentHelp(say("The character forms to scan.", "扫描的字符格式。"), valueName: "8N1,8E1,…"))
    var forms: String?

    @OptionGroup var folders: SharedFolders

    func run() async throws {
        try await reportingFailures {
            try capDescriptors()
            let address = try BusAddress.parse(connect, name: "--connect")
            if case .dialIn = address.place {
                throw Failure.badInput(
                    say(
                        "--connect: a probe calls; 'rtu+listen' is for the service",
                        "--connect：probe 只能主动连接，'rtu+listen' 供服务使用"))
            }
            if scan { return try await walk(address) }
            if let profile { return try await watch(profile, address) }
            try await dump(address)
        }
    }

    private func number(_ text: String, _ option: String) throws -> Int {
        guard let number = Int(text.trimmingCharacters(in: .whitespaces)) else {
            throw Failure.badInput(
                say("\(option): '\(text)' is no number", "\(option)：'\(text)' 不是数字"))
        }
        return number
    }

    var patience: Duration { .milliseconds(max(10, timeout ?? 1000)) }

    func unitID(_ standard: Int? = nil) throws -> UInt8 {
        guard let id = unit ?? standard, let byte = UInt8(exactly: id) else {
            throw Failure.badInput(
                say("--unit is missing, or not between 0 and 255", "缺少 --unit，或不在 0 至 255 之间"))
        }
        return byte
    }

    /// Calls `body` for each look, until there have been enough, or Ctrl-C.
    func repeating(_ body: () async throws -> Void) async throws {
        var done = 0
        while true {
            try await body()
            done += 1
            if let looks, done >= looks { return }
            if looks == nil, isatty(STDOUT_FILENO) == 0 { return }
            try await Task.sleep(for: .milliseconds(Int(max(0.1, every) * 1000)))
        }
    }

    /// The time for a recording's head.
    func now() -> String { SystemClock(believesWall: true).read().wall.rfc3339() }

    func save(_ recording: DeviceRecording) throws {
        guard let record else { return }
        try write(recording.text, to: record)
        complain(
            say(
                "recorded to \(record); 'registers:' can stand under 'given:' of a profile's test",
                "已记录到 \(record)；其中 'registers:' 可直接用作档案测试的 'given:'"))
    }
}

// MARK: A device and its profile

extension Probe {
    private func watch(_ id: String, _ given: BusAddress) async throws {
        let library = try SiteFiles.library(at: try folders.folder() + "/Devices")
        guard let profile = library[id] else {
            throw Failure.badInput(
                say("there is no profile '\(id)'", "没有档案 '\(id)'")
                    + (library.nearest(to: id).map {
                        say("; did you mean '\($0)'?", "；是否为 '\($0)'？")
                    }
                        ?? ""))
        }
        let name = try choose(profile, given)
        let address = given.completed(by: profile, interface: name)
        var values: [String: Double] = [:]
        for parameter in parameters {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let value = Double(parts[1]) else {
                throw Failure.badInput(
                    say("--param wants name=value, not '\(parameter)'", "--param 应为 名称=数值"))
            }
            values[String(parts[0])] = value
        }
        if case .meter? = profile.interfaces[name] {
            return try await watchMeter(profile, name, values, address)
        }
        let binding: ModbusBinding
        do {
            binding = try ModbusBinding(
                profile: profile, interface: name, parameters: values, device: DeviceID("probe"))
        } catch { throw Failure.badInput("\(error)") }
        let unit = try unitID(binding.defaultUnit)
        let probe = DeviceProbe(
            link: BusLink(
                address.place, responseTimeout: binding.responseTimeout,
                believesAnyUnit: address.believesAnyUnit),
            timeout: timeout == nil ? binding.responseTimeout : patience)
        var recording = DeviceRecording(
            taken: now(), from: "\(address.place) unit \(unit)", unit: Int(unit),
            profile: profile.id)
        let outcome: DevicePreparation.Outcome?
        do throws(BusError) {
            try await probe.connect()
            outcome = try await probe.prepare(binding, unit: unit, &recording)
        } catch {
            try refuse("\(error)")
        }
        let ready: ModbusBinding
        switch outcome {
        case .ready(let found)?: ready = found
        case nil: ready = binding
        case .different(let why)?:
            try save(recording)
            try refuse(
                say("the device is not '\(profile.id)': \(why)", "设备与 '\(profile.id)' 不符：\(why)"))
        }
        for (name, value) in ready.ratios.sorted(by: { $0.key < $1.key }) {
            print(say("read from the device: ", "从设备读得：") + "\(name) = \(value)")
        }
        try await repeating {
            let look = await probe.look(ready, unit: unit, &recording)
            show(look)
        }
        try save(recording)
    }

    func refuse(_ text: String) throws -> Never { throw Failure.unreachable(text) }

    /// The interface that fits the address; named where several do.
    private func choose(_ profile: DeviceProfile, _ address: BusAddress) throws -> String {
        let fitting = address.protocols.flatMap { profile.interfaces(speaking: $0) }
        if let interface {
            if fitting.contains(interface) { return interface }
        } else if fitting.count == 1 {
            return fitting[0]
        }
        let known = fitting.joined(separator: ", ")
        throw Failure.badInput(
            fitting.isEmpty
                ? say(
                    "'\(profile.id)' does not speak there", "'\(profile.id)' 不支持该连接方式")
                : say("name one with --interface: \(known)", "请用 --interface 指定：\(known)"))
    }

    private func watchMeter(
        _ profile: DeviceProfile, _ name: String, _ values: [String: Double], _ address: BusAddress
    ) async throws {
        guard let key else {
            throw Failure.badInput(
                say("--key is missing: the address on the meter's face", "缺少 --key：表面上的表号"))
        }
        let binding: MeterBinding
        do {
            binding = try MeterBinding(
                profile: profile, interface: name, parameters: values, device: DeviceID("probe"),
                key: key)
        } catch { throw Failure.badInput("\(error)") }
        let probe = DeviceProbe(
            link: BusLink(
                address.place, responseTimeout: binding.responseTimeout, isShared: true),
            timeout: timeout == nil ? binding.responseTimeout : patience)
        do throws(BusError) { try await probe.connect() } catch { try refuse("\(error)") }
        var frames: [[UInt8]] = []
        try await repeating {
            let look = await probe.look(binding)
            if !look.frames.isEmpty { frames = look.frames }
            show(look)
        }
        try save(frames, of: profile, key)
    }

    /// A meter's answers, as `given:` of a vector wants them.
    private func save(_ frames: [[UInt8]], of profile: DeviceProfile, _ key: String) throws {
        guard let record else { return }
        let lines = frames.map { frame in
            "  - \"" + frame.map { String(format: "%02X", $0) }.joined(separator: " ") + "\""
        }
        try write(
            (["# \(profile.id), \(now())", "key: \"\(key)\"", "frames:"] + lines)
                .joined(separator: "\n") + "\n", to: record)
        complain(
            say(
                "recorded to \(record); it can stand under 'given:' of a profile's test",
                "已记录到 \(record)；可直接用作档案测试的 'given:'"))
    }

    private func write(_ text: String, to file: String) throws {
        do {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        } catch {
            throw Failure.inputOutput("\(file): \(error.localizedDescription)")
        }
    }

    private func show(_ look: DeviceProbe.Look) {
        var table = TextTable([
            .init(say("point", "点位")), .init(say("from", "地址")), .init(say("raw", "原始值")),
            .init(say("value", "数值"), isNumber: true), .init(say("unit", "单位")),
            .init(say("quality", "质量")),
        ])
        for row in look.rows {
            table.add([
                row.key.text, row.places, row.raw.isEmpty ? "–" : row.raw,
                row.reading.isGood ? row.reading.shown : "–", row.unit, row.reading.qualityWord,
            ])
        }
        print(table.text)
        for failure in look.failures { print(say("failed: ", "失败：") + failure) }
        print("")
    }
}
