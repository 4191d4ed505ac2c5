import Telemetry

/// Finds a meter of which no good reading came although some were expected.
///
/// Hours in which every meter was silent tell of the gateway or its line, not of this meter.
struct SilentMeterRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.silentMeter
    private let hours: Double

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        hours = thresholds.double(.silentHours)
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard (0..<site.grid.count).contains(where: { (meter.counts[$0].expected ?? 0) > 0 }) else {
            return .notJudged(
                en: "nobody has said how often the meter is read", zh: "未声明电表的采集周期")
        }
        let runs = site.runs { slot in
            let here = meter.counts[slot]
            return (here.expected ?? 0) > 0 && here.good == 0
        }
        var findings: [Diagnosis.Finding] = []
        for run in runs where site.duration(of: run) >= hours {
            let alone = run.filter { slot in
                site.order.count < 2
                    || site.order.contains { $0.id != meter.id && $0.counts[slot].good > 0 }
            }
            guard site.duration(of: alone) >= hours else { continue }
            findings.append(
                finding(meter.id, over: run, isOpen: run.upperBound == site.grid.count, site))
        }
        return .judged(findings)
    }

    private func finding(
        _ id: String, over run: Range<Int>, isOpen: Bool, _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        site.finding(
            Self.kind, id, over: run, severity: isOpen ? .certain : .likely, rule: .silentHours,
            text: LocalizedText(
                en: (isOpen ? "The meter is silent" : "The meter was silent")
                    + " while others answered: look at its supply, its address and its bus line; "
                    + "a meter fed by the circuit that it measures falls silent with it.",
                zh: (isOpen ? "电表无数据" : "电表曾长时间无数据")
                    + "而其他表正常：请检查电表供电、通信地址和总线接线；若电表由被测回路供电，停电时也会无数据。"),
            evidence: [
                .init(
                    "silent_hours", en: "Hours without a reading", zh: "无数据小时数",
                    .estimate(site.duration(of: run), places: 1), "h")
            ])
    }
}
