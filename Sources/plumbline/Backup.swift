import ArgumentParser
import Foundation
import Store

/// `plumbline backup`: a copy of the store, also while the gateway runs.
struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Copies the store to one file, also while the gateway runs.",
            "把数据备份为一个文件，网关可继续运行。"),
        discussion: say(
            """
            Example: plumbline backup /media/usb/plumbline-2026-11-21.sqlite --config site.yaml
            The copy is one instant of the store, checked, and on the medium when the command ends.
            To restore: stop the gateway, remove plumbline.sqlite, plumbline.sqlite-wal and
            plumbline.sqlite-shm in data.directory, and copy the file there as plumbline.sqlite.
            """,
            """
            示例：plumbline backup /media/usb/plumbline-2026-11-21.sqlite --config site.yaml
            备份是某一时刻的完整数据，已校验并已写入介质。恢复方法：停止网关，删除 data.directory 中的
            plumbline.sqlite、plumbline.sqlite-wal、plumbline.sqlite-shm，再把备份复制为 plumbline.sqlite。
            """))

    @Argument(help: ArgumentHelp(say("The file to make.", "备份文件。"), valueName: "target"))
    var target: String

    @OptionGroup var source: StoreArguments

    @Flag(help: ArgumentHelp(say("Replace the file if it exists.", "文件已存在时覆盖。")))
    var force = false

    func run() async throws {
        try await reportingFailures {
            let directory = try source.directory()
            let line = ProgressLine(say("copying", "备份中"))
            defer { line.end() }
            do {
                let report = try StoreBackup.copy(
                    directory: directory, to: target, overwrites: force
                ) { line.show($0) }
                line.end()
                print(
                    say(
                        "\(target): \(shownBytes(report.bytes)), \(report.rows) rows, checked",
                        "\(target)：\(shownBytes(report.bytes))，\(report.rows) 行，已校验"))
            } catch {
                line.end()
                if FileManager.default.fileExists(atPath: target), !force {
                    throw Failure.badInput(
                        say(
                            "'\(target)' exists; name another file, or add --force",
                            "'\(target)' 已存在；请换一个文件名，或加 --force"))
                }
                throw storeFailure(error)
            }
        }
    }
}
