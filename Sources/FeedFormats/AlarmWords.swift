import Telemetry

/// The words for what a notice and its alarms say, in both languages.
enum AlarmWords {
    /// Why a notice is sent.
    static func kind(_ kind: AlarmNotice.Kind) -> LocalizedText {
        switch kind {
        case .change: LocalizedText(en: "State changed", zh: "状态变化")
        case .raised: LocalizedText(en: "Alarm", zh: "报警")
        case .returned: LocalizedText(en: "Returned to normal", zh: "报警恢复")
        case .reminder: LocalizedText(en: "Reminder, not acknowledged", zh: "催办，仍未确认")
        case .escalation: LocalizedText(en: "Escalation, nobody acknowledged", zh: "升级，无人确认")
        case .chattering: LocalizedText(en: "Alarm comes and goes", zh: "报警反复抖动")
        case .storm: LocalizedText(en: "Many alarms at once", zh: "报警集中爆发")
        case .digest: LocalizedText(en: "Digest", zh: "报警汇总")
        }
    }

    /// The state of an alarm in the words of ISA-18.2.
    static func state(_ state: AlarmState) -> LocalizedText {
        switch state {
        case .normal: LocalizedText(en: "normal", zh: "正常")
        case .pending: LocalizedText(en: "pending", zh: "待定")
        case .activeUnacknowledged:
            LocalizedText(en: "active, not acknowledged", zh: "报警中，未确认")
        case .activeAcknowledged: LocalizedText(en: "active, acknowledged", zh: "报警中，已确认")
        case .returnedUnacknowledged:
            LocalizedText(en: "returned, not acknowledged", zh: "已恢复，未确认")
        case .latched: LocalizedText(en: "returned, waits to be reset", zh: "已恢复，待复位")
        case .shelved: LocalizedText(en: "shelved", zh: "已搁置")
        case .suppressed: LocalizedText(en: "suppressed by design", zh: "按设计抑制")
        case .outOfService: LocalizedText(en: "out of service", zh: "已停用")
        }
    }

    /// A severity; a word that the house does not know stays as it is.
    static func severity(_ severity: String) -> LocalizedText {
        switch severity {
        case "critical": LocalizedText(en: "critical", zh: "紧急")
        case "warning": LocalizedText(en: "warning", zh: "警告")
        case "info": LocalizedText(en: "info", zh: "提示")
        default: LocalizedText(en: severity, zh: severity)
        }
    }

    /// How well the limit is known; a word that the house does not know stays as it is.
    static func status(_ status: String) -> LocalizedText {
        switch status {
        case "verified": LocalizedText(en: "verified in the source", zh: "已核对原文")
        case "secondary": LocalizedText(en: "from a secondary source", zh: "转引自二手资料")
        case "from-memory": LocalizedText(en: "from memory", zh: "凭记忆，未查证")
        case "project": LocalizedText(en: "a choice of the project", zh: "项目自定")
        default: LocalizedText(en: status, zh: status)
        }
    }

    /// Whether nobody has read the limit in its source.
    static func isUnverified(_ status: String) -> Bool {
        status == "from-memory" || status == "secondary"
    }

    /// What a device says of itself; a word that the house does not know stays as it is.
    static func device(_ word: String) -> LocalizedText {
        switch word {
        case "normal": LocalizedText(en: word, zh: "正常")
        case "warning": LocalizedText(en: word, zh: "预警")
        case "alarm": LocalizedText(en: word, zh: "报警")
        default: LocalizedText(en: word, zh: word)
        }
    }

    /// What the alarm rests on, in one sentence.
    static func evidence(
        _ alarm: AlarmBrief, _ language: FeedLanguage, _ calendar: SiteCalendar
    ) -> String {
        let evidence = alarm.evidence
        let figures = figures(evidence)
        var details = FigureText.window(evidence, calendar).map { [$0] } ?? []
        switch language {
        case .en:
            details.append("\(evidence.samples) \(evidence.samples == 1 ? "reading" : "readings")")
            if let coverage = evidence.coverage {
                details.append("coverage \(FigureText.share(coverage))")
            }
            return "\(alarm.point.en) of \(alarm.device.en): \(figures.en) "
                + "(\(details.joined(separator: ", ")))" + others(evidence, ", ", "; ")
        case .zh:
            details.append("\(evidence.samples)个读数")
            if let coverage = evidence.coverage {
                details.append("覆盖率\(FigureText.share(coverage))")
            }
            return "\(alarm.device.zh) \(alarm.point.zh)：\(figures.zh)"
                + "（\(details.joined(separator: "，"))）" + others(evidence, "，", "；")
        }
    }

    /// A figure beside its limit, or the word of the device.
    private static func figures(_ evidence: AlarmEvidence) -> LocalizedText {
        if let word = evidence.word {
            let said = device(word)
            return LocalizedText(en: "the device says “\(said.en)”", zh: "设备状态“\(said.zh)”")
        }
        let value = FigureText.quantity(
            evidence.value, unit: evidence.unit, besides: evidence.limit)
        let limit = FigureText.quantity(evidence.limit, unit: evidence.unit)
        return LocalizedText(en: "\(value), limit \(limit)", zh: "\(value)，限值\(limit)")
    }

    /// The further series of a joint judgement.
    private static func others(
        _ evidence: AlarmEvidence, _ separator: String, _ start: String
    ) -> String {
        guard !evidence.others.isEmpty else { return "" }
        return start
            + evidence.others.map { other in
                let said =
                    other.word
                    ?? other.value.map { FigureText.quantity($0, unit: other.unit) } ?? "–"
                return "\(other.series) \(said)"
            }.joined(separator: separator)
    }
}
