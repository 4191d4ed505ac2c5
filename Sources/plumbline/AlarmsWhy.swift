import Alarms
import ArgumentParser
import Foundation
import Gateway
import Store
import Telemetry

/// `plumbline alarms why`: the samples, the window, the rule and its source.
struct AlarmsWhy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: say("Explains one alarm: samples, window, rule, source.", "解释一条报警：读数、窗口、规则、依据。"),
        discussion: say(
            "Example: plumbline alarms why 'pm10_15min|dust-north.pm10|1795305600000' --config site.yaml",
            "示例：plumbline alarms why 'pm10_15min|dust-north.pm10|1795305600000' --config site.yaml")
    )

    @OptionGroup var source: StoreArguments

    @Argument(help: ArgumentHelp(say("The alarm's id, as the list shows it.", "列表中的报警编号。")))
    var id: String

    @Option(help: ArgumentHelp(say("Samples shown at most.", "最多显示的读数条数。")))
    var samples = 20

    func run() async throws {
        try await reportingFailures {
            let (reader, calendar, close) = try source.open()
            defer { close() }
            guard let alarm = try await reader.alarm(key: id) else {
                throw Failure.badInput(
                    say(
                        "there is no alarm '\(id)'; `plumbline alarms --all` lists them",
                        "没有报警 '\(id)'；`plumbline alarms --all` 可列出全部"))
            }
            let changes = try await reader.transitions(alarmKey: id)
            showLife(alarm, changes, calendar)
            let rule = try source.configuration()?.alarms.first { $0.name == alarm.rule }
            showRule(rule, alarm)
            let raised = changes.first { $0.to == .activeUnacknowledged } ?? changes.first
            if let evidence = raised?.evidence {
                try await showSamples(alarm, evidence, rule, reader, calendar)
            }
            for record in try await reader.instructions(subject: id) {
                print(
                    "\(calendar.rfc3339(record.time))  \(record.actor)  \(record.verb) \(record.detail)"
                        + (record.note.map { "  \($0)" } ?? ""))
            }
        }
    }

    private func showLife(
        _ alarm: AlarmRecord, _ changes: [AlarmTransition], _ calendar: SiteCalendar
    ) {
        print("\(alarm.rule)  \(alarm.series)  \(alarm.severity)  \(AlarmWord.state(alarm.state))")
        print("")
        var table = TextTable([
            .init(say("time", "时间")), .init(say("state", "状态")),
            .init(say("value", "数值"), isNumber: true), .init(say("limit", "限值"), isNumber: true),
            .init(say("unit", "单位")), .init(say("samples", "读数"), isNumber: true),
            .init(say("coverage", "有效率"), isNumber: true), .init(say("by", "处理人")),
            .init(say("note", "说明")),
        ])
        for change in changes {
            let evidence = change.evidence
            table.add([
                calendar.rfc3339(change.time), AlarmWord.state(change.to),
                evidence.word ?? short(evidence.value),
                evidence.limit.isFinite ? short(evidence.limit) : "–", evidence.unit,
                "\(evidence.samples)",
                evidence.coverage.map { "\(Int($0 * 100)) %" } ?? "–", change.actor ?? "–",
                change.note ?? "–",
            ])
        }
        print(table.text)
        print("")
    }

    private func showRule(_ rule: AlarmRule?, _ alarm: AlarmRecord) {
        guard let rule else {
            print(say("the rule is not in the configuration any more", "该规则已不在配置中"))
            return
        }
        print(
            say(
                "rule:    \(rule.title.en) (\(rule.location))",
                "规则：  \(rule.title.zh) (\(rule.location))"))
        let source = rule.source + (rule.clause.map { " (\($0))" } ?? "")
        print(say("source:  \(source)", "依据：  \(source)"))
        print(say("known:   \(rule.status.rawValue)", "依据可信度：\(rule.status.rawValue)"))
        print(
            rule.version == alarm.ruleVersion
                ? say("version: \(rule.version), as it was judged", "版本：  \(rule.version)，与判定时一致")
                : say(
                    "version: \(rule.version) now, judged by \(alarm.ruleVersion)",
                    "版本：  现为 \(rule.version)，判定时为 \(alarm.ruleVersion)"))
        print("")
    }

    private func showSamples(
        _ alarm: AlarmRecord, _ evidence: AlarmEvidence, _ rule: AlarmRule?,
        _ reader: StoreReader, _ calendar: SiteCalendar
    ) async throws {
        let span =
            evidence.windowStart == evidence.windowEnd
            ? (evidence.windowStart, evidence.windowEnd + .milliseconds(1))
            : (evidence.windowStart + .milliseconds(1), evidence.windowEnd + .milliseconds(1))
        print(
            say(
                "window:  \(calendar.rfc3339(evidence.windowStart)) – \(calendar.rfc3339(evidence.windowEnd))",
                "窗口：  \(calendar.rfc3339(evidence.windowStart)) – \(calendar.rfc3339(evidence.windowEnd))"
            ))
        for other in evidence.others {
            print("         \(other.series) = \(other.word ?? short(other.value)) \(other.unit)")
        }
        let found = try await reader.samples(
            series: alarm.series, from: span.0, to: span.1, limit: 100_000)
        if found.isEmpty {
            print(say("the samples are no longer kept", "原始读数已不再保留"))
            return
        }
        var table = TextTable([
            .init(say("time", "时间")), .init(alarm.series.description, isNumber: true),
            .init(say("quality", "质量")),
        ])
        for sample in found.suffix(max(1, samples)) {
            table.add([
                calendar.rfc3339(sample.time), sample.reading.shown, sample.reading.qualityWord,
            ])
        }
        if found.count > samples {
            print(
                say(
                    "the last \(samples) of \(found.count) samples",
                    "共 \(found.count) 条，显示最后 \(samples) 条"))
        }
        print(table.text)
        print("")
        guard let rule, rule.version == alarm.ruleVersion else { return }
        try await showAmendment(rule, alarm, evidence, found, reader)
    }

    private func showAmendment(
        _ rule: AlarmRule, _ alarm: AlarmRecord, _ evidence: AlarmEvidence, _ found: [Sample],
        _ reader: StoreReader
    ) async throws {
        guard let series = try await reader.registry().series(alarm.series) else { return }
        let amended = rule.amendment(
            of: evidence, series: series, readings: found.numbers, units: [:])
        guard let amended else { return }
        print(
            say(
                "late:    with what came later it is \(short(amended.value)) \(evidence.unit) of "
                    + "\(amended.samples) readings; judged by \(evidence.samples)",
                "补数：  计入迟到读数后为 \(short(amended.value)) \(evidence.unit)（\(amended.samples) 条），"
                    + "判定时 \(evidence.samples) 条"))
        print("")
    }
}
