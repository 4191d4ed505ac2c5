import ArgumentParser
import Foundation
import Store
import Telemetry

/// `plumbline salvage`: everything readable out of a damaged file into a new one.
struct Salvage: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Takes everything readable out of a damaged store into a new file.",
            "从损坏的数据文件中救出可读内容，写入新文件。"),
        discussion: say(
            """
            Example: plumbline salvage /var/lib/plumbline/plumbline.sqlite rescued.sqlite
            Reads the damaged file and the -wal beside it, page by page, and changes neither. The
            file of a running gateway is refused; `backup` copies that. Exits with 0 also when
            something is lost: what, is listed by device and time.
            """,
            """
            示例：plumbline salvage /var/lib/plumbline/plumbline.sqlite rescued.sqlite
            逐页读取损坏的文件及其 -wal，不作任何修改。正在运行的网关的文件会被拒绝（请用 backup）。
            有丢失时退出码也为 0，丢失内容按设备和时间列出。
            """))

    @Argument(help: ArgumentHelp(say("The damaged file.", "损坏的文件。")))
    var damaged: String

    @Argument(help: ArgumentHelp(say("The file to make.", "新文件。"), valueName: "new"))
    var new: String

    @Option(help: ArgumentHelp(say("Time zone of the output.", "输出所用时区。")))
    var zone: String = "Asia/Shanghai"

    @Option(help: ArgumentHelp("table, csv, json"))
    var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            guard let calendar = SiteCalendar(systemZone: zone) else {
                throw Failure.badInput(
                    say("the time zone '\(zone)' is not known here", "本机没有时区 '\(zone)'"))
            }
            guard FileManager.default.fileExists(atPath: damaged) else {
                throw Failure.badInput(
                    say("there is no file '\(damaged)'", "没有文件 '\(damaged)'"))
            }
            guard !FileManager.default.fileExists(atPath: new) else {
                throw Failure.badInput(
                    say(
                        "'\(new)' exists; name a file that does not", "'\(new)' 已存在；请换一个文件名"))
            }
            let line = ProgressLine(say("salvaging", "抢救中"))
            defer { line.end() }
            do {
                try StoreSalvage.refuseInUse(damaged)
                let report = try StoreSalvage.salvage(
                    damaged: damaged, into: new, progress: { line.show($0) })
                line.end()
                tell(report, calendar)
            } catch {
                line.end()
                throw storeFailure(error)
            }
        }
    }

    private func tell(_ report: SalvageReport, _ calendar: SiteCalendar) {
        if format == .json { return printJSON(report) }
        var table = TextTable([
            .init(say("table", "表")), .init(say("kept", "保留"), isNumber: true),
            .init(say("lost rows", "丢失行"), isNumber: true),
            .init(say("lost pages", "丢失页"), isNumber: true),
        ])
        for row in report.tables {
            table.add([row.name, "\(row.kept)", "\(row.lost)", "\(row.lostPages)"])
        }
        show(table, format)
        if !report.losses.isEmpty {
            print("")
            show(lossTable(report.losses, calendar), format)
        }
        print("")
        if report.isCutShort {
            print(
                say(
                    "the file system was full: not everything readable was copied",
                    "磁盘已满：未能复制全部可读内容"))
        }
        print(say("\(new): \(report.kept) rows", "\(new)：\(report.kept) 行"))
    }
}
