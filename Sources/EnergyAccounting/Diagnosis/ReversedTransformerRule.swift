import Telemetry

/// Finds currents that flow backwards through their transformers: power is negative on a phase
/// although nothing below the meter generates.
///
/// A phase counts only if it is clearly negative or clearly positive for nearly all of its loaded
/// hours. A load between two phases with a low power factor (a welder) draws its second phase down
/// to about nought and keeps that phase unclear; then nothing is said.
struct ReversedTransformerRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.reversedTransformer
    private let completeness, current, hours, believed, factor, share: Double
    private let export: Exact

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        current = thresholds.double(.loadedCurrent)
        hours = thresholds.double(.loadedHours)
        factor = thresholds.double(.reversedPowerFactor)
        share = thresholds.fraction(.reversedShare)
        believed = thresholds.double(.believedPowerFactor)
        export = thresholds.exact(.reversedExport)
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        // Two exchanged phases show negative powers too.
        guard site.isElectricity(meter), site.relation(meter.id)?.isGeneration == false,
            !found.contains(where: { $0.kind == .swappedPhases })
        else { return .notApplicable }
        let phases: LoadedPhases
        do throws(LoadedPhases.Obstacle) {
            phases = try LoadedPhases(
                meter, of: site, completeness: completeness, amperes: current, believed: believed)
        } catch {
            return .notJudged(error.reason)
        }
        var (negative, positive): ([DiagnosisPhase], [DiagnosisPhase]) = ([], [])
        for phase in DiagnosisPhase.allCases {
            let rows = phases.loaded(phase)
            let all = site.duration(of: rows.map(\.slot))
            guard all >= hours else { continue }
            let below = rows.filter { $0.factor <= -factor }.map(\.slot)
            let above = rows.filter { $0.factor >= factor }.map(\.slot)
            if site.duration(of: below) >= share * all {
                negative.append(phase)
            } else if site.duration(of: above) >= share * all {
                positive.append(phase)
            } else {
                return .judged([])
            }
        }
        guard !negative.isEmpty || !positive.isEmpty else {
            return .notJudged(en: "loaded hours are too rare", zh: "带载小时数不足")
        }
        let slots = negative.first.map { phases.loaded($0).map(\.slot) } ?? []
        guard let first = slots.first, let last = slots.last else { return .judged([]) }
        let span = first..<last + 1
        return .judged([
            positive.isEmpty
                ? allReversed(meter, slots, span, site)
                : someReversed(meter, negative, slots, span, site)
        ])
    }

    private func someReversed(
        _ meter: MeterDiagnosisInput, _ phases: [DiagnosisPhase], _ slots: [Int],
        _ span: Range<Int>, _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        let en = phases.map(\.letter).joined(separator: " and ")
        let zh = phases.map(\.letter).joined(separator: "、")
        return site.finding(
            Self.kind, meter.id, over: span, severity: .certain, rule: .reversedPowerFactor,
            text: LocalizedText(
                en: "The current transformer of phase \(en) is probably reversed: its power is "
                    + "negative while the others are positive. Look at which side faces the supply "
                    + "(P1, K) and at the leads S1 and S2; exchange the leads of that phase. Never "
                    + "open a secondary under load.",
                zh: "\(zh) 相电流互感器很可能接反：该相功率为负而其他相为正。请核对 P1 面是否朝向电源侧、"
                    + "S1/S2 是否接反，调换该相二次线；带电时严禁二次开路。"),
            evidence: meter.powerEvidence(over: slots))
    }

    private func allReversed(
        _ meter: MeterDiagnosisInput, _ slots: [Int], _ span: Range<Int>, _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        let imported = meter.counts.total(span)
        var evidence = meter.powerEvidence(over: slots)
        evidence.append(
            .init(
                "imported", en: "Counted as import", zh: "正向电量",
                .exact(imported.sum, places: 1), "kWh"))
        var isConfirmed = false
        if let exported = meter.exported?.total(span) {
            evidence.append(
                .init(
                    "exported", en: "Counted as export", zh: "反向电量",
                    .exact(exported.sum, places: 1), "kWh"))
            isConfirmed = exported.sum > imported.sum.magnitude * export
        }
        return site.finding(
            Self.kind, meter.id, over: span, severity: isConfirmed ? .certain : .likely,
            rule: .reversedPowerFactor,
            text: LocalizedText(
                en: "Every phase shows negative power and no generation is declared below the "
                    + "meter: all current transformers are probably reversed, or the line in and "
                    + "the line out are exchanged; currents that are all moved on by one phase can "
                    + "look the same. If there is a generator, declare it.",
                zh: "各相功率均为负，而该表下未声明发电设备：三相电流互感器很可能全部接反，或进出线接反；"
                    + "三相电流依次错位也会如此。若确有发电设备，请在配置中声明。"),
            evidence: evidence)
    }
}
