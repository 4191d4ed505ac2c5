import ArgumentParser
import Store
import Telemetry

/// `plumbline devices`: which device speaks, which is stale, which is dead, and why.
struct Devices: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say("Lists devices with the age of their last reading.", "列出设备及其最近读数的时间。"),
        discussion: say(
            "Example: plumbline devices --config site.yaml",
            "示例：plumbline devices --config site.yaml"))

    @OptionGroup var source: StoreArguments

    @Option(help: ArgumentHelp("table, csv, json"))
    var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
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
            show(table, format)
        }
    }

    private func state(age: Duration?, period: Duration?) -> String {
        guard let age else { return say("never", "从未") }
        let limit = (period ?? .seconds(60)) * 3
        return age <= limit ? say("ok", "正常") : say("silent", "无数据")
    }
}
