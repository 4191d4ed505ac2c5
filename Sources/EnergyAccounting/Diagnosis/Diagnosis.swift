import Telemetry

/// What a site's own readings say about its meters and its lines: the kinds of fault that are
/// looked for, and what was found.
///
/// Each kind is judged by one `DiagnosisRule`; its thresholds are data (`diagnosis/1`).
package enum Diagnosis {
    /// A fault that is looked for; the raw value is its name in reports and never changes.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A counter stands still although power flows.
        case stuckCounter = "stuck-counter"
        /// Voltages, currents and powers do not change in the last digit.
        case frozenGauges = "frozen-gauges"
        /// No good reading although some are expected.
        case silentMeter = "silent-meter"
        /// The voltage of one phase is measured with the current of another.
        case swappedPhases = "swapped-phases"
        /// A current flows the wrong way through its transformer.
        case reversedTransformer = "reversed-transformer"
        /// Figures that should agree differ by a steady factor.
        case transformerRatio = "transformer-ratio"
        /// The meters below count more than the one above, beyond their errors.
        case childrenExceedParent = "children-exceed-parent"
        /// The share that no child measures grows.
        case unaccountedRising = "unaccounted-rising"
        /// From one night on more is used at night.
        case nightLoadJump = "night-load-jump"
        /// Water runs in every hour of every night.
        case waterLeak = "water-leak"
        /// The power factor of a month is too low.
        case lowPowerFactor = "low-power-factor"
        /// One phase carries much more than the mean of the three.
        case phaseImbalance = "phase-imbalance"
        /// More was counted than the connection can carry.
        case implausibleIncrease = "implausible-increase"

        /// As people call it.
        package var title: LocalizedText {
            switch self {
            case .stuckCounter: LocalizedText(en: "Counter stands still", zh: "表计走字停滞")
            case .frozenGauges: LocalizedText(en: "Gauges do not move", zh: "测量值冻结")
            case .silentMeter: LocalizedText(en: "Meter is silent", zh: "电表无数据")
            case .swappedPhases: LocalizedText(en: "Phases exchanged", zh: "相线错接")
            case .reversedTransformer:
                LocalizedText(en: "Current transformer reversed", zh: "电流互感器接反")
            case .transformerRatio: LocalizedText(en: "Wrong ratio", zh: "变比不符")
            case .childrenExceedParent:
                LocalizedText(en: "More below than above", zh: "下级之和超过上级")
            case .unaccountedRising:
                LocalizedText(en: "More is not accounted for", zh: "未计量部分上升")
            case .nightLoadJump: LocalizedText(en: "More at night", zh: "夜间负荷突增")
            case .waterLeak: LocalizedText(en: "Water runs all night", zh: "疑似漏水")
            case .lowPowerFactor: LocalizedText(en: "Low power factor", zh: "功率因数偏低")
            case .phaseImbalance: LocalizedText(en: "Phases unevenly loaded", zh: "三相不平衡")
            case .implausibleIncrease:
                LocalizedText(en: "More than the line carries", zh: "用量超出线路能力")
            }
        }
    }

    /// How sure a finding is, the surest first.
    package enum Severity: Int, Hashable, Sendable, Comparable {
        /// The readings contradict each other: no way of using a building explains them.
        case certain
        /// Another explanation is possible and rare.
        case likely
        /// Worth a look.
        case hint

        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    /// A number of a finding, with its decimal places.
    package enum Number: Hashable, Sendable {
        /// Counted, or worked out of counted figures without loss.
        case exact(Exact, places: Int)
        /// A statistic: a median, a mean of a gauge, a fit.
        case estimate(Double, places: Int)

        /// As it is printed; `–` for what is no number.
        package var text: String {
            switch self {
            case .exact(let value, let places): value.text(places: places)
            case .estimate(let value, let places):
                ScaledInteger(rounding: value).map { Exact($0).text(places: places) } ?? "–"
            }
        }

        package var double: Double {
            switch self {
            case .exact(let value, _): value.double
            case .estimate(let value, _): value
            }
        }
    }

    /// One named number on which a finding rests.
    package struct Evidence: Hashable, Sendable {
        /// In small letters and underscores, never changed.
        package var key: String
        package var title: LocalizedText
        package var value: Number
        /// For example `kWh`; empty for a plain number.
        package var unit: String

        package init(
            _ key: String, en: String, zh: String, _ value: Number, _ unit: String = ""
        ) {
            self.key = key
            title = LocalizedText(en: en, zh: zh)
            self.value = value
            self.unit = unit
        }
    }

    /// One fault that the readings show.
    package struct Finding: Hashable, Sendable {
        package var kind: Kind
        /// The meter's id.
        package var meter: String
        /// The first instant to which the finding applies.
        package var since: Timestamp
        /// The first instant after it; the end of the data when it still goes on there.
        package var until: Timestamp
        package var severity: Severity
        /// What it is and what to look at on site.
        package var text: LocalizedText
        package var evidence: [Evidence]
        /// The figure of `diagnosis/1` that was passed.
        package var rule: DiagnosisFigure

        package init(
            _ kind: Kind, meter: String, since: Timestamp, until: Timestamp, severity: Severity,
            rule: DiagnosisFigure, text: LocalizedText, evidence: [Evidence]
        ) {
            self.kind = kind
            self.meter = meter
            self.since = since
            self.until = until
            self.severity = severity
            self.rule = rule
            self.text = text
            self.evidence = evidence
        }

        /// The number of a piece of evidence; nil when the finding has none of this key.
        package func number(_ key: String) -> Number? {
            evidence.first { $0.key == key }?.value
        }
    }
}

/// The findings, and everything that could not be judged.
package struct DiagnosisReport: Hashable, Sendable {
    /// A diagnosis that the data of a meter do not carry.
    package struct NotJudged: Hashable, Sendable {
        package var kind: Diagnosis.Kind
        package var meter: String
        package var reason: LocalizedText

        package init(_ kind: Diagnosis.Kind, meter: String, reason: LocalizedText) {
            self.kind = kind
            self.meter = meter
            self.reason = reason
        }
    }

    /// The surest first, then the earliest.
    package var findings: [Diagnosis.Finding] = []
    /// By meter in the order given, then by kind.
    package var notJudged: [NotJudged] = []
    /// Diagnoses that are off, with the figures whose absence turned them off.
    package var off: [Diagnosis.Kind: [DiagnosisFigure]] = [:]

    package init() {}
}

extension Diagnosis {
    /// Every rule; a later one may look at what the earlier ones found on the same meter.
    static var rules: [any DiagnosisRule.Type] {
        [
            StuckCounterRule.self, FrozenGaugesRule.self, SilentMeterRule.self,
            SwappedPhasesRule.self, ReversedTransformerRule.self, TransformerRatioRule.self,
            ChildrenExceedParentRule.self, UnaccountedRisingRule.self, NightLoadJumpRule.self,
            WaterLeakRule.self, LowPowerFactorRule.self, PhaseImbalanceRule.self,
            ImplausibleIncreaseRule.self,
        ]
    }

    /// Judges every meter by every diagnosis whose figures are there.
    ///
    /// - Parameters:
    ///   - inputs: of one meter each; of several with one id the first counts.
    ///   - relations: the places of the meters in their tree; a meter without one stands alone,
    ///     and is not judged where its carrier matters.
    ///   - grid: the slots of every column, hours or quarters of an hour.
    ///   - calendar: for nights and months.
    package static func findings(
        of inputs: [MeterDiagnosisInput], relations: [DiagnosisRelation], grid: CountGrid,
        calendar: SiteCalendar, thresholds: DiagnosisThresholds
    ) -> DiagnosisReport {
        var report = DiagnosisReport()
        let site = DiagnosisSite(
            inputs: inputs, relations: relations, grid: grid, calendar: calendar)
        var active: [any DiagnosisRule] = []
        for rule in rules {
            if let rule = rule.init(thresholds) {
                active.append(rule)
            } else {
                report.off[rule.kind] = thresholds.missing(for: rule.kind)
            }
        }
        for meter in site.order {
            var found: [Finding] = []
            for rule in active {
                let kind = type(of: rule).kind
                switch rule.judge(meter, of: site, found: found) {
                case .notApplicable: break
                case .notJudged(let reason):
                    report.notJudged.append(.init(kind, meter: meter.id, reason: reason))
                case .judged(let findings): found += findings
                }
            }
            report.findings += found
        }
        for input in inputs where site.misfits.contains(input.id) {
            for rule in active {
                report.notJudged.append(
                    .init(
                        type(of: rule).kind, meter: input.id,
                        reason: LocalizedText(
                            en: "a column has another number of slots than the period",
                            zh: "数据列的时段数与统计期不一致")))
            }
        }
        report.findings.sort {
            ($0.severity.rawValue, $0.since, $0.meter, $0.kind.rawValue)
                < ($1.severity.rawValue, $1.since, $1.meter, $1.kind.rawValue)
        }
        return report
    }
}

/// What a rule says about one meter.
enum DiagnosisVerdict {
    /// The rule is not about such meters.
    case notApplicable
    /// It is, but the data do not carry a judgement.
    case notJudged(LocalizedText)
    /// Nothing, or what is wrong.
    case judged([Diagnosis.Finding])

    static func notJudged(en: String, zh: String) -> DiagnosisVerdict {
        .notJudged(LocalizedText(en: en, zh: zh))
    }
}

/// One diagnosis: a pure function of the readings and of its figures.
protocol DiagnosisRule {
    static var kind: Diagnosis.Kind { get }
    /// nil when one of its figures is missing.
    init?(_ thresholds: DiagnosisThresholds)
    /// - Parameter found: what the earlier rules found on this meter.
    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict
}
