import Telemetry

/// Finds months in which a point of supply takes too much reactive energy, and says how much
/// compensation would do.
///
///     cos φ = A / √(A² + R²)       A kWh, R kvarh of the month
///     kvar  = P · (tan φ − tan φ')  P the mean power of the loaded slots, φ' the target
///
/// Only meters that stand below no other of their carrier are judged: that is where it is paid
/// for, and a single welder has a low power factor by nature. Slots of low load count for the month
/// but not for the compensation; the month is told only if its loaded slots are below the limit too.
struct LowPowerFactorRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.lowPowerFactor
    private let completeness, limit, target, energy, lowLoad, highQuantile: Double

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        limit = thresholds.double(.powerFactorLimit)
        target = thresholds.double(.powerFactorTarget)
        energy = thresholds.double(.powerFactorEnergy)
        lowLoad = thresholds.fraction(.lowLoadShare)
        highQuantile = thresholds.fraction(.highQuantile)
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard site.isElectricity(meter), site.relation(meter.id)?.parent == nil else {
            return .notApplicable
        }
        guard let reactive = meter.reactive else {
            return .notJudged(en: "the meter counts no reactive energy", zh: "电表没有无功电量")
        }
        // A plant takes kWh out of the import and leaves the kvarh there.
        guard site.generators(below: meter.id).isEmpty else {
            return .notJudged(
                en: "generation below it lowers the power factor by right",
                zh: "下级有发电设备，功率因数偏低属正常")
        }
        if found.contains(where: { [.swappedPhases, .reversedTransformer].contains($0.kind) }) {
            return .notJudged(
                en: "a phase is connected wrongly; its energies prove nothing",
                zh: "相线接线有误，电量不可用于判断")
        }
        let months = wholeMonths(of: site).filter { month in
            site.share(of: month) {
                meter.counts.measured($0) != nil && reactive.measured($0) != nil
            } >= completeness
        }
        guard !months.isEmpty else {
            return .notJudged(
                en: "no month is known completely enough", zh: "没有数据完整的月份")
        }
        return .judged(months.compactMap { finding(meter, reactive, month: $0, site) })
    }

    /// The slots of each calendar month that lies in the period from its first to its last day.
    private func wholeMonths(of site: DiagnosisSite) -> [Range<Int>] {
        guard let first = site.grid.bounds.first, let last = site.grid.bounds.last, first < last
        else { return [] }
        var months: [Range<Int>] = []
        var month = Bucket(.month, containing: first, calendar: site.calendar)
        while month.end <= last {
            if month.start >= first {
                months.append(site.grid.slots(from: month.start, to: month.end))
            }
            month = month.next(calendar: site.calendar)
        }
        return months.filter { !$0.isEmpty }
    }

    private func finding(
        _ meter: MeterDiagnosisInput, _ reactive: Counts, month: Range<Int>, _ site: DiagnosisSite
    ) -> Diagnosis.Finding? {
        let known = month.filter {
            meter.counts.measured($0) != nil && reactive.measured($0) != nil
        }
        let all = sums(known, meter.counts, reactive)
        guard all.active >= energy, let factor = cosine(all), factor < limit,
            let high = RobustStatistics.quantile(
                known.map { (meter.counts.increase($0) ?? 0) / site.hours[$0] }, highQuantile)
        else { return nil }
        let loaded = known.filter {
            (meter.counts.increase($0) ?? 0) / site.hours[$0] >= lowLoad * high
        }
        let underLoad = sums(loaded, meter.counts, reactive)
        let time = site.duration(of: loaded)
        guard let loadedFactor = cosine(underLoad), loadedFactor < limit, time > 0 else {
            return nil
        }
        let wanted = max(0, 1 - target * target).squareRoot() / target
        let power = underLoad.active / time
        let compensation = power * (underLoad.reactive / underLoad.active - wanted)
        return site.finding(
            Self.kind, meter.id, over: month, severity: .likely, rule: .powerFactorLimit,
            text: LocalizedText(
                en: "The power factor of the month is too low: see whether the compensation is "
                    + "switched on and its capacitors and fuses are whole; else so many kvar are "
                    + "missing under load. At low load let it switch in steps.",
                zh: "本月功率因数偏低：请检查无功补偿装置是否投入、电容和熔断器是否完好；"
                    + "若均正常，则需按下列容量增补并分组投切。"),
            evidence: [
                .init(
                    "active_energy", en: "Active energy", zh: "有功电量",
                    .exact(exactSum(known, meter.counts), places: 1), "kWh"),
                .init(
                    "reactive_energy", en: "Reactive energy", zh: "无功电量",
                    .exact(exactSum(known, reactive), places: 1), "kvarh"),
                .init(
                    "power_factor", en: "Power factor of the month", zh: "月功率因数",
                    .estimate(factor, places: 3)),
                .init(
                    "power_factor_loaded", en: "Power factor under load", zh: "带载功率因数",
                    .estimate(loadedFactor, places: 3)),
                .init(
                    "compensation", en: "Missing compensation", zh: "需补偿容量",
                    .estimate(compensation, places: 1), "kvar"),
                .init("target", en: "Target", zh: "目标功率因数", .estimate(target, places: 2)),
            ])
    }

    private typealias Sums = (active: Double, reactive: Double)

    private func sums(_ slots: [Int], _ active: Counts, _ reactive: Counts) -> Sums {
        slots.reduce((0, 0)) {
            ($0.active + (active.increase($1) ?? 0), $0.reactive + (reactive.increase($1) ?? 0))
        }
    }

    private func cosine(_ sums: Sums) -> Double? {
        let square = sums.active * sums.active + sums.reactive * sums.reactive
        return sums.active > 0 && square.isFinite ? sums.active / square.squareRoot() : nil
    }

    private func exactSum(_ slots: [Int], _ counts: Counts) -> Exact {
        let sum = slots.reduce(Int128(0)) { $0 + Int128(counts.mantissa($1)) }
        return Exact(ScaledInteger(mantissa: sum, exponent: counts.exponent))
    }
}
