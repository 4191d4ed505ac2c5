import Alarms
import ArgumentParser
import Foundation
import Gateway
import Store
import Telemetry

/// `plumbline alarms replay`: what other rules would have said.
struct AlarmsReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: say(
            "Plays a period against changed rules; nothing is written.", "用修改后的规则回放一段时间，不写入任何数据。"),
        discussion: say(
            """
            Example: plumbline alarms replay --config site.yaml --rules new-dust.yaml --from -30d
            Rules of the file take the place of those with the same names; without --rules those of
            the configuration are played. What people did then (acknowledged, shelved) is left out.
            """,
            """
            示例：plumbline alarms replay --config site.yaml --rules new-dust.yaml --from -30d
            文件中的规则替换同名规则；省略 --rules 则使用配置中的规则。不重复当时的人工操作（确认、搁置）。
            """))

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(say("The site's configuration.", "站点配置文件。"), valueName: "file"))
    var config: String = "/etc/plumbline/site.yaml"
    @OptionGroup var folders: SharedFolders
    @OptionGroup var span: SpanArguments
    @Option(help: ArgumentHelp(say("A file of rules.", "规则文件。"), valueName: "file"))
    var rules: String?
    @Option(help: ArgumentHelp(say("Only this rule.", "只回放该规则。")))
    var only: String?
    @Option(help: ArgumentHelp("table, csv, json"))
    var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let share = try folders.folder()
            let (site, _) = try SiteFiles.site(
                at: config, devices: share + "/Devices", readsAll: false)
            let played = try selected(site.configuration.alarms)
            let (from, to) = try span.span(site.calendar, standard: "-30d")
            let store = try open(site)
            defer { try? store.close() }
            let progress = ProgressLine(say("replaying", "回放中"))
            let found = try await AlarmReplay(reader: store.reader, site: site).run(
                played, from: from, to: to, onProgress: progress.show)
            progress.end()
            let then = try await Self.past(store.reader, Set(played.map(\.name)), from, to)
            show(found, then, played, site.calendar)
        }
    }

    private func selected(_ configured: [AlarmRule]) throws -> [AlarmRule] {
        var played = configured
        if let rules {
            guard let text = try? String(contentsOf: URL(filePath: rules), encoding: .utf8) else {
                throw Failure.inputOutput(say("\(rules) cannot be read", "无法读取 \(rules)"))
            }
            // Named on the command line, so they are wanted, whatever their figures rest on.
            let changed = try AlarmRuleFile.parse(text, file: rules).map { rule in
                var rule = rule
                rule.isEnabled = true
                return rule
            }
            let names = Set(changed.map(\.name))
            played = played.filter { !names.contains($0.name) } + changed
            if only == nil { played = changed }
        }
        if let only {
            played = played.filter { $0.name == only }
            if played.isEmpty {
                throw Failure.badInput(say("there is no rule '\(only)'", "没有规则 '\(only)'"))
            }
        }
        return played
    }

    private func open(_ site: BoundSite) throws -> Store {
        let directory = site.configuration.data.directory
        do {
            return try Store.openReadOnly(directory: directory, calendar: site.calendar)
        } catch {
            throw Failure.inputOutput(
                say(
                    "the store in '\(directory)' cannot be opened: \(error)",
                    "无法打开 '\(directory)' 中的数据：\(error)"))
        }
    }

    /// What was an alarm then, by rule.
    private static func past(
        _ reader: StoreReader, _ rules: Set<String>, _ from: Timestamp, _ to: Timestamp
    ) async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        try await eachAlarm(reader, from, to) { alarm in
            if rules.contains(alarm.rule) { counts[alarm.rule, default: 0] += 1 }
        }
        return counts
    }

    private func show(
        _ found: [AlarmReplay.Found], _ then: [String: Int], _ rules: [AlarmRule],
        _ calendar: SiteCalendar
    ) {
        var table = TextTable([
            .init(say("raised", "时间")), .init(say("returned", "恢复")), .init(say("rule", "规则")),
            .init(say("series", "点位")), .init(say("value", "数值"), isNumber: true),
            .init(say("limit", "限值"), isNumber: true), .init(say("unit", "单位")),
        ])
        for alarm in found {
            table.add([
                calendar.rfc3339(alarm.raised), alarm.returned.map { calendar.rfc3339($0) } ?? "–",
                alarm.key.rule, alarm.key.series.description,
                alarm.evidence.word ?? short(alarm.evidence.value),
                alarm.evidence.limit.isFinite ? short(alarm.evidence.limit) : "–",
                alarm.evidence.unit,
            ])
        }
        if !found.isEmpty || format != .table { showTable(table, format) }
        guard format == .table else { return }
        print("")
        for rule in rules where rule.isEnabled {
            let now = found.filter { $0.key.rule == rule.name }.count
            let before = then[rule.name] ?? 0
            print(
                say(
                    "\(rule.name): \(now) alarm(s) with this rule, \(before) were raised then",
                    "\(rule.name)：按此规则 \(now) 条，当时为 \(before) 条"))
        }
    }
}

/// The free function, where a method of the same name hides it.
private func showTable(_ table: TextTable, _ format: OutputFormat) { show(table, format) }

/// Every alarm that was raised in a span, the newest onset first.
func eachAlarm(
    _ reader: StoreReader, _ from: Timestamp, _ to: Timestamp, _ body: (AlarmRecord) -> Void
) async throws {
    var cursor: AlarmCursor?
    while true {
        let page = try await reader.alarms(limit: 1000, before: cursor)
        for alarm in page where alarm.raised >= from && alarm.raised < to { body(alarm) }
        guard page.count == 1000, let last = page.last, last.onset >= from - .seconds(7 * 86_400)
        else { return }
        cursor = last.cursor
    }
}

/// `plumbline alarms report`: do the alarms serve those who get them?
struct AlarmsReport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: say("How good the alarms are, in EEMUA 191's terms.", "按 EEMUA 191 评价报警质量。"),
        discussion: say(
            "Example: plumbline alarms report --config site.yaml --from -30d",
            "示例：plumbline alarms report --config site.yaml --from -30d"))

    @OptionGroup var source: StoreArguments
    @OptionGroup var span: SpanArguments
    @Option(help: ArgumentHelp("table, csv, json"))
    var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let (reader, calendar, close) = try source.open()
            defer { close() }
            let (from, to) = try span.span(calendar, standard: "-30d")
            var keys: [AlarmRecord] = []
            try await eachAlarm(reader, from, to) { if !$0.isBackfill { keys.append($0) } }
            var lives: [AlarmQuality.Life] = []
            for alarm in keys {
                let changes = try await reader.transitions(alarmKey: alarm.key)
                lives.append(
                    AlarmQuality.Life(
                        rule: alarm.rule, series: alarm.series, severity: alarm.severity,
                        raised: alarm.raised,
                        returned: changes.first {
                            $0.time >= alarm.raised
                                && [.normal, .returnedUnacknowledged, .latched].contains($0.to)
                        }?.time,
                        acknowledged: changes.first { $0.actor != nil }?.time))
            }
            report(AlarmQuality(lives, from: from, to: to))
        }
    }

    private func report(_ quality: AlarmQuality) {
        var table = TextTable([
            .init(say("what", "项目")), .init(say("value", "数值"), isNumber: true),
            .init(say("held against", "参照")),
        ])
        func percent(_ share: Double) -> String { short(share * 100, places: 1) + " %" }
        table.add([say("alarms", "报警总数"), "\(quality.total)", "–"])
        table.add([
            say("a day", "每天"), short(quality.perDay, places: 1),
            say("about 150 acceptable, 300 the most", "约 150 可接受，300 为上限"),
        ])
        table.add([
            say("most in an hour", "每小时最多"), "\(quality.mostInAnHour)", say("6 to 12", "6 至 12"),
        ])
        table.add([
            say("most in 10 min", "10 分钟最多"), "\(quality.mostInTenMinutes)",
            say("more than 10 is a flood", "超过 10 为泛滥"),
        ])
        table.add([
            say("time in flood", "泛滥时间占比"), percent(quality.floodShare), say("below 1 %", "低于 1 %"),
        ])
        table.add([say("chattering", "抖动"), "\(quality.chattering.count)", "0"])
        table.add([say("fleeting (under 10 s)", "瞬时（10 秒内）"), "\(quality.fleeting)", "0"])
        table.add([
            say("stale (over a day)", "陈旧（超过一天）"), "\(quality.stale)", say("below 5", "少于 5"),
        ])
        table.add([say("standing", "仍在"), "\(quality.standing)", "–"])
        table.add([
            say("never acknowledged", "从未确认"), "\(quality.neverAcknowledged)", "–",
        ])
        table.add([
            say("median until acknowledged", "确认时间中位数"),
            quality.medianAcknowledgement.map { "\($0.milliseconds / 1000) s" } ?? "–", "–",
        ])
        let total = Double(max(1, quality.total))
        let mix = ["info", "warning", "critical"].map {
            percent(Double(quality.bySeverity[$0] ?? 0) / total)
        }
        table.add([
            say("info, warning, critical", "提示、警告、严重"), mix.joined(separator: ", "),
            "80, 15, 5 %",
        ])
        show(table, format)
        guard format == .table, !quality.topTen.isEmpty else { return }
        print("")
        var top = TextTable([
            .init(say("the ten most frequent", "最频繁的十项")), .init(say("series", "点位")),
            .init(say("alarms", "次数"), isNumber: true), .init(say("share", "占比"), isNumber: true),
        ])
        for share in quality.topTen {
            top.add([share.rule, share.series.description, "\(share.count)", percent(share.share)])
        }
        print(top.text)
        print("")
        print(
            say(
                "marks after EEMUA 191, known to the project from transcriptions",
                "参照值出自 EEMUA 191，项目仅见转述"))
    }
}
