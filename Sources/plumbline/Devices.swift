import ArgumentParser
import DeviceProfiles
import Foundation
import Gateway
import Store
import Telemetry

/// `plumbline devices`: which device speaks, which is stale, which is dead, and why.
struct Devices: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Lists devices with the age of their last reading, or the library of profiles.",
            "列出设备及其最近读数的时间，或列出设备档案库。"),
        discussion: say(
            """
            Examples: plumbline devices --config site.yaml
                      plumbline devices --library
                      plumbline devices --library --format csv
            """,
            """
            示例：plumbline devices --config site.yaml
                  plumbline devices --library
                  plumbline devices --library --format csv
            """))

    @Flag(
        help: ArgumentHelp(
            say(
                "Lists the profiles that come with the program and how well each is known.",
                "列出随程序提供的设备档案及其可信程度。")))
    var library = false

    @OptionGroup var source: StoreArguments

    @OptionGroup var folders: SharedFolders

    @Option(
        help: ArgumentHelp(
            say(
                "table, csv, json; with --library also markdown",
                "table、csv、json；与 --library 一起还可用 markdown")))
    var format: DevicesFormat = .table

    func validate() throws {
        if format == .markdown, !library {
            throw ValidationError(
                say("markdown is a format of --library", "markdown 仅用于 --library"))
        }
    }

    func run() async throws {
        try await reportingFailures {
            if library { return try showLibrary() }
            let (reader, calendar, close) = try source.open()
            defer { close() }
            let registry = try await reader.registry()
            let latest = reader.latest()
            let now = SystemClock(believesWall: true).read().wall
            var table = TextTable([
                .init(say("device", "设备")), .init(say("group", "分组")), .init(say("state", "状态")),
                .init(say("age", "距今"), isNumber: true), .init(say("last good", "最近有效")),
                .init(say("reason", "原因")), .init(say("points", "点位"), isNumber: true),
            ])
            for group in registry.groups.sorted(by: { $0.scope < $1.scope }) {
                let readings = group.series.compactMap { latest[$0.number] }
                let good = readings.compactMap(\.goodTime).max()
                let newest = readings.max { $0.time < $1.time }
                let age = good.map { now - $0 }
                var reason = ""
                if let newest, case .bad(let bad) = newest.reading,
                    newest.time > (good ?? newest.time)
                {
                    reason = bad.word
                }
                table.add([
                    group.device.text, "\(group.interface)/\(group.name)",
                    state(age: age, period: group.period),
                    age.map { "\($0.milliseconds / 1000) s" } ?? "–",
                    good.map { calendar.rfc3339($0) } ?? "–", reason, "\(group.series.count)",
                ])
            }
            show(table, format.plain)
        }
    }

    private func showLibrary() throws {
        let devices = try folders.folder() + "/Devices"
        let table = LibraryTable(try SiteFiles.library(at: devices))
        if format == .markdown {
            FileHandle.standardOutput.write(Data(table.markdown().utf8))
            return
        }
        var text = TextTable([
            .init(say("profile", "档案")), .init(say("device", "设备")), .init(say("vendor", "厂商")),
            .init(say("kind", "类别")), .init(say("over", "接口")),
            .init(say("points", "点位"), isNumber: true), .init(say("known from", "依据")),
            .init(say("open", "存疑"), isNumber: true),
        ])
        for row in table.rows {
            let kind = LibraryTable.title(ofKind: row.kind)
            text.add([
                row.id, say(row.title.en, row.title.zh), say(row.vendor.en, row.vendor.zh),
                say(kind.en, kind.zh), row.interfaces.joined(separator: ", "), "\(row.points)",
                row.status.rawValue, "\(row.openQuestions)",
            ])
        }
        show(text, format.plain)
    }

    private func state(age: Duration?, period: Duration?) -> String {
        guard let age else { return say("never", "从未") }
        let limit = (period ?? .seconds(60)) * 3
        return age <= limit ? say("ok", "正常") : say("silent", "无数据")
    }
}

/// How `devices` prints.
enum DevicesFormat: String, ExpressibleByArgument, CaseIterable {
    case table, csv, json, markdown

    /// The format of everything but the page of the library.
    var plain: OutputFormat { OutputFormat(rawValue: rawValue) ?? .table }
}
