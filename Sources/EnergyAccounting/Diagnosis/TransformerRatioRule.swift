import Telemetry

/// Finds figures of one line that differ by a steady factor, as they do when a current transformer
/// of another size was built in or its ratio was applied twice, or not at all.
///
/// Three comparisons, each of which names the factor by which the first has to be multiplied:
///
///     apparent   Σ U·I·|cos φ| with P            inside one reading
///     counter    the counter with Σ P·h          day by day
///     family     the meter with its parent less its siblings, or a parent with its children,
///                slot by slot (`TransformerRatioRule+Family.swift`)
///
/// A factor that wanders is a load that nobody meters, not a ratio; so its spread decides first.
struct TransformerRatioRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.transformerRatio
    let completeness, current, hours, tolerance, spread, familySpread: Double
    let days, energy, swing: Double
    let sizes: UsualTransformers

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        current = thresholds.double(.loadedCurrent)
        hours = thresholds.double(.loadedHours)
        tolerance = thresholds.fraction(.ratioTolerance)
        spread = thresholds.fraction(.ratioSpread)
        familySpread = thresholds.fraction(.ratioFamilySpread)
        days = thresholds.double(.ratioDays)
        energy = thresholds.double(.ratioEnergy)
        swing = thresholds.double(.ratioSwing)
        sizes = UsualTransformers(
            primaries: thresholds.list(.usualPrimaries),
            secondaries: thresholds.list(.usualSecondaries),
            nearness: thresholds.fraction(.ratioNear))
    }

    /// What is compared.
    enum Comparison {
        case apparent
        case counter
        case family(parent: String)
        case children
    }

    /// A steady factor and what it rests on.
    struct Factor {
        var value: Double
        /// The median deviation as a part of the value.
        var spread: Double
        var span: Range<Int>
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard site.isElectricity(meter), site.relation(meter.id)?.isGeneration == false else {
            return .notApplicable
        }
        if found.contains(where: { [.swappedPhases, .reversedTransformer].contains($0.kind) }) {
            return .notJudged(
                en: "a phase is connected wrongly; ratios are compared when that is mended",
                zh: "相线接线有误，纠正后再核对变比")
        }
        var factors: [(Comparison, Factor?)] = []
        var isJudged = false
        if let electrical = meter.electrical {
            if let quotients = apparentQuotients(electrical, site) {
                isJudged = true
                factors.append((.apparent, factor(quotients, spread: spread)))
            }
            if let quotients = counterQuotients(meter, electrical, site) {
                isJudged = true
                factors.append((.counter, factor(quotients, spread: spread)))
            }
        }
        for (comparison, quotients) in familyQuotients(meter, site) {
            isJudged = true
            factors.append((comparison, factor(quotients, spread: familySpread)))
        }
        guard isJudged else {
            return .notJudged(
                en: "there is nothing complete enough to compare the meter with",
                zh: "没有足够完整的数据可供比对")
        }
        return .judged(
            factors.compactMap { comparison, factor in
                factor.map { finding(meter, comparison, $0, site) }
            })
    }

    /// The middle of the quotients when it is steady and far enough from one.
    private func factor(
        _ quotients: [(slots: Range<Int>, value: Double)], spread: Double
    ) -> Factor? {
        let values = quotients.map(\.value)
        guard let middle = RobustStatistics.median(values), middle > 0, middle.isFinite,
            let deviation = RobustStatistics.medianDeviation(values),
            deviation <= spread * middle,
            max(middle, 1 / middle) >= 1 + tolerance,
            let first = quotients.first, let last = quotients.last
        else { return nil }
        return Factor(
            value: middle, spread: deviation / middle,
            span: first.slots.lowerBound..<last.slots.upperBound)
    }

    // MARK: Inside one meter

    /// P over Σ U · I · |cos φ|, slot by slot; nil when it is too rarely known.
    private func apparentQuotients(
        _ electrical: ElectricalHours, _ site: DiagnosisSite
    ) -> [(slots: Range<Int>, value: Double)]? {
        var quotients: [(slots: Range<Int>, value: Double)] = []
        for slot in 0..<site.grid.count {
            var (power, product) = (0.0, 0.0)
            for phase in DiagnosisPhase.allCases {
                guard let i = electrical.current[phase, slot], i.magnitude >= current,
                    let s = electrical.apparent(phase, slot),
                    let p = electrical.activePower[phase, slot],
                    let factor = powerFactor(electrical, phase, slot), factor.magnitude <= 1
                else { continue }
                power += p.magnitude
                product += s * factor.magnitude
            }
            if product > 0 { quotients.append((slot..<slot + 1, power / product)) }
        }
        return site.duration(of: quotients.map(\.slots.lowerBound)) >= hours ? quotients : nil
    }

    /// As the meter says, else from its active and reactive power.
    private func powerFactor(
        _ electrical: ElectricalHours, _ phase: DiagnosisPhase, _ slot: Int
    ) -> Double? {
        if let factor = electrical.powerFactor[phase, slot] { return factor }
        guard let p = electrical.activePower[phase, slot],
            let q = electrical.reactivePower[phase, slot], p != 0
        else { return nil }
        return p / (p * p + q * q).squareRoot()
    }

    /// The counter over Σ P · h, day by day; nil when too few days are known.
    private func counterQuotients(
        _ meter: MeterDiagnosisInput, _ electrical: ElectricalHours, _ site: DiagnosisSite
    ) -> [(slots: Range<Int>, value: Double)]? {
        guard let isStill = site.isWithoutGeneration(below: meter.id) else { return nil }
        var quotients: [(slots: Range<Int>, value: Double)] = []
        for day in site.days {
            var (counted, worked) = (0.0, 0.0)
            var known: [Int] = []
            for slot in day where isStill[slot] {
                guard let power = electrical.power(slot), power >= 0,
                    let increase = meter.counts.measured(slot)
                else { continue }
                counted += increase
                worked += power * site.hours[slot]
                known.append(slot)
            }
            // A counter that did not move at all is stuck, and a few steps say nothing.
            guard worked >= energy, counted >= 10 * meter.step,
                site.duration(of: known) >= completeness * 12
            else { continue }
            quotients.append((day, counted / worked))
        }
        return Double(quotients.count) >= days ? quotients : nil
    }

    // MARK: What is said

    private func finding(
        _ meter: MeterDiagnosisInput, _ comparison: Comparison, _ factor: Factor,
        _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        let causes = sizes.causes(of: factor.value, configured: meter.currentTransformer)
        let secondary =
            meter.currentTransformer?.secondary.double ?? sizes.secondaries.max() ?? 5
        let isLineVoltage =
            if case .apparent = comparison {
                (factor.value * 3.0.squareRoot() - 1).magnitude <= sizes.nearness * 2
            } else {
                false
            }
        var text = explanation(comparison)
        if isLineVoltage {
            text.en += " The factor is 1/√3: the voltages are probably those between the phases."
            text.zh += "系数约为 1/√3：读到的很可能是线电压而不是相电压。"
        } else if !causes.isEmpty {
            let named = causes.prefix(3).map { $0.text(secondary: secondary) }
            text.en += " Likely: " + named.map(\.en).joined(separator: "; or ") + "."
            text.zh += "可能：" + named.map(\.zh).joined(separator: "；或") + "。"
        }
        return site.finding(
            Self.kind, meter.id, over: factor.span,
            severity: isLineVoltage || !causes.isEmpty ? .likely : .hint, rule: .ratioTolerance,
            text: text,
            evidence: [
                .init(
                    "factor", en: "Factor", zh: "系数", .estimate(factor.value, places: 3)),
                .init(
                    "spread", en: "Spread of the factor", zh: "系数离散度",
                    .estimate(factor.spread * 100, places: 1), "%"),
            ])
    }

    private func explanation(_ comparison: Comparison) -> LocalizedText {
        switch comparison {
        case .apparent:
            LocalizedText(
                en: "Power is a steady multiple of Σ U·I·cos φ: the ratio of the current "
                    + "transformers is applied to one of them only. Compare with the display and "
                    + "with the scale of the registers.",
                zh: "有功功率与 Σ U·I·cosφ 成固定倍数：变比只乘在其中一个量上。请与表盘读数和寄存器倍率核对。")
        case .counter:
            LocalizedText(
                en: "The counter counts a steady multiple of what power comes to: the ratio of "
                    + "the current transformers is applied to one of them only. Compare the "
                    + "counter with the display over an hour.",
                zh: "电量与功率累计成固定倍数：变比只乘在其中一个量上。请在现场对比一小时内表盘电量与功率。")
        case .family(let parent):
            LocalizedText(
                en: "What '\(parent)' measures beside the other meters is a steady multiple of "
                    + "this meter: read the current transformer's plate and compare it with the "
                    + "meter's setting, here and at '\(parent)'.",
                zh: "上级表「\(parent)」扣除其余分表后与本表成固定倍数：请核对本表及上级表的互感器铭牌与表内变比设置。")
        case .children:
            LocalizedText(
                en: "The meters below come to a steady multiple of this meter: read the plate of "
                    + "its current transformers and compare it with the meter's setting.",
                zh: "下级各表之和与本表成固定倍数：请核对本表互感器铭牌与表内变比设置。")
        }
    }
}
