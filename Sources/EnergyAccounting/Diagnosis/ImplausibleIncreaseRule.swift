import Telemetry

/// Finds slots in which more was counted than the connection can carry.
///
/// What a gap left behind may come all at once: the time of the unknown and estimated slots right
/// before counts with the slot.
struct ImplausibleIncreaseRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.implausibleIncrease
    private let margin: Exact

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        margin = Exact(1) + thresholds.exact(.implausibleMargin) / Exact(100)
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard let relation = site.relation(meter.id) else { return .notApplicable }
        guard let limit = relation.limit, limit > .zero else {
            return .notJudged(
                en: "nobody has said what the connection can carry", zh: "未声明接入容量")
        }
        var findings: [Diagnosis.Finding] = []
        var from = 0
        for slot in 0..<site.grid.count {
            if isGap(meter.counts, slot) {
                if let finding = finding(meter.id, meter.counts, from, slot, limit, site) {
                    findings.append(finding)
                    from = slot + 1
                }
                continue
            }
            if let finding = finding(meter.id, meter.counts, from, slot, limit, site) {
                findings.append(finding)
            }
            from = slot + 1
        }
        return .judged(findings)
    }

    /// Whether nothing was read in a slot, or its figure is a guess.
    private func isGap(_ counts: Counts, _ slot: Int) -> Bool {
        let here = counts[slot]
        return here.increase == nil || here.isEstimated
            || (here.good == 0 && (here.expected ?? 0) > 0)
    }

    /// The finding when the slots from `first` on counted more than they can.
    private func finding(
        _ id: String, _ counts: Counts, _ first: Int, _ slot: Int, _ limit: Exact,
        _ site: DiagnosisSite
    ) -> Diagnosis.Finding? {
        guard counts.isKnown(slot) else { return nil }
        let span = first..<slot + 1
        let counted = counts.total(span).sum
        let time = site.grid.end(slot) - site.grid.start(first)
        let hours = Exact(Int128(time.milliseconds), over: 3_600_000)
        let bound = limit * hours * margin
        guard counted > bound else { return nil }
        let isWater = site.relation(id)?.carrier == DiagnosisSite.water
        let unit = isWater ? "m3" : "kWh"
        return site.finding(
            Self.kind, id, over: span, severity: .certain, rule: .implausibleMargin,
            text: LocalizedText(
                en: "More was counted than the connection can carry: look for a changed meter, a "
                    + "counter that was reset, a wrong ratio or a misread register, and correct "
                    + "the increase with the readings of the display.",
                zh: "该时段电（水）量超过接入能力：请检查是否换表、计数器清零、变比错误或寄存器误读，"
                    + "并按表盘读数更正。"),
            evidence: [
                .init("counted", en: "Counted", zh: "计得", .exact(counted, places: 2), unit),
                .init(
                    "possible", en: "What can be carried", zh: "可能的最大值",
                    .exact(bound, places: 2), unit),
                .init("hours", en: "Time", zh: "时长", .exact(hours, places: 2), "h"),
            ])
    }
}
