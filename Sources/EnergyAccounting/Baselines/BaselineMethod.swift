import Telemetry

/// What data and what closeness a baseline needs before anybody may reckon savings with it.
///
/// All of it is read from `format: baseline-method/1`; nothing here has a standard value.
package struct BaselineMethod: Hashable, Sendable {
    /// Where a figure comes from, as the files of the house say it.
    package enum Status: String, Hashable, Sendable, CaseIterable {
        case verified
        case secondary
        case fromMemory = "from-memory"
        case project
    }

    /// One figure with its origin.
    package struct Figure: Hashable, Sendable {
        /// In the unit of its name: per cent, or a number.
        package var value: Exact
        package var status: Status
        package var source: String

        package init(value: Exact, status: Status, source: String) {
            self.value = value
            self.status = status
            self.source = source
        }
    }

    /// The length of the periods whose energy is compared.
    package enum Interval: String, Hashable, Sendable, CaseIterable, Comparable {
        case day
        case month

        /// That of a period which is a whole day or a whole month; nil for others.
        package init?(_ period: AccountingPeriod) {
            switch period.kind {
            case .day: self = .day
            case .month: self = .month
            case .year, .span: return nil
            }
        }

        package var title: LocalizedText {
            switch self {
            case .day: LocalizedText(en: "days", zh: "日")
            case .month: LocalizedText(en: "months", zh: "月")
            }
        }

        package static func < (a: Self, b: Self) -> Bool { a == .day && b == .month }
    }

    /// The name of the method, for example `ashrae-14`.
    package let name: String
    /// Changes whenever a figure does; a frozen baseline keeps it.
    package let version: String
    /// For each interval of which the file speaks.
    package let limits: [Interval: BaselineLimits]

    package init(name: String, version: String, limits: [Interval: BaselineLimits]) {
        self.name = name
        self.version = version
        self.limits = limits
    }
}

/// The figures of one interval.
package struct BaselineLimits: Hashable, Sendable {
    /// The figures that a method may state; `docs/formats/baseline.md` tells what each means.
    package enum Name: String, Hashable, Sendable, CaseIterable {
        case leastPeriods = "least_periods"
        case completeness
        case estimatedShare = "estimated_share"
        case cvRMSE = "cv_rmse"
        case nmbe
        case rSquared = "r_squared"
        case varianceInflation = "variance_inflation"
        case confidence
        case uncertaintyFactor = "uncertainty_factor"
        case uncertaintyLimit = "uncertainty_limit"
        case reportingShare = "reporting_share"
        case unknownDays = "unknown_days"

        /// `%`, or empty for plain numbers.
        package var unit: String {
            switch self {
            case .leastPeriods, .rSquared, .varianceInflation, .uncertaintyFactor: ""
            default: "%"
            }
        }

        /// Whether a method may leave it out.
        package var isOptional: Bool {
            switch self {
            case .rSquared, .varianceInflation, .uncertaintyLimit, .unknownDays: true
            default: false
            }
        }

        /// The values that make sense, both ends included.
        package var range: ClosedRange<Exact> {
            switch self {
            case .leastPeriods: Exact(3)...Exact(100_000)
            case .cvRMSE, .nmbe, .uncertaintyLimit: .zero...Exact(1000)
            case .rSquared: .zero...Exact.one
            case .varianceInflation: Exact.one...Exact(1_000_000)
            // Above, the quantile means nothing that a site could measure.
            case .confidence: Exact.one...Exact(9999, over: 100)
            case .uncertaintyFactor: Exact(1, over: 100)...Exact(100)
            case .completeness, .estimatedShare, .reportingShare, .unknownDays:
                .zero...Exact(100)
            }
        }
    }

    package let figures: [Name: BaselineMethod.Figure]

    /// nil unless every figure that is not optional is there.
    package init?(_ figures: [Name: BaselineMethod.Figure]) {
        guard Name.allCases.allSatisfy({ $0.isOptional || figures[$0] != nil }) else { return nil }
        self.figures = figures
    }

    /// The fewest periods that a baseline may rest on.
    package var leastPeriods: Int { Int(required(.leastPeriods).rounded(places: 0).mantissa) }
    /// Of the slots of a period, how many must be known, in per cent.
    package var completenessPercent: Exact { required(.completeness) }
    /// How much of a period's energy may be estimated, in per cent.
    package var estimatedSharePercent: Exact { required(.estimatedShare) }
    package var cvRMSEPercent: Exact { required(.cvRMSE) }
    /// Of its magnitude.
    package var nmbePercent: Exact { required(.nmbe) }
    /// 0 to 1; nil where the method asks for none.
    package var rSquared: Exact? { figures[.rSquared]?.value }
    package var varianceInflation: Exact? { figures[.varianceInflation]?.value }
    /// Of every interval that is told, two-sided.
    package var confidencePercent: Exact { required(.confidence) }
    /// The number before the root in the formula of the fractional savings uncertainty.
    package var uncertaintyFactor: Exact { required(.uncertaintyFactor) }
    /// Savings whose uncertainty is a larger share of them are marked; nil marks none.
    package var uncertaintyLimitPercent: Exact? { figures[.uncertaintyLimit]?.value }
    /// Of the periods of a reporting period, how many must be usable, in per cent.
    package var reportingSharePercent: Exact { required(.reportingShare) }
    /// Days of unknown temperature that degree days of a period bear; none where it is not said.
    package var unknownDaysPercent: Exact { figures[.unknownDays]?.value ?? .zero }

    private func required(_ name: Name) -> Exact {
        guard let figure = figures[name] else {
            preconditionFailure("limits are made with every figure that is required")
        }
        return figure.value
    }
}
