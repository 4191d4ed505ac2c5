import Telemetry

/// Finds a line of which one phase carries much more than the mean of the three for much of the
/// loaded time: (greatest − mean) / mean of the currents.
///
/// A line that uses one phase or two is none: a phase that never carries a load is taken for
/// unused, and nothing is said.
struct PhaseImbalanceRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.phaseImbalance
    private let completeness, hours, limit, share, current, highQuantile: Double

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        hours = thresholds.double(.loadedHours)
        limit = thresholds.fraction(.imbalanceLimit)
        share = thresholds.fraction(.imbalanceShare)
        current = thresholds.double(.imbalanceCurrent)
        highQuantile = thresholds.fraction(.highQuantile)
    }

    /// The currents of one slot.
    private struct Row {
        var slot: Int
        var currents: [Double]
        var mean: Double { currents.reduce(0, +) / 3 }
        var imbalance: Double { mean > 0 ? ((currents.max() ?? 0) - mean) / mean : 0 }
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard site.isElectricity(meter), site.relation(meter.id)?.isGeneration == false else {
            return .notApplicable
        }
        guard let electrical = meter.electrical else {
            return .notJudged(en: "the meter gives no currents", zh: "电表没有电流数据")
        }
        let rows = (0..<site.grid.count).compactMap { slot -> Row? in
            let currents = DiagnosisPhase.allCases.compactMap {
                electrical.current[$0, slot]?.magnitude
            }
            return currents.count == 3 ? Row(slot: slot, currents: currents) : nil
        }
        guard
            site.duration(of: rows.map(\.slot)) >= completeness
                * site.duration(of: 0..<site.grid.count)
        else {
            return .notJudged(
                en: "the currents of three phases are not given, or too incomplete",
                zh: "三相电流缺失或不完整")
        }
        for phase in DiagnosisPhase.allCases {
            let column = rows.map { $0.currents[phase.rawValue] }
            guard let high = RobustStatistics.quantile(column, highQuantile), high >= current else {
                return .notJudged(
                    en: "phase \(phase.letter) never carries a load worth judging",
                    zh: "\(phase.letter) 相负荷过小，不作判断")
            }
        }
        let loaded = rows.filter { $0.mean >= current }
        let time = site.duration(of: loaded.map(\.slot))
        guard time >= hours else {
            return .notJudged(en: "loaded hours are too rare", zh: "带载小时数不足")
        }
        let beyond = loaded.filter { $0.imbalance > limit }
        let part = site.duration(of: beyond.map(\.slot)) / time
        guard part >= share, let first = beyond.first, let last = beyond.last else {
            return .judged([])
        }
        return .judged([
            finding(meter.id, loaded, part, over: first.slot..<last.slot + 1, site)
        ])
    }

    private func finding(
        _ id: String, _ loaded: [Row], _ part: Double, over span: Range<Int>, _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        let medians = DiagnosisPhase.allCases.map { phase in
            RobustStatistics.median(loaded.map { $0.currents[phase.rawValue] }) ?? 0
        }
        let highest =
            DiagnosisPhase.allCases.max { medians[$0.rawValue] < medians[$1.rawValue] } ?? .a
        var evidence = DiagnosisPhase.allCases.map { phase in
            Diagnosis.Evidence(
                "current_\(phase.letter.lowercased())",
                en: "Current of phase \(phase.letter), median", zh: "\(phase.letter) 相电流中位数",
                .estimate(medians[phase.rawValue], places: 1), "A")
        }
        evidence.append(
            .init(
                "imbalance", en: "Imbalance, median", zh: "不平衡度中位数",
                .estimate((RobustStatistics.median(loaded.map(\.imbalance)) ?? 0) * 100, places: 0),
                "%"))
        evidence.append(
            .init(
                "share", en: "Part of the loaded hours", zh: "占带载小时的比例",
                .estimate(part * 100, places: 0), "%"))
        let isSupply = site.relation(id)?.parent == nil
        return site.finding(
            Self.kind, id, over: span, severity: isSupply ? .likely : .hint, rule: .imbalanceLimit,
            text: LocalizedText(
                en: "Phase \(highest.letter) carries much more than the others: move single-phase "
                    + "circuits to the phases that carry less, and look at the neutral's current "
                    + "and temperature.",
                zh: "\(highest.letter) 相负荷明显高于其他相：请将部分单相回路调整到负荷较轻的相，"
                    + "并检查中性线电流与温度。"),
            evidence: evidence)
    }
}
