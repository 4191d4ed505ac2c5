import Telemetry

/// Finds a counter that stands still while its own meter says that power flows.
///
/// A closed site is none: its power reads nothing. Nor is a small load on a coarse counter: what
/// the power came to has to be many steps. A line that stands still above and beside is stale data,
/// not a stuck counter.
struct StuckCounterRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.stuckCounter
    private let completeness, power, hours, energy, steps: Double

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        power = thresholds.double(.stuckPower)
        hours = thresholds.double(.stuckHours)
        energy = thresholds.double(.stuckEnergy)
        steps = thresholds.double(.stuckSteps)
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard site.isElectricity(meter), site.relation(meter.id)?.isGeneration == false else {
            return .notApplicable
        }
        guard let electrical = meter.electrical else {
            return .notJudged(en: "the meter gives no power", zh: "电表没有功率数据")
        }
        let known = site.share(of: 0..<site.grid.count) {
            meter.counts.isKnown($0) && electrical.power($0) != nil
        }
        guard known >= completeness else {
            return .notJudged(
                en: "counts and powers are too incomplete", zh: "电量或功率数据不完整")
        }
        var findings: [Diagnosis.Finding] = []
        for run in site.runs(where: { meter.counts.measured($0) == 0 }) {
            let loaded = run.filter { (electrical.power($0) ?? 0) >= power }
            let expected = loaded.reduce(0) { $0 + (electrical.power($1) ?? 0) * site.hours[$1] }
            guard let first = loaded.first, let last = loaded.last,
                site.duration(of: loaded) >= hours,
                expected >= max(energy, steps * meter.step),
                // A power that never changes was not read, and proves nothing.
                Set(loaded.map { electrical.power($0) }).count > 1
            else { continue }
            if stoodStill(around: meter.id, over: run, site) { continue }
            findings.append(
                finding(meter.id, over: first..<last + 1, expected, site.duration(of: loaded), site)
            )
        }
        return .judged(findings)
    }

    /// Whether the parent is known and counted nothing either.
    private func stoodStill(around id: String, over run: Range<Int>, _ site: DiagnosisSite) -> Bool
    {
        guard let parent = site.relation(id)?.parent.flatMap({ site[$0] }) else { return false }
        return run.allSatisfy { (parent.counts.increase($0) ?? 0) == 0 }
    }

    private func finding(
        _ id: String, over slots: Range<Int>, _ expected: Double, _ loaded: Double,
        _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        site.finding(
            Self.kind, id, over: slots, severity: .certain, rule: .stuckPower,
            text: LocalizedText(
                en: "The counter stands still while the meter's own power flows: look at the "
                    + "counter on the display; if it moves there, the register that is read is "
                    + "the wrong one, else the meter has to be changed and the lost energy agreed.",
                zh: "电表功率正常而电量读数不动：请到现场看表盘电量，若表盘在走，说明采集的寄存器不对；"
                    + "若表盘也不走，应换表并协商补计电量。"),
            evidence: [
                .init(
                    "counted", en: "Counted", zh: "计得电量", .exact(.zero, places: 2), "kWh"),
                .init(
                    "energy_of_power", en: "Energy by the power", zh: "按功率折算电量",
                    .estimate(expected, places: 1), "kWh"),
                .init(
                    "loaded_hours", en: "Hours under load", zh: "带载小时数",
                    .estimate(loaded, places: 1), "h"),
            ])
    }
}
