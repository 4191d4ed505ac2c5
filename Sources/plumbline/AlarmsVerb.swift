import ArgumentParser
import Foundation
import Store
import Telemetry

/// `plumbline alarms`: what is open, why, what people do about it, and what other rules would say.
struct AlarmsVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alarms",
        abstract: say(
            "Lists, explains, acknowledges and replays alarms.", "列出、解释、确认和回放报警。"),
        discussion: say(
            """
            Examples:
              plumbline alarms --config site.yaml                      what is open
              plumbline alarms --config site.yaml --all --limit 20     what there was
              plumbline alarms why 'pm10_15min|dust-north.pm10|1795305600000' --config site.yaml
              plumbline alarms ack 'pm10_15min|dust-north.pm10|1795305600000' --note 'spray on'
              plumbline alarms shelve pm10_15min dust-north.pm10 --for 8h --note 'paving works'
              plumbline alarms report --config site.yaml --from -30d
              plumbline alarms replay --config site.yaml --rules new.yaml --from -30d
            """,
            """
            示例：
              plumbline alarms --config site.yaml                      当前报警
              plumbline alarms --config site.yaml --all --limit 20     历史报警
              plumbline alarms why 'pm10_15min|dust-north.pm10|1795305600000' --config site.yaml
              plumbline alarms ack 'pm10_15min|dust-north.pm10|1795305600000' --note '已开喷淋'
              plumbline alarms shelve pm10_15min dust-north.pm10 --for 8h --note '路面施工'
              plumbline alarms report --config site.yaml --from -30d
              plumbline alarms replay --config site.yaml --rules new.yaml --from -30d
            """),
        subcommands: [
            AlarmsList.self, AlarmsWhy.self, AlarmsAcknowledge.self, AlarmsShelve.self,
            AlarmsUnshelve.self, AlarmsReport.self, AlarmsReplay.self,
        ], defaultSubcommand: AlarmsList.self)
}

/// `plumbline alarms [list]`.
struct AlarmsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: say("Lists alarms, the newest first.", "列出报警，最新在前。"),
        discussion: say(
            "Example: plumbline alarms list --config site.yaml --all",
            "示例：plumbline alarms list --config site.yaml --all"))

    @OptionGroup var source: StoreArguments

    @Flag(help: ArgumentHelp(say("Also what is over.", "包括已结束的报警。")))
    var all = false

    @Option(help: ArgumentHelp(say("How many at most.", "最多条数。")))
    var limit = 50

    @Option(help: ArgumentHelp("table, csv, json"))
    var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let (reader, calendar, close) = try source.open()
            defer { close() }
            guard (1...10_000).contains(limit) else {
                throw Failure.badInput(
                    say("--limit lies between 1 and 10000", "--limit 应在 1 到 10000 之间"))
            }
            let alarms = try await reader.alarms(openOnly: !all, limit: limit)
            var table = TextTable([
                .init(say("raised", "时间")), .init(say("severity", "级别")),
                .init(say("series", "点位")), .init(say("value", "数值"), isNumber: true),
                .init(say("limit", "限值"), isNumber: true), .init(say("unit", "单位")),
                .init(say("state", "状态")), .init(say("by", "处理人")), .init("id"),
            ])
            for alarm in alarms {
                table.add([
                    calendar.rfc3339(alarm.raised), alarm.severity, alarm.series.description,
                    alarm.evidence.word ?? short(alarm.evidence.value),
                    alarm.evidence.limit.isFinite ? short(alarm.evidence.limit) : "–",
                    alarm.evidence.unit, AlarmWord.state(alarm.state), alarm.actor ?? "–",
                    alarm.key,
                ])
            }
            if alarms.isEmpty, format == .table {
                print(all ? say("there was no alarm", "没有报警记录") : say("nothing is open", "当前无报警"))
            } else {
                show(table, format)
            }
            try await showSilences(reader, calendar)
        }
    }

    private func showSilences(_ reader: StoreReader, _ calendar: SiteCalendar) async throws {
        guard format == .table else { return }
        let now = SystemClock(believesWall: true).read().wall
        for silence in try await reader.silences(at: now) {
            let until = silence.until.map { calendar.rfc3339($0) }
            print(
                say(
                    "\(AlarmWord.state(silence.state)): \(silence.target) "
                        + (until.map { "until \($0) " } ?? "")
                        + "by \(silence.actor): \(silence.reason)",
                    "\(AlarmWord.state(silence.state))：\(silence.target) "
                        + (until.map { "至 \($0) " } ?? "") + "\(silence.actor)：\(silence.reason)"))
        }
    }
}

/// The words of alarms for people.
enum AlarmWord {
    static func state(_ state: AlarmState) -> String {
        switch state {
        case .normal: say("over", "已结束")
        case .pending: say("pending", "待定")
        case .activeUnacknowledged: say("active", "未确认")
        case .activeAcknowledged: say("acknowledged", "已确认")
        case .returnedUnacknowledged: say("returned, not acknowledged", "已恢复未确认")
        case .latched: say("latched", "待复位")
        case .shelved: say("shelved", "搁置")
        case .suppressed: say("suppressed", "抑制")
        case .outOfService: say("out of service", "停用")
        }
    }
}
