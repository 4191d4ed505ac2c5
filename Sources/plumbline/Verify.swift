import ArgumentParser
import Foundation
import Store
import Telemetry

/// `plumbline verify`: whether the store's file is what it should be.
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Proves the store: structure, checksums, rollups, alarms, audit chain.",
            "校验数据文件：结构、校验和、统计值、报警、审计链。"),
        discussion: say(
            """
            Examples:
              plumbline verify --config site.yaml
              plumbline verify --data /var/lib/plumbline --format json
            Reads only, in short steps, also beside the running gateway. Exits with 0 when all is
            sound, 1 when something is damaged, 74 when the file cannot be read. What is damaged
            is listed by device and time; `plumbline salvage` saves the rest.
            """,
            """
            示例：
              plumbline verify --config site.yaml
              plumbline verify --data /var/lib/plumbline --format json
            只读，分小步进行，可与网关同时运行。退出码：0 完好，1 有损坏，74 无法读取。
            损坏处按设备和时间列出；`plumbline salvage` 可救出其余数据。
            """))

    @OptionGroup var source: StoreArguments

    @Option(help: ArgumentHelp("table, csv, json"))
    var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            if let damage = try openingDamage() { return try tell(damage) }
            let (reader, calendar, close) = try source.open()
            defer { close() }
            let line = SharedProgressLine(say("verifying", "校验中"))
            let report: VerificationReport
            do {
                report = try await StoreVerification(reader).run(
                    progress: { share, _ in line.show(share) })
            } catch {
                line.end()
                throw Failure.inputOutput(
                    say("the store cannot be read: \(error)", "无法读取数据文件：\(error)"))
            }
            line.end()
            if format == .json {
                printJSON(report)
            } else {
                show(checks(report), format)
                if !report.damage.isEmpty {
                    print("")
                    show(lossTable(report.damage, calendar), format)
                }
                print("")
                print(
                    report.isSound
                        ? say("the store is sound", "数据文件完好")
                        : say(
                            "the store is damaged; stop the gateway and run `plumbline salvage`, or"
                                + " let its next start do it",
                            "数据文件有损坏；请停止网关后运行 `plumbline salvage`，或由下次启动自动处理"))
            }
            if !report.isSound { throw ExitCode(1) }
        }
    }

    /// SQLite's words when the file is too damaged to be opened.
    private func openingDamage() throws -> String? {
        do {
            try Store.openReadOnly(directory: try source.directory(), calendar: .utc).close()
            return nil
        } catch let error as StoreError where error.code == .corrupt {
            return error.cause
        } catch is StoreError {
            // Told by the opening that follows.
            return nil
        }
    }

    private func tell(_ damage: String) throws {
        if format == .json {
            printJSON(["unreadable": damage])
        } else {
            print(
                say(
                    "the store is too damaged to be opened: \(damage)\n`plumbline salvage` takes"
                        + " out what is left, and the gateway's next start does it by itself",
                    "数据文件损坏严重，无法打开：\(damage)\n请用 `plumbline salvage` 抢救，或由网关下次启动自动处理"))
        }
        throw ExitCode(1)
    }

    private func checks(_ report: VerificationReport) -> TextTable {
        var table = TextTable([
            .init(say("check", "检查项")), .init(say("checked", "已检查"), isNumber: true),
            .init(say("damaged", "损坏"), isNumber: true),
        ])
        for check in report.checks {
            table.add([check.name.shown, "\(check.checked)", "\(check.damaged)"])
        }
        return table
    }
}

extension VerificationReport.Name {
    var shown: String {
        switch self {
        case .structure: say("structure", "文件结构")
        case .schema: say("schema", "表结构")
        case .registry: say("registry", "登记表")
        case .journal: say("journal rows", "日志行")
        case .buckets: say("buckets", "数据块")
        case .rollups: say("rollups", "统计值")
        case .alarms: say("alarms", "报警")
        case .outbox: say("owed items", "待上报")
        case .audit: say("audit chain", "审计链")
        }
    }
}

/// What is damaged or lost, by device and time.
func lossTable(_ losses: [DataLoss], _ calendar: SiteCalendar) -> TextTable {
    var table = TextTable([
        .init(say("device", "设备")), .init(say("part", "部分")), .init(say("from", "自")),
        .init(say("to", "至")), .init(say("rows", "行数"), isNumber: true),
        .init(say("table", "表")), .init(say("cause", "原因")),
    ])
    let time = { (value: Int64?) in
        value.map { calendar.rfc3339(Timestamp(milliseconds: $0)) } ?? "–"
    }
    for loss in losses {
        table.add([
            loss.device ?? "–", loss.part ?? "–", time(loss.from), time(loss.to), "\(loss.rows)",
            loss.table, loss.cause,
        ])
    }
    return table
}

func printJSON(_ value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: (try? encoder.encode(value)) ?? Data(), as: UTF8.self))
}

/// Bytes as people read them.
func shownBytes(_ bytes: Int64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    return "\(short(value, places: 1)) \(units[unit])"
}

/// A store's failure as a verb tells it: refused input, or a file.
func storeFailure(_ error: any Error) -> Failure {
    guard let error = error as? StoreError else { return .inputOutput("\(error)") }
    let words = "\(error.what): \(error.cause)"
    return .inputOutput(
        error.code == .busy ? say(words, "数据目录正被另一进程使用，请先停止网关（\(words)）") : words)
}
