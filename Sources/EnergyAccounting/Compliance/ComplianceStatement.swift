import Telemetry

/// The statement by which an owner shows that the metering is connected and running.
package struct ComplianceStatement: Sendable {
    package static let kind = "compliance"

    package let ledger: ComplianceLedger

    package init(_ ledger: ComplianceLedger) { self.ledger = ledger }

    private var rules: ComplianceRules? { ledger.plan.compliance }

    /// - Parameter site: its name, as it is written.
    package func document(site: String) -> StatementDocument {
        let tables = ComplianceTables(ledger: ledger)
        return StatementDocument(
            kind: Self.kind,
            title: LocalizedText(en: "Metering connected and running", zh: "用能计量接入及运行情况表"),
            site: site, period: ledger.period.label, facts: facts,
            tables: [
                tables.meters(), tables.platforms(), tables.uploads(), tables.days(),
                tables.repairs(),
            ],
            notes: notes,
            signatures: [
                LocalizedText(en: "For the owner", zh: "业主单位"),
                LocalizedText(en: "Inspector", zh: "检查人员"),
            ])
    }

    private var facts: [StatementDocument.Fact] {
        let verdict = ComplianceVerdict(ledger)
        func fact(
            _ key: String, _ en: String, _ zh: String, _ cell: StatementDocument.Cell,
            unit: String = ""
        ) -> StatementDocument.Fact {
            .init(key, LocalizedText(en: en, zh: zh), cell, unit: unit)
        }
        var facts = [
            fact("connected_and_running", "Connected and running", "接入并运行正常", .text(verdict.text)),
            fact("made_at", "Made at", "查验时间", .word(verdict.madeAt)),
            fact("area", "Total floor area", "总建筑面积", Print.number(ledger.area), unit: "m2"),
        ]
        if let duty { facts.append(fact("duty", "The duty", "法定义务", duty)) }
        return facts
            + ledger.plan.particulars.map { .init($0.key, $0.title, .word($0.value)) }
    }

    /// Whether the building is of the size that the rules name; nil without rules.
    private var duty: StatementDocument.Cell? {
        guard let rules else { return nil }
        let limit = "\(rules.fromArea.plainText) m²"
        switch rules.holds(forArea: ledger.area) {
        case true?:
            return .text(
                LocalizedText(
                    en: "By its area (\(limit) and more) the building falls under the duty.",
                    zh: "按面积（\(limit)及以上）属于义务范围。"))
        case false?:
            return .text(
                LocalizedText(
                    en: "By its area (less than \(limit)) the building does not fall under the "
                        + "duty; what the law says of kinds of buildings is not judged here.",
                    zh: "按面积（不足 \(limit)）不属于义务范围；按建筑类别的规定此处不作判定。"))
        case nil:
            return .missing(LocalizedText(en: "the area is not known", zh: "面积未知"))
        }
    }

    private var notes: [LocalizedText] { legal + progress + reading }

    private var legal: [LocalizedText] {
        guard let rules else {
            return [
                LocalizedText(
                    en: "The configuration names no file of the law (energy.compliance); whether "
                        + "a duty holds is not judged.",
                    zh: "配置未指定法规文件（energy.compliance），是否负有义务不作判定。")
            ]
        }
        return [
            LocalizedText(
                en: "\(rules.title.en): \(rules.duty.en) Otherwise: \(rules.fine.en). "
                    + "Source: \(rules.source) (\(rules.status.text.en)).",
                zh: "\(rules.title.zh)：\(rules.duty.zh)否则：\(rules.fine.zh)。"
                    + "依据：\(rules.source)（\(rules.status.text.zh)）。")
        ]
    }

    private var progress: [LocalizedText] {
        guard ledger.now < ledger.period.end(calendar: ledger.calendar) else { return [] }
        let until = ledger.calendar.rfc3339(ledger.now)
        return [
            LocalizedText(
                en: "The period has not ended; figures are those up to \(until).",
                zh: "期间尚未结束，数据截至 \(until)。")
        ]
    }

    private var reading: [LocalizedText] {
        [
            LocalizedText(
                en:
                    "Connected and running is told of the instant above, not of the period. A meter "
                    + "is out for each whole hour in which readings were expected and none was "
                    + "good.",
                zh: "“接入并运行正常”按上述查验时间判定，与期间无关。整小时内应有读数而无一有效的，计为中断。"),
            LocalizedText(
                en: "Uploads are counted by item as they stand now: an item that was corrected is "
                    + "owed until the platform has accepted the correction. Complete is accepted "
                    + "by owed. Uploads of a meter are those of its device.",
                zh: "上传按条目当前状态统计：更正后的条目在平台接收更正之前计为待传。完整率为已接收与应传之比。计量表的上传情况按其设备统计。"),
        ]
    }
}
