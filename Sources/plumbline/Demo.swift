import ArgumentParser
import Foundation
import Gateway
import Logging
import ServiceLifecycle
import SiteSimulator
import Store
import Telemetry

/// `plumbline demo`: a simulated site, a broker and the gateway, in one process tree.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Shows a whole site at work: simulated devices, a real broker, the page.",
            "演示完整工地：模拟设备、真实 MQTT 代理和网页。"),
        discussion: say(
            """
            Examples:
              plumbline demo --port 8420
              plumbline demo --history 0 --uplinks my-platforms.yaml
            Everything lives in a temporary folder and on 127.0.0.1; Ctrl-C leaves nothing behind.
            """,
            """
            示例：
              plumbline demo --port 8420
              plumbline demo --history 0 --uplinks my-platforms.yaml
            数据在临时目录，只用 127.0.0.1；按 Ctrl-C 后不留任何东西。
            """))

    @Option(help: ArgumentHelp(say("Port of the page.", "网页端口。")))
    var port = 8420

    @Option(help: ArgumentHelp(say("Number from which the site follows.", "随机种子。")))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp(say("Hours of history to enter.", "补入的历史小时数。")))
    var history = 24

    @Option(
        help: ArgumentHelp(
            say("An address that is told of alarms.", "接收报警的网址。"), valueName: "url"))
    var webhook: String?

    @Option(
        help: ArgumentHelp(
            say(
                "A list of platforms to report to besides, as under 'uplinks' of a site; made-up data.",
                "另行上报的平台清单（格式同站点配置的 uplinks）；数据为模拟。"), valueName: "file"))
    var uplinks: String?

    @OptionGroup var folders: SharedFolders

    func validate() throws {
        guard (0...65_535).contains(port) else {
            throw ValidationError(say("--port lies between 0 and 65535", "--port 应在 0 到 65535 之间"))
        }
        guard (0...72).contains(history) else {
            throw ValidationError(say("--history lies between 0 and 72", "--history 应在 0 到 72 之间"))
        }
    }

    func run() async throws {
        try await reportingFailures {
            let share = try folders.folder()
            try capDescriptors()
            try refuseTakenPort()
            let logger = makeLogger(level: .warning)
            try await untilInterrupted(logger: logger) {
                let folder = FileManager.default.temporaryDirectory
                    .appending(path: "plumbline-demo-\(ProcessInfo.processInfo.processIdentifier)")
                    .path(percentEncoded: false)
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(atPath: folder) }
                try await PrivateBroker.run(in: folder) { broker in
                    try await demonstrate(share, folder, broker, logger)
                }
            }
        }
    }

    private func demonstrate(
        _ share: String, _ folder: String, _ brokerPort: Int, _ logger: Logger
    ) async throws {
        let library = try SiteFiles.library(at: share + "/Devices")
        let clock = SystemClock(believesWall: true)
        let broker = SimulatedEndpoints.Broker(host: "127.0.0.1", port: brokerPort)
        // A short event: its alarm comes within three minutes and is over a quarter of an hour later.
        let site = SimulatedSite(
            seed: seed, epoch: clock.read().wall, calendar: try demoCalendar(),
            dustEvent: DustEvent(lasting: .seconds(240)), heavyLift: .seconds(60))
        let bindings = try SimulatedBindings(library: library)
        let simulation = try SiteSimulation(
            site: site, library: library, broker: broker, clock: ContinuousClock(),
            wallClock: clock)
        let endpoints = try await simulation.start()
        let path = folder + "/site.yaml"
        try site.configuration(
            endpoints: endpoints, bindings: bindings, dataDirectory: folder + "/data",
            alarms: [share + "/Config/alarms/dust.yaml", share + "/Config/demo/alarms.yaml"],
            cranes: share + "/Config/cranes/work.yaml", figures: share + "/Config", uplink: broker,
            reportingSince: site.epoch, moreUplinks: uplinks.map(Self.absolute),
            feeds: feeds(brokerPort),
            listen: "127.0.0.1:\(port)"
        ).write(toFile: path, atomically: true, encoding: .utf8)
        let (bound, _) = try SiteFiles.site(at: path, devices: share + "/Devices")
        let gateway = try await SiteGateway(
            bound, library: library,
            surroundings: Surroundings(
                clock: ContinuousClock(), wallClock: clock, logger: logger,
                dashboards: dashboards(share),
                feedTemplates: { try feedTemplates(share) },
                onReady: { port in Self.greet(port, broker.port, folder) }))
        let past = DemoHistory(
            site: site, bindings: bindings, gateway: gateway, clock: clock, hours: history)
        do {
            try await cancelWhenGracefulShutdown { try await past.enter() }
        } catch {
            try? gateway.store.close()
            throw error
        }
        let services = try await gateway.services()
        try await runServices(
            [SimulationService(simulation: simulation), DemoScript(simulation: simulation)]
                + services, logger: logger)
    }

    /// Who hears of alarms: the demo's own broker, and a webhook if one is named.
    private func feeds(_ brokerPort: Int) -> [String] {
        let bus =
            "id: bus, mqtt: \"mqtt://127.0.0.1:\(brokerPort)\", topic: plumbline/demo-site/alarms"
        return [bus] + (webhook.map { ["id: hook, webhook: \"\($0)\""] } ?? [])
    }

    /// Paths of an option begin where the program was started, those of a configuration beside it.
    private static func absolute(_ path: String) -> String {
        URL(filePath: path).standardizedFileURL.path(percentEncoded: false)
    }

    private func refuseTakenPort() throws {
        guard port != 0, PortProbe.isTaken(port) else { return }
        throw Failure.unreachable(
            say(
                "port \(port) is taken; choose another: make demo PORT=8421",
                "端口 \(port) 已被占用；请换一个：make demo PORT=8421"))
    }

    private static func greet(_ port: Int, _ broker: Int, _ folder: String) {
        print(
            say(
                """

                  The page:    http://127.0.0.1:\(port)/        (?lang=zh for Chinese)
                  The API:     curl http://127.0.0.1:\(port)/api/v1/devices
                  Alarms:      mosquitto_sub -p \(broker) -t 'plumbline/demo-site/alarms/#' -v
                               curl http://127.0.0.1:\(port)/feed/alarms.atom
                  Aggregates:  mosquitto_sub -p \(broker) -t 'plumbline/#' -v
                  Readings:    \(CommandLine.arguments[0]) tail --data \(folder)/data

                You see a simulated construction site: a tower crane over MQTT, two dust and noise
                stations, four meters in a tree and a PV inverter over Modbus TCP. The last day was
                entered as history. Three alarms come and go by themselves: within two minutes a meter
                falls silent, within three the 15-minute mean of PM10 at dust-north passes its limit,
                within nine the crane lifts 96 % of what it may.
                Ctrl-C stops everything and leaves nothing behind.
                """,
                """

                  网页：      http://127.0.0.1:\(port)/?lang=zh
                  接口：      curl http://127.0.0.1:\(port)/api/v1/devices
                  报警：      mosquitto_sub -p \(broker) -t 'plumbline/demo-site/alarms/#' -v
                              curl http://127.0.0.1:\(port)/feed/alarms.atom
                  上报数据：  mosquitto_sub -p \(broker) -t 'plumbline/#' -v
                  实时读数：  \(CommandLine.arguments[0]) tail --data \(folder)/data

                这是一个模拟工地：一台塔机（MQTT），两台扬尘噪声站、四块分级电表和一台光伏逆变器
                （Modbus TCP）。过去一天已作为历史补入。三条报警会自行出现并恢复：两分钟内一块电表
                无数据，三分钟内 dust-north 的 PM10 15 分钟均值超限，九分钟内塔机吊到额定力矩的
                96 %。按 Ctrl-C 全部停止，不留任何东西。
                """))
    }
}

/// What happens to the simulated site by itself: a meter falls silent for a while.
private struct DemoScript: Service {
    let simulation: SiteSimulation

    func run() async throws {
        await cancelWhenGracefulShutdown {
            do {
                try await Task.sleep(for: .seconds(40))
                simulation.set(fault: .silent, for: DeviceID("meter-living"))
                try await Task.sleep(for: .seconds(110))
                simulation.set(fault: nil, for: DeviceID("meter-living"))
                // A service that returns ends all others.
                while true { try await Task.sleep(for: .seconds(3600)) }
            } catch {
                // The demo ends.
            }
        }
    }
}
