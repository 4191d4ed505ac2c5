import Telemetry

/// One variable of a baseline: what it is called and, for degree days, from what they are reckoned.
package struct BaselineVariable: Hashable, Sendable {
    /// `[a-z0-9_-]`, unique in a baseline: `hdd`, `production`, `occupancy`.
    package var name: String
    /// As it is printed, for example `K·d` or `m2`; may be empty.
    package var unit: String
    /// The base of degree days, so that later periods are reckoned alike; nil for other variables.
    package var degreeDays: DegreeDayBase?

    package init(_ name: String, unit: String = "", degreeDays: DegreeDayBase? = nil) {
        self.name = name
        self.unit = unit
        self.degreeDays = degreeDays
    }
}

/// What is known of one day or one month: its energy, what that rests on, and the variables.
package struct BaselineObservation: Hashable, Sendable {
    /// A whole day or a whole month.
    package var period: AccountingPeriod
    /// In kWh, as counted and never scaled up; nil when nothing is known.
    package var energy: Exact?
    /// Of the slots of the period, how many are known, 0 to 100 %.
    package var completenessPercent: Exact
    /// Of the energy, how much is estimated, 0 to 100 %.
    package var estimatedPercent: Exact
    /// By their names; one that is missing or not finite is unknown.
    package var variables: [String: Double]

    package init(
        period: AccountingPeriod, energy: Exact?, completenessPercent: Exact = Exact(100),
        estimatedPercent: Exact = .zero, variables: [String: Double] = [:]
    ) {
        self.period = period
        self.energy = energy
        self.completenessPercent = completenessPercent
        self.estimatedPercent = estimatedPercent
        self.variables = variables
    }

    /// Takes the energy and its quality from what a meter counted in the period.
    ///
    /// Where the sum is zero or below, the estimated share is 100 % as soon as anything is estimated.
    package init(
        period: AccountingPeriod, total: Counts.Total, variables: [String: Double] = [:]
    ) {
        let hundred = Exact(100)
        let estimated = total.estimated.magnitude
        let share =
            total.sum > estimated
            ? estimated * hundred / total.sum : (estimated.isZero ? .zero : hundred)
        self.init(
            period: period, energy: total.knownSlots > 0 ? total.sum : nil,
            completenessPercent: total.slots > 0
                ? Exact(total.knownSlots) * hundred / Exact(total.slots) : .zero,
            estimatedPercent: share, variables: variables)
    }
}

/// The observations that are good enough, in the order of time, and what is wrong with the others.
struct UsableObservations {
    /// The energy in kWh as a double beside the observation; the variables in their given order.
    struct Row {
        let observation: BaselineObservation
        let energy: Exact
        let variables: [Double]
    }

    private(set) var rows: [Row] = []
    private(set) var leftOut: [AccountingPeriod] = []
    /// Why something was left out, one reason for all the periods that share it.
    private(set) var shortcomings: [BaselineRefusal] = []

    /// - Parameter observations: each period once, in the order of time.
    init(
        _ observations: [BaselineObservation], variables: [String], limits: BaselineLimits
    ) {
        var (unknown, incomplete, estimated):
            ([AccountingPeriod], [AccountingPeriod], [AccountingPeriod]) =
                ([], [], [])
        var (worstCompleteness, worstEstimate) = (Exact(100), Exact.zero)
        var missing: [String: [AccountingPeriod]] = [:]
        for one in observations {
            var isUsable = true
            let known = one.energy.flatMap { $0.double.isFinite ? $0 : nil }
            if known == nil {
                unknown.append(one.period)
                isUsable = false
            } else if one.completenessPercent < limits.completenessPercent {
                incomplete.append(one.period)
                worstCompleteness = min(worstCompleteness, one.completenessPercent)
                isUsable = false
            }
            if one.estimatedPercent > limits.estimatedSharePercent {
                estimated.append(one.period)
                worstEstimate = max(worstEstimate, one.estimatedPercent)
                isUsable = false
            }
            let values = variables.map { one.variables[$0].flatMap { $0.isFinite ? $0 : nil } }
            for (name, value) in zip(variables, values) where value == nil {
                missing[name, default: []].append(one.period)
                isUsable = false
            }
            if isUsable, let known {
                rows.append(
                    Row(observation: one, energy: known, variables: values.compactMap { $0 }))
            } else {
                leftOut.append(one.period)
            }
        }
        if !unknown.isEmpty { shortcomings.append(.energyUnknown(unknown)) }
        if !incomplete.isEmpty {
            shortcomings.append(
                .completenessBelow(
                    incomplete, worstPercent: worstCompleteness,
                    limitPercent: limits.completenessPercent))
        }
        if !estimated.isEmpty {
            shortcomings.append(
                .estimatedShareAbove(
                    estimated, worstPercent: worstEstimate,
                    limitPercent: limits.estimatedSharePercent))
        }
        for name in variables {
            if let periods = missing[name] {
                shortcomings.append(.variableMissing(name, periods))
            }
        }
    }
}

extension [BaselineObservation] {
    /// In the order of time, with the interval they share.
    ///
    /// - Throws: when they are of different lengths, when one stands twice, or when there are none.
    func ordered() throws(BaselineRefusals) -> (
        interval: BaselineMethod.Interval, observations: [BaselineObservation]
    ) {
        guard let first, let interval = BaselineMethod.Interval(first.period),
            allSatisfy({ BaselineMethod.Interval($0.period) == interval })
        else {
            throw BaselineRefusals([
                isEmpty ? .tooFewPeriods(usable: 0, needed: 1) : .mixedPeriods
            ])
        }
        let ordered = sorted { $0.period.first < $1.period.first }
        for (one, next) in zip(ordered, ordered.dropFirst()) where one.period == next.period {
            throw BaselineRefusals([.periodTwice(one.period)])
        }
        return (interval, ordered)
    }
}
