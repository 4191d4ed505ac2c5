import Telemetry

/// Finds a part that no child measures and that grows, in share and in kWh.
///
/// Both, because a closed week makes the share of an unmetered base load large and the base load
/// no larger.
struct UnaccountedRisingRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.unaccountedRising
    private let completeness, rise, growth: Double
    private let window: Int

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        window = Int(thresholds.double(.unaccountedWindow).rounded(.up))
        rise = thresholds.fraction(.unaccountedRise)
        growth = thresholds.fraction(.unaccountedGrowth)
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard !site.children(of: meter.id).isEmpty else { return .notApplicable }
        let known: [BalanceDay]
        do throws(DiagnosisSite.BalanceObstacle) {
            known = try site.balanceDays(of: meter, completeness: completeness)
        } catch {
            return .notJudged(error.reason)
        }
        guard known.count >= 2 * window else {
            return .notJudged(
                en: "the days are too few to see a trend", zh: "天数不足，无法判断趋势")
        }
        let early = Part(known.prefix(window))
        let late = Part(known.suffix(window))
        guard let shareBefore = early.share, let shareAfter = late.share,
            shareAfter - shareBefore >= rise, early.median > 0,
            late.median >= early.median * (1 + growth),
            // Most of the late days lie above most of the early ones: a trend, no few wild days.
            late.lowQuarter > early.highQuarter,
            let last = known.suffix(window).last, let first = known.suffix(window).first
        else { return .judged([]) }
        return .judged([
            site.finding(
                Self.kind, meter.id, over: first.slots.lowerBound..<last.slots.upperBound,
                severity: .hint, rule: .unaccountedRise,
                text: LocalizedText(
                    en: "What no meter below measures has grown: look for new circuits without a "
                        + "meter, a tap before the sub-meters, or a sub-meter that reads too low.",
                    zh: "未被下级表计量的电量在增长：请查找新增的未装表回路、表前接线，或读数偏低的分表。"),
                evidence: [
                    .init(
                        "share_before", en: "Unaccounted share before", zh: "之前未计量占比",
                        .estimate(shareBefore * 100, places: 1), "%"),
                    .init(
                        "share_after", en: "Unaccounted share now", zh: "目前未计量占比",
                        .estimate(shareAfter * 100, places: 1), "%"),
                    .init(
                        "energy_before", en: "Unaccounted a day before", zh: "之前日均未计量电量",
                        .estimate(early.median, places: 1), "kWh"),
                    .init(
                        "energy_after", en: "Unaccounted a day now", zh: "目前日均未计量电量",
                        .estimate(late.median, places: 1), "kWh"),
                ])
        ])
    }

    /// The unaccounted energy of some days.
    private struct Part {
        /// kWh a day.
        let median, lowQuarter, highQuarter: Double
        /// The median of the daily shares of all that was delivered.
        let share: Double?

        init(_ days: some Collection<BalanceDay>) {
            let rests = days.map { (-$0.excess).double }
            median = RobustStatistics.median(rests) ?? 0
            lowQuarter = RobustStatistics.quantile(rests, 0.25) ?? 0
            highQuarter = RobustStatistics.quantile(rests, 0.75) ?? 0
            share = RobustStatistics.median(
                days.compactMap { day in
                    let delivered = (day.parent + day.generated).double
                    return delivered > 0 ? (-day.excess).double / delivered : nil
                })
        }
    }
}
