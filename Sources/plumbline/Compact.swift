import ArgumentParser
import Foundation
import Store

/// `plumbline compact`: gives the room of deleted rows back to the file system.
struct Compact: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Rewrites the store without free pages, while the gateway is stopped.",
            "在网关停止时整理数据文件，释放空闲空间。"),
        discussion: say(
            """
            Example: systemctl stop plumbline && plumbline compact --config site.yaml
            Needs as much free room as the file takes. The new file is checked before it replaces
            the old one. A running gateway reuses free pages by itself: compact only when the file
            must become smaller.
            """,
            """
            示例：systemctl stop plumbline && plumbline compact --config site.yaml
            需要与文件同样大小的空闲空间；新文件校验后才替换旧文件。
            运行中的网关会自行重用空闲页，只有需要缩小文件时才用本命令。
            """))

    @OptionGroup var source: StoreArguments

    func run() async throws {
        try await reportingFailures {
            let directory = try source.directory()
            let line = SharedProgressLine(say("compacting", "整理中"))
            let total = max(1, StoreCompaction.size(directory: directory))
            let watch = Task {
                let partial = StoreCompaction.partialPath(directory: directory)
                while !Task.isCancelled {
                    let attributes = try? FileManager.default.attributesOfItem(atPath: partial)
                    let size = (attributes?[.size] as? NSNumber)?.doubleValue ?? 0
                    line.show(size / Double(total))
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
            let result = Result { () throws(StoreError) in
                try StoreCompaction.compact(directory: directory)
            }
            watch.cancel()
            _ = await watch.result
            line.end()
            do {
                let report = try result.get()
                print(
                    say(
                        "\(shownBytes(report.before)) before, \(shownBytes(report.after)) after",
                        "整理前 \(shownBytes(report.before))，整理后 \(shownBytes(report.after))"))
            } catch {
                throw storeFailure(error)
            }
        }
    }
}
