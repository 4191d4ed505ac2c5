import Telemetry

/// Finds figures of one line that differ by a steady factor, as they do when a current transformer
/// of another size was built in or its ratio was applied twice, or not at all.
///
/// Three comparisons, each of which names the factor by which the first has to be multiplied:
///
///     apparent   Σ U·I·|cos φ| with P            inside one reading
///     counter    the counter with Σ P·h          day by day
///     family     how a meter's load moves with its parent's (`FamilyFactors`)
///
/// A factor that wanders is no ratio, so its spread decides first.
struct TransformerRatioRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.transformerRatio
    let completeness, current, hours, tolerance, spread: Double
    let familyTolerance, familySpread, days, energy, steps: Double
    let load: FamilyFactors.Load
    let sizes: UsualTransformers

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        current = thresholds.double(.loadedCurrent)
        hours = thresholds.double(.loadedHours)
        tolerance = thresholds.fraction(.ratioTolerance)
        spread = thresholds.fraction(.ratioSpread)
        familyTolerance = thresholds.fraction(.ratioFamilyTolerance)
        familySpread = thresholds.fraction(.ratioFamilySpread)
        days = thresholds.double(.ratioDays)
        energy = thresholds.double(.ratioEnergy)
        steps = thresholds.double(.ratioSteps)
        load = FamilyFactors.Load(
            swing: thresholds.fraction(.ratioSwing), steps: steps,
            highQuantile: thresholds.fraction(.ratioHighQuantile),
            share: thresholds.fraction(.ratioLoadShare))
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
        /// As a part of the value: the median deviation, of a family the standard error.
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
        var factors: [(Comparison, Factor)] = []
        var isJudged = false
        if let electrical = meter.electrical {
            if let quotients = apparentQuotients(electrical, site) {
                isJudged = true
                if let factor = factor(quotients) { factors.append((.apparent, factor)) }
            }
            if let quotients = counterQuotients(meter, electrical, site) {
                isJudged = true
                if let factor = factor(quotients) { factors.append((.counter, factor)) }
            }
        }
        if let family = familyFactors(meter, site) {
            isJudged = true
            factors += family
        }
        guard isJudged else {
            return .notJudged(
                en: "there is nothing complete enough to compare the meter with",
                zh: "没有足够完整的数据可供比对")
        }
        return .judged(factors.map { finding(meter, $0, $1, site) })
    }

    /// The middle of the quotients when it is steady and far enough from one.
    private func factor(_ quotients: [(slots: Range<Int>, value: Double)]) -> Factor? {
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
            guard worked >= energy, counted >= steps * meter.step,
                site.duration(of: known)
                    >= completeness * site.duration(of: day.filter { isStill[$0] })
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
        let causes = sizes.causes(
            of: factor.value, configured: meter.currentTransformer,
            within: isFamily(comparison) ? max(sizes.nearness, 2 * factor.spread) : sizes.nearness)
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
            severity: severity(comparison, factor, isNamed: isLineVoltage || !causes.isEmpty),
            rule: rule(comparison, factor),
            text: text,
            evidence: [
                .init(
                    "factor", en: "Factor", zh: "系数", .estimate(factor.value, places: 3)),
                .init(
                    "spread", en: "Spread of the factor", zh: "系数离散度",
                    .estimate(factor.spread * 100, places: 1), "%"),
            ])
    }

    private func isFamily(_ comparison: Comparison) -> Bool {
        switch comparison {
        case .apparent, .counter: false
        case .family, .children: true
        }
    }

    /// Only a hint where no pair of sizes fits, or where an unmetered load may stand behind it.
    private func severity(
        _ comparison: Comparison, _ factor: Factor, isNamed: Bool
    ) -> Diagnosis.Severity {
        isNamed && rule(comparison, factor) == .ratioTolerance ? .likely : .hint
    }

    /// The tolerance that was passed: loads without a meter excuse a meter that shows less than
    /// its parent sees, and a parent that shows more than its children.
    func rule(_ comparison: Comparison, _ factor: Factor) -> DiagnosisFigure {
        switch comparison {
        case .apparent, .counter: .ratioTolerance
        case .family: factor.value > 1 ? .ratioFamilyTolerance : .ratioTolerance
        case .children: factor.value < 1 ? .ratioFamilyTolerance : .ratioTolerance
        }
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
                en:
                    "When this meter's load changes, '\(parent)' sees a steady multiple of the change: "
                    + "read the plates of the current transformers and compare them with the "
                    + "settings, here and at '\(parent)'; a load beside this one that follows it "
                    + "and has no meter looks the same.",
                zh: "本表负荷变化时，上级表「\(parent)」的变化与之成固定倍数：请核对本表及上级表的互感器铭牌与"
                    + "表内变比设置；若旁边有随之变化而未装表的负荷，也会如此。")
        case .children:
            LocalizedText(
                en:
                    "When the loads below change, this meter sees a steady part of every change: read "
                    + "the plates of its current transformers and compare them with its setting.",
                zh: "下级各表负荷变化时，本表的变化均与之成固定倍数：请核对本表互感器铭牌与表内变比设置。")
        }
    }
}
