import Telemetry

extension EnergyView {
    /// What the readings say of the meters themselves.
    ///
    /// - Parameters:
    ///   - ledger: of the period, by the hour.
    ///   - inputs: of its meters with a counter.
    package static func diagnosis(
        _ ledger: MeterLedger, _ inputs: [MeterDiagnosisInput], thresholds: DiagnosisThresholds,
        period: AccountingPeriod, calendar: SiteCalendar, site: String
    ) -> StatementDocument {
        let known = Set(inputs.map(\.id))
        let relations = ledger.tree.meters.filter { known.contains($0.id) }.map { meter in
            DiagnosisRelation(
                id: meter.id, parent: meter.parent.flatMap { known.contains($0) ? $0 : nil },
                children: ledger.tree.children(of: meter.id).map(\.id).filter(known.contains),
                carrier: meter.carrier.rawValue, accuracyClass: meter.accuracy,
                isGeneration: meter.role == .generation, limit: meter.limit)
        }
        let report = Diagnosis.findings(
            of: inputs, relations: relations, grid: ledger.grid, calendar: calendar,
            thresholds: thresholds)
        var document = StatementDocument(
            kind: "diagnosis",
            title: LocalizedText(en: "What the meters say of themselves", zh: "计量自诊断"),
            site: site, period: period.label)
        document.tables = [
            findings(report, calendar), notJudged(report),
        ].compactMap { $0 }
        if report.findings.isEmpty {
            document.notes.append(
                LocalizedText(en: "Nothing was found.", zh: "未发现异常。"))
        }
        for (kind, figures) in report.off.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let names = figures.map(\.rawValue).joined(separator: ", ")
            document.notes.append(
                LocalizedText(
                    en: "\(kind.title.en) (\(kind.rawValue)) is off: \(names) not given",
                    zh: "\(kind.title.zh)（\(kind.rawValue)）未启用：缺少 \(names)"))
        }
        return document
    }

    private static func findings(
        _ report: DiagnosisReport, _ calendar: SiteCalendar
    ) -> StatementDocument.Table? {
        guard !report.findings.isEmpty else { return nil }
        var table = StatementDocument.Table(
            key: "findings", title: LocalizedText(en: "Findings", zh: "诊断结果"),
            columns: [
                .words("severity", "How sure", "确定程度"), .words("meter", "Meter", "计量点"),
                .words("kind", "Kind", "类别"), .words("title", "What", "诊断"),
                .words("since", "Since", "起"),
                .words("until", "Until", "止"), .words("text", "What to look at", "说明"),
                .words("evidence", "Evidence", "依据"),
            ])
        for finding in report.findings {
            let evidence = finding.evidence.map { one in
                (
                    "\(one.title.en) \(one.value.text) \(one.unit)",
                    "\(one.title.zh) \(one.value.text) \(one.unit)"
                )
            }
            table.rows.append([
                .text(finding.severity.title), .word(finding.meter), .word(finding.kind.rawValue),
                .text(finding.kind.title),
                .word(calendar.rfc3339(finding.since)), .word(calendar.rfc3339(finding.until)),
                .text(finding.text),
                .text(
                    LocalizedText(
                        en: evidence.map(\.0).joined(separator: "; "),
                        zh: evidence.map(\.1).joined(separator: "；"))),
            ])
        }
        return table
    }

    private static func notJudged(_ report: DiagnosisReport) -> StatementDocument.Table? {
        guard !report.notJudged.isEmpty else { return nil }
        var table = StatementDocument.Table(
            key: "not_judged", title: LocalizedText(en: "Not judged", zh: "未判定"),
            columns: [
                .words("meter", "Meter", "计量点"), .words("kind", "Kind", "类别"),
                .words("title", "What", "诊断"), .words("reason", "Why", "原因"),
            ])
        for one in report.notJudged {
            table.rows.append([
                .word(one.meter), .word(one.kind.rawValue), .text(one.kind.title),
                .text(one.reason),
            ])
        }
        return table
    }
}

extension Diagnosis.Severity {
    fileprivate var title: LocalizedText {
        switch self {
        case .certain: LocalizedText(en: "certain", zh: "确定")
        case .likely: LocalizedText(en: "likely", zh: "很可能")
        case .hint: LocalizedText(en: "hint", zh: "提示")
        }
    }
}
