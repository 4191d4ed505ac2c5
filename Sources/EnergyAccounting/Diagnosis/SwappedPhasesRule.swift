import Telemetry

/// Finds two currents that are measured with each other's voltage.
///
/// Where the load has the angle φ and phases x and y are exchanged, the third phase z shows cos φ
/// and the two show cos(φ + 120°) and cos(φ − 120°). These add up to −cos φ: of a balanced load the
/// meter counts nothing. Both are told from cos φ alone:
///
///     cos(φ ± 120°) = −½ · cos φ ∓ ½·√3 · sin φ
///
/// All three moved on by one cannot be told from reversed transformers and is not looked for here.
struct SwappedPhasesRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.swappedPhases
    private let completeness, current, hours, believed, tolerance, share, leastCosine: Double

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        current = thresholds.double(.loadedCurrent)
        hours = thresholds.double(.loadedHours)
        tolerance = thresholds.double(.swapTolerance)
        share = thresholds.fraction(.swapShare)
        believed = thresholds.double(.believedPowerFactor)
        leastCosine = thresholds.double(.swapPowerFactor)
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard site.isElectricity(meter), site.relation(meter.id)?.isGeneration == false else {
            return .notApplicable
        }
        let rows: [(slot: Int, factors: [Double])]
        do throws(LoadedPhases.Obstacle) {
            rows = try LoadedPhases(
                meter, of: site, completeness: completeness, amperes: current, believed: believed
            ).complete
        } catch {
            return .notJudged(error.reason)
        }
        guard site.duration(of: rows.map(\.slot)) >= hours else {
            return .notJudged(
                en: "three loaded phases are too rare", zh: "三相同时带载的小时数不足")
        }
        var best: (phase: DiagnosisPhase, share: Double, slots: [Int])?
        for phase in DiagnosisPhase.allCases {
            for sign in [1.0, -1.0] {
                let slots = rows.filter { isSwapped($0.factors, beside: phase, sign) }.map(\.slot)
                let part = site.duration(of: slots) / site.duration(of: rows.map(\.slot))
                if part > best?.share ?? 0 { best = (phase, part, slots) }
            }
        }
        guard let best, best.share >= share, let first = best.slots.first,
            let last = best.slots.last
        else { return .judged([]) }
        return .judged([
            finding(meter, beside: best.phase, best.share, best.slots, first..<last + 1, site)
        ])
    }

    /// Whether the two phases beside `phase` show its angle moved by 120° either way.
    private func isSwapped(
        _ factors: [Double], beside phase: DiagnosisPhase, _ sign: Double
    ) -> Bool {
        let cosine = factors[phase.rawValue]
        // Below it the whole load would be reactive, and every pattern is near.
        guard cosine > leastCosine else { return false }
        let others = DiagnosisPhase.allCases.filter { $0 != phase }.map { factors[$0.rawValue] }
        let sine = sign * max(0, 1 - cosine * cosine).squareRoot()
        let turned = 3.0.squareRoot() / 2 * sine
        return (others[0] - (-cosine / 2 - turned)).magnitude <= tolerance
            && (others[1] - (-cosine / 2 + turned)).magnitude <= tolerance
    }

    private func finding(
        _ meter: MeterDiagnosisInput, beside phase: DiagnosisPhase, _ share: Double, _ slots: [Int],
        _ span: Range<Int>, _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        let pair = DiagnosisPhase.allCases.filter { $0 != phase }.map(\.letter)
        let share = Diagnosis.Evidence(
            "share", en: "Part of the loaded hours", zh: "占带载小时的比例",
            .estimate(share * 100, places: 0), "%")
        return site.finding(
            Self.kind, meter.id, over: span, severity: .likely, rule: .swapTolerance,
            text: LocalizedText(
                en:
                    "Phases \(pair[0]) and \(pair[1]) are probably exchanged: the voltage of one is "
                    + "measured with the current of the other. Follow both current transformers' "
                    + "leads to the terminals, and exchange either the voltages or the currents, "
                    + "not both.",
                zh: "\(pair[0]) 相与 \(pair[1]) 相很可能接错：一相电压配了另一相电流。请沿两相电流互感器二次线"
                    + "核对到端子，只调换电压或只调换电流，不要同时调换。"),
            evidence: meter.powerEvidence(over: slots) + [share])
    }
}
