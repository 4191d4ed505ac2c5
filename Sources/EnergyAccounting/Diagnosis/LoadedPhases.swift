import Telemetry

/// The hours in which the phases of a meter carry a current worth judging and nothing below the
/// meter feeds in, with the signed power factor of each phase.
///
/// A photovoltaic plant makes power negative by right, so its hours are left out; at night the
/// same meter can be judged.
struct LoadedPhases {
    /// One slot; nil for a phase that carries too little.
    struct Row {
        var slot: Int
        var factors: [Double?]
    }

    let rows: [Row]

    /// Why nothing can be said.
    enum Obstacle: Error {
        case noGauges
        case generation
        case incomplete

        var reason: LocalizedText {
            switch self {
            case .noGauges:
                LocalizedText(
                    en: "the meter gives no power factors of its phases",
                    zh: "电表没有分相电压、电流、功率或功率因数数据")
            case .generation:
                LocalizedText(
                    en: "nobody can know when the generation below it stood still",
                    zh: "无法判断其下发电设备何时未发电")
            case .incomplete:
                LocalizedText(
                    en: "voltages, currents or powers are too incomplete",
                    zh: "电压、电流或功率数据不完整")
            }
        }
    }

    /// - Parameters:
    ///   - completeness: the part of the time of which the power factors have to be known.
    ///   - amperes: below it a phase is not loaded.
    ///   - believed: the greatest power factor that is taken for one; above 1, for rounded gauges.
    init(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, completeness: Double, amperes: Double,
        believed: Double
    ) throws(Obstacle) {
        guard let electrical = meter.electrical else { throw .noGauges }
        let phases = DiagnosisPhase.allCases.filter { phase in
            (0..<site.grid.count).contains {
                electrical.signedPowerFactor(phase, $0) != nil
                    && electrical.current[phase, $0] != nil
            }
        }
        guard !phases.isEmpty else { throw .noGauges }
        guard let isStill = site.isWithoutGeneration(below: meter.id) else { throw .generation }
        // Where nothing flows there is no power factor, so only currents have to be known.
        let known = site.share(of: 0..<site.grid.count) { slot in
            phases.allSatisfy { electrical.current[$0, slot] != nil }
        }
        guard known >= completeness else { throw .incomplete }
        var rows: [Row] = []
        for slot in 0..<site.grid.count where isStill[slot] {
            let factors = DiagnosisPhase.allCases.map { phase -> Double? in
                guard let current = electrical.current[phase, slot], current.magnitude >= amperes,
                    let factor = electrical.signedPowerFactor(phase, slot),
                    // More power than voltage times current is another fault's business.
                    factor.magnitude <= believed
                else { return nil }
                return max(-1, min(1, factor))
            }
            if factors.contains(where: { $0 != nil }) {
                rows.append(Row(slot: slot, factors: factors))
            }
        }
        self.rows = rows
    }

    /// The rows in which all three phases are loaded.
    var complete: [(slot: Int, factors: [Double])] {
        rows.compactMap { row in
            let factors = row.factors.compactMap(\.self)
            return factors.count == 3 ? (row.slot, factors) : nil
        }
    }

    /// The rows in which a phase is loaded.
    func loaded(_ phase: DiagnosisPhase) -> [(slot: Int, factor: Double)] {
        rows.compactMap { row in row.factors[phase.rawValue].map { (row.slot, $0) } }
    }
}

extension MeterDiagnosisInput {
    /// What flows and what is measured of it, as medians over some slots: Σ U · I and P.
    func powerEvidence(over slots: [Int]) -> [Diagnosis.Evidence] {
        guard let electrical else { return [] }
        var evidence: [Diagnosis.Evidence] = []
        let apparent = slots.compactMap { slot -> Double? in
            let phases = DiagnosisPhase.allCases.compactMap { electrical.apparent($0, slot) }
            return phases.isEmpty ? nil : phases.reduce(0, +)
        }
        if let apparent = RobustStatistics.median(apparent) {
            evidence.append(
                .init(
                    "apparent_power", en: "Σ U·I, median", zh: "Σ U·I 中位数",
                    .estimate(apparent, places: 2), "kVA"))
        }
        if let power = RobustStatistics.median(slots.compactMap { electrical.power($0) }) {
            evidence.append(
                .init(
                    "active_power", en: "P, median", zh: "有功功率中位数",
                    .estimate(power, places: 2), "kW"))
        }
        for phase in DiagnosisPhase.allCases {
            let factors = slots.compactMap { electrical.signedPowerFactor(phase, $0) }
            guard let factor = RobustStatistics.median(factors) else { continue }
            evidence.append(
                .init(
                    "power_factor_\(phase.letter.lowercased())",
                    en: "Power factor of phase \(phase.letter), median",
                    zh: "\(phase.letter) 相功率因数中位数", .estimate(factor, places: 2)))
        }
        return evidence
    }
}
