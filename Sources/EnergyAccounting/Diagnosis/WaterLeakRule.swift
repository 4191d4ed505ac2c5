import Telemetry

/// Finds water that runs in every hour of every night: the least hour of the night, which a tap or
/// a tank leaves at nought at least once, no longer returns to it.
struct WaterLeakRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.waterLeak
    private let flow, recent, steadiness: Double
    private let from, to, nights: Int

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        from = Int(thresholds.double(.nightFrom))
        to = Int(thresholds.double(.nightTo))
        flow = thresholds.double(.leakFlow) / 1000
        nights = Int(thresholds.double(.leakNights).rounded(.up))
        recent = thresholds.double(.leakRecent)
        steadiness = thresholds.fraction(.leakSteadiness)
    }

    /// One night of which every slot was read.
    private struct Night {
        var day: Range<Int>
        /// m³/h in the hour in which least ran.
        var least: Double
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard site.relation(meter.id)?.carrier == DiagnosisSite.water else { return .notApplicable }
        // A pulse of the counter in every hour is needed to see the flow at all.
        let limit = max(flow, meter.step)
        let all = site.days.compactMap { night(of: $0, meter, site) }
        guard all.count >= nights, let last = all.last, isRecent(last, site) else {
            return .notJudged(
                en: "too few whole nights are known, or none of the last days",
                zh: "完整的夜间数据不足，或最近几天没有数据")
        }
        // A run that lasts until the end, without a single night at rest.
        let start = all.lastIndex { $0.least < limit }.map { $0 + 1 } ?? 0
        let run = all[start...]
        guard run.count >= nights, let first = run.first,
            let least = RobustStatistics.median(run.map(\.least)),
            let deviation = RobustStatistics.medianDeviation(run.map(\.least))
        else { return .judged([]) }
        let isSteady = deviation <= steadiness * least
        return .judged([
            finding(
                meter, over: first.day.lowerBound..<last.day.upperBound, least, nights: run.count,
                isSteady: isSteady, sawRest: start > 0, site)
        ])
    }

    private func night(
        of day: Range<Int>, _ meter: MeterDiagnosisInput, _ site: DiagnosisSite
    ) -> Night? {
        var byHour: [Int: (volume: Double, hours: Double)] = [:]
        for slot in site.slots(of: day, from: from, to: to) {
            guard let volume = meter.counts.measured(slot) else { return nil }
            let sum = byHour[site.civilHours[slot]] ?? (0, 0)
            byHour[site.civilHours[slot]] = (sum.volume + volume, sum.hours + site.hours[slot])
        }
        guard byHour.count >= to - from - 1,
            let least = byHour.values.map({ $0.volume / max($0.hours, 0.25) }).min()
        else { return nil }
        return Night(day: day, least: least)
    }

    /// Whether the last known night is young enough: an old leak may be mended.
    private func isRecent(_ night: Night, _ site: DiagnosisSite) -> Bool {
        site.duration(of: night.day.upperBound..<max(night.day.upperBound, site.grid.count))
            <= recent
    }

    private func finding(
        _ meter: MeterDiagnosisInput, over slots: Range<Int>, _ least: Double, nights: Int,
        isSteady: Bool, sawRest: Bool, _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        var evidence: [Diagnosis.Evidence] = [
            .init(
                "night_flow", en: "Least flow at night, median", zh: "夜间最小流量中位数",
                .estimate(least * 1000, places: 0), "L/h"),
            .init(
                "daily_volume", en: "As a leak, in a day", zh: "折合每日漏量",
                .estimate(least * 24, places: 2), "m3"),
            .init(
                "nights", en: "Nights without rest", zh: "连续夜数",
                .exact(Exact(nights), places: 0), "d"),
        ]
        if let price = meter.price {
            evidence.append(
                .init(
                    "yearly_cost", en: "Its cost in a year", zh: "折合全年费用",
                    .estimate(least * 24 * 365 * price.perUnit.double, places: 0), price.currency))
        }
        let (sinceEn, sinceZh) =
            sawRest
            ? ("since this night", "自该夜起") : ("since the readings begin or earlier", "自有数据以来")
        return site.finding(
            Self.kind, meter.id, over: slots, severity: isSteady ? .likely : .hint,
            rule: .leakFlow,
            text: LocalizedText(
                en: "Water has run in every hour of every night \(sinceEn): shut the valves of the "
                    + "branches one after the other at night and watch the meter; look at "
                    + "cisterns, float valves, buried pipes and hoses left open. A use that never "
                    + "rests (night shift, cooling tower) looks the same.",
                zh: "\(sinceZh)，夜间每小时均有水流：请在夜间逐路关阀并观察水表，检查水箱浮球阀、马桶、"
                    + "埋地管和未关的软管；夜班或冷却塔补水等连续用水也会如此。"),
            evidence: evidence)
    }
}
