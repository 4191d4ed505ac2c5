import Telemetry

/// One day of a parent and its children, each known in full.
struct BalanceDay {
    var slots: Range<Int>
    /// What the parent passed on: import less export.
    var parent: Exact
    /// Each consuming child, in the order of the tree, and what the generators below made.
    var children: [Exact]
    var generated: Exact

    /// What the children used beyond what the parent and the generators delivered.
    var excess: Exact { children.reduce(Exact.zero, +) - generated - parent }
}

extension DiagnosisSite {
    /// Why a parent cannot be compared with its children.
    enum BalanceObstacle: Error {
        case missingChild(String)
        case missingExport
        case incomplete

        var reason: LocalizedText {
            switch self {
            case .missingChild(let id):
                LocalizedText(
                    en: "there are no readings of '\(id)' below it", zh: "下级表「\(id)」没有数据")
            case .missingExport:
                LocalizedText(
                    en: "there is generation below it and nobody counts what is fed back",
                    zh: "下级有发电设备但未计反向电量")
            case .incomplete:
                LocalizedText(
                    en: "the counts are too incomplete to compare", zh: "电量数据不完整，无法比对")
            }
        }
    }

    /// The days on which a parent and all its children are known by their own readings.
    func balanceDays(
        of meter: MeterDiagnosisInput, completeness: Double
    ) throws(BalanceObstacle) -> [BalanceDay] {
        let family = children(of: meter.id)
        if let missing = family.first(where: { self[$0.id] == nil }) {
            throw .missingChild(missing.id)
        }
        let hasGeneration = !generators(below: meter.id).isEmpty
        if hasGeneration, meter.exported == nil { throw .missingExport }
        // A child with a generator of its own below feeds back too.
        for child in family where !child.isGeneration && !generators(below: child.id).isEmpty {
            if self[child.id]?.exported == nil { throw .missingExport }
        }
        let inputs = family.compactMap { child in self[child.id].map { (child, $0) } }
        let known = days.compactMap { day -> BalanceDay? in
            guard let parent = net(meter, day) else { return nil }
            var result = BalanceDay(slots: day, parent: parent, children: [], generated: .zero)
            for (child, input) in inputs {
                guard let net = net(input, day) else { return nil }
                if child.isGeneration { result.generated += net } else { result.children.append(net) }
            }
            return result
        }
        let slots = known.reduce(0) { $0 + $1.slots.count }
        guard !known.isEmpty, Double(slots) >= completeness * Double(grid.count) else {
            throw .incomplete
        }
        return known
    }

    /// Import less export over a day; nil when a slot is unknown or estimated.
    private func net(_ meter: MeterDiagnosisInput, _ day: Range<Int>) -> Exact? {
        for counts in [meter.counts, meter.exported].compactMap(\.self) {
            guard day.allSatisfy({ counts.isKnown($0) && !counts.isEstimated($0) }) else { return nil }
        }
        return meter.counts.total(day).sum - (meter.exported?.total(day).sum ?? .zero)
    }
}

/// Finds children that count more than their parent, beyond what all their errors together allow.
///
/// The limit adds up the greatest error of every meter, as if all of them erred in the worst
/// direction, so that no honest set of meters reaches it.
struct ChildrenExceedParentRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.childrenExceedParent
    private let completeness, days, share: Double
    private let defaultClass, transformerError: Exact

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        days = thresholds.double(.balanceDays)
        share = thresholds.fraction(.balanceShare)
        defaultClass = thresholds.exact(.defaultClass)
        transformerError = thresholds.exact(.transformerError)
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
        let limits = known.map { limit(of: $0, meter, site) }
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
    private func limit(
        of day: BalanceDay, _ meter: MeterDiagnosisInput, _ site: DiagnosisSite
    ) -> Exact {
        func error(_ id: String, _ energy: Exact) -> Exact {
            let percent = (site.relation(id)?.accuracyClass ?? defaultClass) + transformerError
            // One step more or less is in sight at each end of the day.
            let step = (site[id]?.step).flatMap { Exact(decimal: $0) } ?? .zero
            return energy.magnitude * percent / Exact(100) + step
        }
        let consumers = site.children(of: meter.id).filter { !$0.isGeneration }
        return zip(consumers, day.children).reduce(error(meter.id, day.parent)) {
            $0 + error($1.0.id, $1.1)
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
            severity: excess > limit * Exact(2) ? .certain : .likely, rule: .transformerError,
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
                .init("days_beyond", en: "Days beyond", zh: "超差天数", .exact(Exact(beyond), places: 0), "d"),
                .init(
                    "excess_early", en: "Excess a day, first half", zh: "前半期日均超出",
                    .exact(early, places: 2), "kWh"),
                .init(
                    "excess_late", en: "Excess a day, second half", zh: "后半期日均超出",
                    .exact(late, places: 2), "kWh"),
            ])
    }
}

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
