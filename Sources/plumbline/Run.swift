import ArgumentParser
import FeedFormats
import FieldLinks
import Foundation
import Gateway
import Logging
import ServiceLifecycle
import Store
import WebAPI

/// `plumbline run`: the gateway, until it is asked to stop.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say("Runs the gateway of a site.", "运行站点网关。"),
        discussion: say(
            """
            Example: plumbline run --config /etc/plumbline/site.yaml
            SIGTERM and Ctrl-C stop it; what was read is on the disk then.
            """,
            """
            示例：plumbline run --config /etc/plumbline/site.yaml
            收到 SIGTERM 或 Ctrl-C 后停止，已读数据均已落盘。
            """))

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(say("The site's configuration.", "站点配置文件。"), valueName: "file"))
    var config = "/etc/plumbline/site.yaml"

    @OptionGroup var folders: SharedFolders

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error"))
    var logLevel: Logger.Level = .info

    func run() async throws {
        try await reportingFailures {
            let share = try folders.folder()
            let (site, library) = try SiteFiles.site(
                at: config, devices: share + "/Devices", readsAll: false)
            try capDescriptors()
            let logger = makeLogger(level: logLevel)
            let notification = ServiceNotification()
            let gateway: SiteGateway
            do {
                gateway = try await SiteGateway(
                    site, library: library,
                    surroundings: Surroundings(
                        clock: ContinuousClock(),
                        wallClock: SystemClock(believesWall: false), builtAt: builtAt,
                        logger: logger, dashboards: dashboards(share),
                        feedTemplates: { try feedTemplates(share) },
                        onRound: { notification.alive() },
                        onReady: { port in
                            logger.notice("ready", metadata: ["port": "\(port)"])
                            notification.ready("reading; http://127.0.0.1:\(port)/")
                        }))
            } catch {
                throw Failure.inputOutput("\(error)")
            }
            try await runServices(try await gateway.services(), logger: logger)
            notification.stopping()
        }
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

/// Runs services until SIGTERM or SIGINT, and stops them in the reverse order.
///
/// Within `untilInterrupted` the signals reach the services through it.
func runServices(_ services: [any Service], logger: Logger) async throws {
    // Named by their types: a service without a name is named by printing everything that it holds,
    // which took a third of the start.
    var configuration = ServiceGroupConfiguration(
        services: services.map { .init(service: $0, serviceName: "\(type(of: $0))") },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(30)
    do {
        try await ServiceGroup(configuration: configuration).run()
    } catch let error as IngestionError {
        throw Failure.inputOutput("\(error)")
    } catch let error as StoreError {
        throw Failure.inputOutput("\(error)")
    }
}

/// Does work that prepares much before its services run; SIGTERM and SIGINT end all of it in order.
///
/// The signals are caught from the first moment to the last, so none falls between the preparation
/// and the services. What is to be cut short stands in `cancelWhenGracefulShutdown`; that it throws
/// `CancellationError` then is what was asked for, and no failure.
func untilInterrupted(
    logger: Logger, _ work: @escaping @Sendable () async throws -> Void
) async throws {
    var service = ServiceGroupConfiguration.ServiceConfiguration(service: Interruptible(work: work))
    service.successTerminationBehavior = .gracefullyShutdownGroup
    let configuration = ServiceGroupConfiguration(
        services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    do {
        try await ServiceGroup(configuration: configuration).run()
    } catch is CancellationError {}
}

private struct Interruptible: Service {
    let work: @Sendable () async throws -> Void

    func run() async throws { try await work() }
}

/// libmodbus ends the process above descriptor 1023, so none beyond it must ever be given out.
func capDescriptors() throws {
    do {
        _ = try DescriptorBudget.capProcess()
    } catch {
        throw Failure.inputOutput("\(error)")
    }
}

/// Where the page and the chart libraries lie.
func dashboards(_ share: String) -> DashboardFiles {
    DashboardFiles(
        directory: share + "/Dashboards", vendor: DashboardFiles.debianVendor)
}

/// Sends every log line to standard error, which journald reads; called once.
func makeLogger(level: Logger.Level) -> Logger {
    LoggingSystem.bootstrap { label in
        var handler = StreamLogHandler.standardError(label: label)
        handler.logLevel = level
        return handler
    }
    return Logger(label: "plumbline")
}

/// The words in which people are told of alarms.
///
/// - Throws: `Failure` when a template is missing or cannot be read.
@Sendable func feedTemplates(_ share: String) throws -> FeedTemplates {
    var texts: [String: String] = [:]
    for file in FeedTemplates.files {
        let path = "\(share)/Config/feeds/templates/\(file)"
        do {
            texts[file] = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw Failure.inputOutput(
                say("the template \(path) cannot be read", "无法读取模板 \(path)"))
        }
    }
    do {
        return try FeedTemplates(texts: texts)
    } catch {
        throw Failure.badInput(
            say(
                "the templates in \(share)/Config/feeds/templates: \(error)",
                "\(share)/Config/feeds/templates 中的模板：\(error)"))
    }
}
