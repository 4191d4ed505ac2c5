import Telemetry

/// Finds a meter whose voltages, currents and powers are the same to the last bit for hours.
///
/// A dead line reads nothing for days and is left alone. Where no other meter is seen to move in
/// the same hours, nothing is said.
struct FrozenGaugesRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.frozenGauges
    private let hours: Double

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        hours = thresholds.double(.frozenHours)
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard site.isElectricity(meter) else { return .notApplicable }
        guard let electrical = meter.electrical else {
            return .notJudged(en: "the meter gives no gauges", zh: "电表没有电压、电流、功率数据")
        }
        let others = site.order.filter { $0.id != meter.id }.compactMap(\.electrical)
        var findings: [Diagnosis.Finding] = []
        var isAlone = false
        for run in equalRuns(electrical, site) where site.duration(of: run) >= hours {
            guard isAlive(electrical, run.lowerBound) else { continue }
            let moves = others.contains { other in
                run.dropFirst().contains {
                    !isEmpty(other, $0) && !isEqual(other, $0, run.lowerBound)
                }
            }
            if moves {
                findings.append(finding(meter.id, electrical, over: run, site))
            } else {
                isAlone = true
            }
        }
        guard findings.isEmpty, isAlone else { return .judged(findings) }
        return .notJudged(
            en: "gauges stood still, and no other meter moved to compare with",
            zh: "量测值不变，但没有其他变化的电表可供对比")
    }

    /// The runs of at least two slots with the same readings.
    private func equalRuns(_ gauges: ElectricalHours, _ site: DiagnosisSite) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var start = 0
        for slot in 0..<site.grid.count {
            if slot > start, isEmpty(gauges, slot) || !isEqual(gauges, slot, slot - 1) {
                if slot - start > 1 { runs.append(start..<slot) }
                start = slot
            }
        }
        if site.grid.count - start > 1 { runs.append(start..<site.grid.count) }
        return runs
    }

    private func isEqual(_ gauges: ElectricalHours, _ a: Int, _ b: Int) -> Bool {
        gauges.quantities.allSatisfy { quantity in
            quantity.total(a) == quantity.total(b)
                && DiagnosisPhase.allCases.allSatisfy { quantity[$0, a] == quantity[$0, b] }
        }
    }

    private func isEmpty(_ gauges: ElectricalHours, _ slot: Int) -> Bool {
        gauges.quantities.allSatisfy { quantity in
            quantity.total(slot) == nil
                && DiagnosisPhase.allCases.allSatisfy { quantity[$0, slot] == nil }
        }
    }

    /// Whether voltage or power is there: an idle circuit has a current of nought for days, its
    /// voltage never stands still.
    private func isAlive(_ gauges: ElectricalHours, _ slot: Int) -> Bool {
        let isLive = DiagnosisPhase.allCases.contains { (gauges.voltage[$0, slot] ?? 0) != 0 }
        return isLive || (gauges.power(slot) ?? 0) != 0
    }

    private func finding(
        _ id: String, _ gauges: ElectricalHours, over run: Range<Int>, _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        var evidence: [Diagnosis.Evidence] = [
            .init(
                "frozen_hours", en: "Hours without a change", zh: "数值不变小时数",
                .estimate(site.duration(of: run), places: 1), "h")
        ]
        if let power = gauges.power(run.lowerBound) {
            evidence.append(
                .init(
                    "power", en: "Power all that time", zh: "期间功率读数",
                    .estimate(power, places: 2), "kW"))
        }
        return site.finding(
            Self.kind, id, over: run, severity: .certain, rule: .frozenHours,
            text: LocalizedText(
                en: "Every gauge of the meter stays the same to the last digit while others move: "
                    + "a converter or a concentrator repeats old values; restart it and compare "
                    + "with the display.",
                zh: "电表各量测值长时间一位不变，而其他表在变化：多为串口服务器或集中器重复上送旧值，"
                    + "请重启采集设备并与表盘核对。"),
            evidence: evidence)
    }
}
