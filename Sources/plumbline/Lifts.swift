import ArgumentParser
import CraneWork
import Foundation
import Gateway
import Store
import Telemetry

/// `plumbline lifts`: what cranes lifted, by shift or one by one.
struct Lifts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say("Counts the lifts of cranes by shift, or lists them.", "按班次统计塔机吊次，或逐条列出。"),
        discussion: say(
            """
            Examples:
              plumbline lifts --config site.yaml --from -7d            by shift and crane
              plumbline lifts --config site.yaml --each --crane crane-1
              plumbline lifts --config site.yaml --from -30d --format csv
            What counts as a lift stands in the file that `cranes:` of the configuration names.
            """,
            """
            示例：
              plumbline lifts --config site.yaml --from -7d            按班次和塔机
              plumbline lifts --config site.yaml --each --crane crane-1
              plumbline lifts --config site.yaml --from -30d --format csv
            吊次的判定参数在配置 `cranes:` 所指的文件中。
            """))

    @OptionGroup var source: StoreArguments

    @Option(help: ArgumentHelp(say("One crane; all without it.", "指定塔机；省略则全部。")))
    var crane: String?

    @OptionGroup var span: SpanArguments

    @Flag(help: ArgumentHelp(say("Lists each lift.", "逐条列出吊次。")))
    var each = false

    @Option(help: ArgumentHelp("table, csv, json"))
    var format: OutputFormat = .table

    /// More lifts than this are not counted at once.
    private static let most = 100_000

    func run() async throws {
        try await reportingFailures {
            let (reader, calendar, close) = try source.open()
            defer { close() }
            let (start, end) = try span.span(calendar, standard: "-24h")
            let cranes = try source.configuration()?.cranes
            let plan = try ShiftPlan(
                cranes?.shifts ?? SiteConfiguration.Cranes.days, calendar: calendar)
            // Whole shifts: one that has begun before is counted from its own start.
            let first = each ? start : plan.span(containing: start).start
            func records(_ kind: StoredCraneRecord.Kind) async throws -> [StoredCraneRecord] {
                let found = try await reader.craneRecords(
                    kind, crane: crane.map { DeviceID($0) }, from: first, to: end, limit: Self.most)
                guard found.count < Self.most else {
                    throw Failure.badInput(
                        say(
                            "there are more than \(Self.most) records; ask for a shorter time",
                            "记录超过 \(Self.most) 条，请缩短时间范围"))
                }
                return found
            }
            let lifts = try await records(.lift).compactMap(\.lift)
            if lifts.isEmpty, format == .table {
                let isCounted = source.data != nil || cranes != nil
                return print(
                    isCounted
                        ? say("there was no lift", "没有吊次记录")
                        : say(
                            "the configuration has no 'cranes:', so no lift is counted",
                            "配置中没有 'cranes:'，不统计吊次"))
            }
            if each { return show(table(lifts, calendar), format) }
            let misses = try await records(.nearMiss).compactMap(\.nearMiss)
            show(
                table(LiftSummary.summaries(of: lifts, nearMisses: misses, plan: plan), calendar),
                format)
        }
    }

    private func table(_ summaries: [LiftSummary], _ calendar: SiteCalendar) -> TextTable {
        var table = TextTable([
            .init(say("begin", "开始")), .init(say("shift", "班次")), .init(say("crane", "塔机")),
            .init(say("lifts", "吊次"), isNumber: true),
            .init(say("load t", "吊重 t"), isNumber: true),
            .init(say("lifting min", "吊运 min"), isNumber: true),
            .init(say("working min", "作业 min"), isNumber: true),
            .init(say("at warning", "预警"), isNumber: true),
            .init(say("overloaded", "超载"), isNumber: true),
            .init(say("near misses", "险情"), isNumber: true),
            .init(say("truncated", "不完整"), isNumber: true),
        ])
        for summary in summaries {
            let cranes = summary.byCrane.sorted { $0.key < $1.key }
            var rows = cranes.map { ($0.key.text, $0.value) }
            if rows.count > 1 { rows.append((say("all", "合计"), summary.total)) }
            for (name, figures) in rows {
                table.add([
                    calendar.rfc3339(summary.shift.start), summary.shift.name, name,
                    "\(figures.lifts)", short(figures.liftedLoad, places: 1),
                    minutes(figures.timeLifting), minutes(figures.timeWorking),
                    "\(figures.liftsAtWarning)", "\(figures.liftsOverloaded)",
                    "\(figures.nearMisses)", "\(figures.truncatedLifts)",
                ])
            }
        }
        return table
    }

    private func table(_ lifts: [Lift], _ calendar: SiteCalendar) -> TextTable {
        var table = TextTable([
            .init(say("begin", "开始")), .init(say("crane", "塔机")),
            .init(say("seconds", "秒"), isNumber: true),
            .init(say("load t", "吊重 t"), isNumber: true),
            .init(say("peak t", "峰值 t"), isNumber: true),
            .init(say("moment %", "力矩 %"), isNumber: true),
            .init(say("radius m", "幅度 m"), isNumber: true),
            .init(say("wind m/s", "风速 m/s"), isNumber: true),
            .init(say("overloads", "超载"), isNumber: true),
            .init(say("coverage %", "完整率 %"), isNumber: true), .init(say("uncertain", "存疑")),
        ])
        for lift in lifts {
            table.add([
                calendar.rfc3339(lift.start), lift.crane.text,
                "\(lift.duration.components.seconds)", short(lift.liftedLoad, places: 2),
                short(lift.peakLoad, places: 2),
                lift.peakMomentRatio.map { short($0, places: 0) } ?? "–",
                lift.radius.map { short($0.greatest, places: 1) } ?? "–",
                lift.greatestWind.map { short($0, places: 1) } ?? "–", "\(lift.overloads)",
                lift.coverage.map { short($0 * 100, places: 0) } ?? "–",
                lift.quality.words.joined(separator: " "),
            ])
        }
        return table
    }

    private func minutes(_ span: Duration) -> String {
        short(Double(span.milliseconds) / 60_000, places: 0)
    }
}
