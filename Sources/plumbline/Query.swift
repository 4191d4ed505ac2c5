import ArgumentParser
import Foundation
import Store
import Telemetry

/// `plumbline query`: what a series was, as a table, CSV or JSON.
struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say("Shows rollups or samples of a series.", "查询一个点位的统计值或原始读数。"),
        discussion: say(
            """
            Examples:
              plumbline query --config site.yaml
                  lists the series
              plumbline query --config site.yaml dust-north.pm10 --from -24h --resolution 15min
              plumbline query --config site.yaml meter-main.active_energy.import.total \\
                  --from 2026-11-01T00:00:00+08:00 --resolution 1d --format csv
              plumbline query --config site.yaml crane-1.load_mass --raw --from -10min
            """,
            """
            示例：
              plumbline query --config site.yaml                列出全部点位
              plumbline query --config site.yaml dust-north.pm10 --from -24h --resolution 15min
              plumbline query --config site.yaml crane-1.load_mass --raw --from -10min
            """))

    @OptionGroup var source: StoreArguments

    @Argument(help: ArgumentHelp(say("device.point; none lists all.", "设备.点位；省略则列出全部。")))
    var series: String?

    @OptionGroup var span: SpanArguments

    @Option(help: ArgumentHelp(say("1min, 15min, 1h or 1d.", "1min、15min、1h 或 1d。")))
    var resolution: String = "15min"

    @Flag(help: ArgumentHelp(say("Samples instead of rollups.", "原始读数而非统计值。")))
    var raw = false

    @Option(help: ArgumentHelp("table, csv, json"))
    var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let (reader, calendar, close) = try source.open()
            defer { close() }
            let registry = try await reader.registry()
            guard let series else { return list(registry) }
            guard let id = SeriesID(series), let known = registry.series(id) else {
                throw Failure.badInput(unknownSeries(series, registry))
            }
            let (start, end) = try span.span(calendar, standard: "-24h")
            if raw {
                try await samples(known, start, end, reader, calendar)
            } else {
                try await rollups(known, start, end, reader, calendar)
            }
        }
    }

    private func list(_ registry: Registry) {
        var table = TextTable([
            .init(say("series", "点位")), .init(say("kind", "类型")), .init(say("unit", "单位")),
            .init(say("every", "周期"), isNumber: true),
        ])
        for group in registry.groups.sorted(by: { $0.scope < $1.scope }) {
            for series in group.series {
                table.add([
                    series.id.description, series.kind.rawValue, series.unit,
                    group.period.map { "\($0.milliseconds / 1000) s" } ?? "–",
                ])
            }
        }
        show(table, format)
    }

    private func unknownSeries(_ name: String, _ registry: Registry) -> String {
        let all = registry.groups.flatMap { $0.series.map(\.id.description) }
        let near = all.filter { $0.contains(name) || name.contains($0) }.prefix(5)
        let hint = near.isEmpty ? "" : " (\(near.joined(separator: ", ")))"
        return say(
            "there is no series '\(name)'\(hint); `plumbline query` without one lists them",
            "没有点位 '\(name)'\(hint)；不带点位运行 `plumbline query` 可列出全部")
    }

    private func samples(
        _ series: Series, _ start: Timestamp, _ end: Timestamp, _ reader: StoreReader,
        _ calendar: SiteCalendar
    ) async throws {
        var table = TextTable([
            .init(say("time", "时间")),
            .init(series.unit.isEmpty ? say("value", "值") : series.unit, isNumber: true),
            .init(say("quality", "质量")),
        ])
        let samples = try await reader.samples(
            series: series.id, from: start, to: end, limit: 100_000)
        for sample in samples {
            table.add([
                calendar.rfc3339(sample.time), sample.reading.shown, sample.reading.qualityWord,
            ])
        }
        show(table, format)
    }

    private func rollups(
        _ series: Series, _ start: Timestamp, _ end: Timestamp, _ reader: StoreReader,
        _ calendar: SiteCalendar
    ) async throws {
        guard let resolution = Resolution(rawValue: resolution), resolution != .month else {
            throw Failure.badInput(
                say(
                    "--resolution is one of 1min, 15min, 1h, 1d",
                    "--resolution 可为 1min、15min、1h、1d"))
        }
        let isCounter = series.counter != nil
        let unit = series.unit.isEmpty ? "" : " \(series.unit)"
        var columns = [
            TextTable.Column(say("start", "开始")),
            .init(say("good", "有效"), isNumber: true),
            .init(say("bad", "无效"), isNumber: true),
            .init(say("coverage", "完整率"), isNumber: true),
        ]
        columns +=
            isCounter
            ? [
                .init(say("increase", "增量") + unit, isNumber: true), .init(say("estimated", "估算")),
                .init(say("last", "末值") + unit, isNumber: true),
            ]
            : [
                .init(say("mean", "均值") + unit, isNumber: true),
                .init(say("min", "最小"), isNumber: true), .init(say("max", "最大"), isNumber: true),
            ]
        var table = TextTable(columns)
        let records = try await reader.rollups(
            series: series.number, resolution: resolution, from: start, to: end)
        for record in records {
            let rollup = record.rollup
            var row = [
                calendar.rfc3339(record.bucket.start), "\(rollup.count)", "\(rollup.bad)",
                rollup.coverage.map { short($0 * 100, places: 1) + " %" } ?? "–",
            ]
            row +=
                isCounter
                ? [
                    short(rollup.increase?.double), rollup.isEstimated ? "~" : "",
                    short(rollup.last?.value),
                ]
                : [short(rollup.mean), short(rollup.minimum), short(rollup.maximum)]
            table.add(row)
        }
        show(table, format)
    }
}

extension Reading {
    /// The value as people read it, a dash without one.
    var shown: String {
        switch self {
        case .good(.number(let number)): short(number)
        case .good(.text(let text)): text
        case .bad: "–"
        }
    }
}
