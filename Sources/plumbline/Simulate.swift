import ArgumentParser
import DeviceProfiles
import FieldLinks
import Foundation
import Gateway
import Logging
import ServiceLifecycle
import SiteSimulator
import Telemetry

/// `plumbline simulate`: the simulated site alone, for trying a gateway against it.
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Runs a simulated site: Modbus TCP servers and MQTT publishers.",
            "运行模拟工地：Modbus TCP 服务器与 MQTT 发布者。"),
        discussion: say(
            """
            Examples:
              plumbline simulate
              plumbline simulate --broker 127.0.0.1:1883 --modbus-port 5020 --seed 7
              plumbline simulate --recording meter.yaml --modbus-port 5020
              plumbline simulate --fault meter-main=late=500ms --fault dust-north=babbling
              plumbline simulate --year 2025 --into /tmp/year    a year to try 'energy' on
            Equal seeds give equal values.
            """,
            """
            示例：
              plumbline simulate
              plumbline simulate --broker 127.0.0.1:1883 --modbus-port 5020 --seed 7
              plumbline simulate --recording meter.yaml --modbus-port 5020
              plumbline simulate --fault meter-main=late=500ms --fault dust-north=babbling
              plumbline simulate --year 2025 --into /tmp/year    生成一年数据，用于试用 energy
            种子相同，数值相同。
            """))

    @Option(help: ArgumentHelp(say("Number from which the site follows.", "随机种子。")))
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            say("Broker for the crane; none leaves it out.", "塔机使用的 MQTT 代理；省略则不发布。"),
            valueName: "host:port"))
    var broker: String?

    @Option(help: ArgumentHelp(say("First Modbus port; free ones otherwise.", "首个 Modbus 端口。")))
    var modbusPort: Int?

    @Option(
        help: ArgumentHelp(
            say(
                "One device that says what 'probe --record' wrote down.",
                "仅模拟一台设备，应答取自 'probe --record' 的记录。"),
            valueName: "file"))
    var recording: String?

    @Option(
        help: ArgumentHelp(
            say(
                "A device misbehaves: device=fault, where fault is one of "
                    + SimulationFault.words.joined(separator: ", ")
                    + ". May be repeated.",
                "让设备出错：设备=故障，故障为 \(SimulationFault.words.joined(separator: "、"))；可重复。"),
            valueName: "device=fault"))
    var fault: [String] = []

    @Option(
        help: ArgumentHelp(
            say(
                "Writes a year of meters with its store and truth instead; needs --into.",
                "改为生成一年的电表数据、数据库和真值；需配合 --into。")))
    var year: Int?

    @Option(help: ArgumentHelp(say("The folder for --year.", "--year 的输出目录。"), valueName: "folder"))
    var into: String?

    @Option(help: ArgumentHelp(say("The time zone for --year.", "--year 的时区。")))
    var zone: String = "Asia/Shanghai"

    @OptionGroup var folders: SharedFolders

    func run() async throws {
        try await reportingFailures {
            if let year {
                guard let into, (1990...2090).contains(year) else {
                    throw Failure.badInput(
                        say(
                            "--year wants a year from 1990 to 2090, and --into a folder",
                            "--year 需为 1990 至 2090 的年份，并用 --into 指定目录"))
                }
                return try await SimulateYear(
                    year: year, folder: into, zone: zone, seed: seed, share: try folders.folder()
                ).write()
            }
            let faults = try Self.faults(fault, now: SystemClock(believesWall: true).read().wall)
            try capDescriptors()
            if let recording { return try await replay(recording) }
            let library = try SiteFiles.library(at: try folders.folder() + "/Devices")
            let clock = SystemClock(believesWall: true)
            let site = SimulatedSite(
                seed: seed, epoch: clock.read().wall, calendar: try demoCalendar())
            let simulation = try SiteSimulation(
                site: site, library: library, broker: try brokerAddress(),
                ports: modbusPort.map { .from($0) } ?? .free, clock: ContinuousClock(),
                wallClock: clock)
            for (device, fault) in faults { simulation.set(fault: fault, for: device) }
            let endpoints: SimulatedEndpoints
            do {
                endpoints = try await simulation.start()
            } catch {
                throw Failure.unreachable("\(error)")
            }
            print(Self.table(of: endpoints).text)
            print(say("Ctrl-C stops it.", "按 Ctrl-C 停止。"))
            let logger = makeLogger(level: .warning)
            try await runServices([SimulationService(simulation: simulation)], logger: logger)
        }
    }

    private func replay(_ path: String) async throws {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw Failure.inputOutput("\(path): \(error.localizedDescription)")
        }
        let recording = try DeviceRecording.parse(text, file: path)
        let device: RecordedDevice
        do {
            device = try RecordedDevice(recording, port: modbusPort ?? 0)
        } catch {
            throw Failure.unreachable("\(error)")
        }
        print(
            say(
                "tcp://127.0.0.1:\(device.port) unit \(recording.unit): as recorded \(recording.taken)",
                "tcp://127.0.0.1:\(device.port) 站号 \(recording.unit)：记录于 \(recording.taken)"))
        print(say("Ctrl-C stops it.", "按 Ctrl-C 停止。"))
        let logger = makeLogger(level: .warning)
        try await runServices([RecordedService(device: device)], logger: logger)
    }

    /// What `--fault` says, in order.
    static func faults(
        _ texts: [String], now: Timestamp
    ) throws -> [(DeviceID, SimulationFault)] {
        try texts.map { text in
            let parts = text.split(separator: "=", maxSplits: 1)
            let known = SimulatedSite.devices.map(\.id.text)
            guard parts.count == 2, known.contains(String(parts[0])),
                let fault = SimulationFault(String(parts[1]), now: now)
            else {
                throw Failure.badInput(
                    say(
                        "--fault wants device=fault, not '\(text)'; the devices are "
                            + known.joined(separator: ", ") + "; the faults are "
                            + SimulationFault.words.joined(separator: ", "),
                        "--fault 应为 设备=故障，而不是 '\(text)'；设备：\(known.joined(separator: "、"))；"
                            + "故障：\(SimulationFault.words.joined(separator: "、"))"))
            }
            return (DeviceID(String(parts[0])), fault)
        }
    }

    private func brokerAddress() throws -> SimulatedEndpoints.Broker? {
        guard let broker else { return nil }
        let parts = broker.split(separator: ":")
        guard parts.count == 2, let port = Int(parts[1]), (1...65_535).contains(port) else {
            throw Failure.badInput(
                say("--broker wants host:port, not '\(broker)'", "--broker 应为 主机:端口"))
        }
        return SimulatedEndpoints.Broker(host: String(parts[0]), port: port)
    }

    static func table(of endpoints: SimulatedEndpoints) -> TextTable {
        var table = TextTable([
            .init(say("device", "设备")), .init(say("where", "地址")), .init(say("profile", "档案")),
        ])
        for device in SimulatedSite.devices {
            let place: String
            switch endpoints.devices[device.id] {
            case .modbus(let host, let port, let unit): place = "tcp://\(host):\(port) unit \(unit)"
            case .mqtt(let host, let port, let topic, _): place = "mqtt://\(host):\(port) \(topic)"
            case nil: place = "–"
            }
            table.add([device.id.text, place, device.profile])
        }
        return table
    }
}

/// A recorded device as a service: stops when it is asked to.
struct RecordedService: Service {
    let device: RecordedDevice

    func run() async throws {
        await withGracefulShutdownHandler {
            await device.run()
        } onGracefulShutdown: {
            device.stop()
        }
    }
}

/// The simulated site as a service: stops when it is asked to.
struct SimulationService: Service {
    let simulation: SiteSimulation

    func run() async throws {
        await withGracefulShutdownHandler {
            await simulation.run()
        } onGracefulShutdown: {
            simulation.stop()
        }
    }
}

/// The simulated site lies in China.
func demoCalendar() throws -> SiteCalendar {
    guard let calendar = SiteCalendar(systemZone: "Asia/Shanghai") else {
        throw Failure.inputOutput(
            say("the time zone database is missing (package tzdata)", "缺少时区数据（tzdata）"))
    }
    return calendar
}
