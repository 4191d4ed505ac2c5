import Telemetry

/// Finds children that count more than their parent, beyond what all their errors together allow.
///
/// The limit adds up the greatest error of every meter, as if all of them erred in the worst
/// direction, so that no honest set of meters reaches it.
struct ChildrenExceedParentRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.childrenExceedParent
    private let completeness, days, share: Double
    private let defaultClass, transformerError, certain: Exact

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        days = thresholds.double(.balanceDays)
        share = thresholds.fraction(.balanceShare)
        defaultClass = thresholds.exact(.defaultClass)
        transformerError = thresholds.exact(.transformerError)
        certain = thresholds.exact(.balanceCertain)
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
        guard Double(known.count) >= days, let first = known.first, let last = known.last else {
            return .notJudged(en: "too few days can be compared", zh: "可比对的天数不足")
        }
        let limits = known.map { allowance(of: $0, meter, site) }
        let excess = known.reduce(Exact.zero) { $0 + $1.excess }
        let limit = limits.reduce(Exact.zero, +)
        let beyond = zip(known, limits).filter { $0.excess > $1 }.count
        guard excess > limit, Double(beyond) >= share * Double(known.count) else {
            return .judged([])
        }
        let span = first.slots.lowerBound..<last.slots.upperBound
        return .judged([finding(meter, known, excess, limit, beyond, span, site)])
    }

    /// kWh by which the day's figures may differ if every meter errs as far as it may.
    private func allowance(
        of day: BalanceDay, _ meter: MeterDiagnosisInput, _ site: DiagnosisSite
    ) -> Exact {
        func allowed(_ id: String, _ energy: Exact) -> Exact {
            let percent = (site.relation(id)?.accuracyClass ?? defaultClass) + transformerError
            // One step more or less is in sight at each end of the day.
            let step = (site[id]?.step).flatMap { Exact(decimal: $0) } ?? .zero
            return energy.magnitude * percent / Exact(100) + step
        }
        let consumers = site.children(of: meter.id).filter { !$0.isGeneration }
        return zip(consumers, day.children).reduce(allowed(meter.id, day.parent)) {
            $0 + allowed($1.0.id, $1.1)
        } + day.generated.magnitude * (defaultClass + transformerError) / Exact(100)
    }

    private func finding(
        _ meter: MeterDiagnosisInput, _ known: [BalanceDay], _ excess: Exact, _ limit: Exact,
        _ beyond: Int, _ span: Range<Int>, _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        let parent = known.reduce(Exact.zero) { $0 + $1.parent }
        let half = known.count / 2
        let early = known[..<half].reduce(Exact.zero) { $0 + $1.excess } / Exact(max(1, half))
        let late =
            known[half...].reduce(Exact.zero) { $0 + $1.excess } / Exact(known.count - half)
        return site.finding(
            Self.kind, meter.id, over: span,
            severity: excess > limit * certain ? .certain : .likely, rule: .transformerError,
            text: LocalizedText(
                en: "The meters below count more than this one, beyond their errors: look for a "
                    + "meter that hangs in the tree at the wrong place or twice, a ratio that is "
                    + "too large below or too small here, or a missing phase here.",
                zh: "下级各表之和超过本表且超出误差允许：请检查计量关系是否挂错或重复、下级变比偏大、"
                    + "本表变比偏小或本表缺相。"),
            evidence: [
                .init("parent", en: "This meter", zh: "本表", .exact(parent, places: 1), "kWh"),
                .init(
                    "children", en: "The meters below", zh: "下级之和",
                    .exact(parent + excess, places: 1), "kWh"),
                .init("excess", en: "Excess", zh: "超出量", .exact(excess, places: 1), "kWh"),
                .init(
                    "allowed", en: "Allowed by the errors", zh: "误差允许量",
                    .exact(limit, places: 1), "kWh"),
                .init(
                    "days_beyond", en: "Days beyond", zh: "超差天数", .exact(Exact(beyond), places: 0),
                    "d"),
                .init(
                    "excess_early", en: "Excess a day, first half", zh: "前半期日均超出",
                    .exact(early, places: 2), "kWh"),
                .init(
                    "excess_late", en: "Excess a day, second half", zh: "后半期日均超出",
                    .exact(late, places: 2), "kWh"),
            ])
    }
}
