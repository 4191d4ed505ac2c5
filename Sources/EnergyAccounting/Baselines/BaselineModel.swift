import Telemetry

/// A regression of energy on its variables that has met every limit of its method.
///
/// It cannot be made otherwise: what fails a limit is refused with the reasons.
package struct BaselineModel: Hashable, Sendable {
    /// A variable, what it costs, and between which values it was seen.
    package struct Term: Hashable, Sendable {
        package var variable: BaselineVariable
        /// In kWh for each unit of the variable.
        package var coefficient: LeastSquares.Coefficient
        package var least: Double
        package var greatest: Double

        package init(
            variable: BaselineVariable, coefficient: LeastSquares.Coefficient, least: Double,
            greatest: Double
        ) {
            self.variable = variable
            self.coefficient = coefficient
            self.least = least
            self.greatest = greatest
        }
    }

    package var interval: BaselineMethod.Interval
    /// From the first day of the first period used through the last day of the last.
    package var first: CivilDate
    package var last: CivilDate
    /// In kWh for each period.
    package var intercept: LeastSquares.Coefficient
    package var terms: [Term]
    package var quality: FitQuality
    /// Between `first` and `last`, periods that were offered and not good enough.
    package var leftOut: Int

    package init(
        interval: BaselineMethod.Interval, first: CivilDate, last: CivilDate,
        intercept: LeastSquares.Coefficient, terms: [Term], quality: FitQuality, leftOut: Int
    ) {
        self.interval = interval
        self.first = first
        self.last = last
        self.intercept = intercept
        self.terms = terms
        self.quality = quality
        self.leftOut = leftOut
    }

    /// The most variables of a model; more than these a year of months does not bear.
    package static let mostVariables = 4

    /// The energy of one period in kWh.
    ///
    /// - Parameter values: of the variables, in the order of `terms`.
    package func energy(_ values: [Double]) -> Double {
        zip(terms, values).reduce(intercept.value) { $0 + $1.0.coefficient.value * $1.1 }
    }
}

extension BaselineModel {
    /// Fits a model and measures it against the limits.
    ///
    /// - Parameters:
    ///   - observations: whole days or whole months, in any order. Those below the limits of data
    ///     are left out; the others must be enough.
    ///   - variables: none to four.
    ///   - searchedParameters: parameters found outside of the regression, 1 for the balance
    ///     temperature of a change-point model; they cost degrees of freedom.
    /// - Throws: every reason that can be told at once: first those of the question, then those of
    ///   the data, then those of the model.
    package static func fit(
        _ observations: [BaselineObservation], variables: [BaselineVariable],
        method: BaselineMethod, searchedParameters: Int = 0
    ) throws(BaselineRefusals) -> BaselineModel {
        let (interval, ordered) = try observations.ordered()
        let limits = try Self.limits(of: method, for: interval, variables)
        let usable = UsableObservations(
            ordered, variables: variables.map(\.name), limits: limits)
        let rows = usable.rows
        let parameters = variables.count + 1 + max(0, min(searchedParameters, 10))
        let needed = max(limits.leastPeriods, parameters + 1)
        guard rows.count >= needed, let first = rows.first, let last = rows.last else {
            throw BaselineRefusals(
                [.tooFewPeriods(usable: rows.count, needed: needed)] + usable.shortcomings)
        }
        let energy = rows.map(\.energy.double)
        let columns = variables.indices.map { column in rows.map { $0.variables[column] } }
        let regression = try Self.regression(energy, columns, variables)
        // Months are too few for an autocorrelation that would mean anything.
        let follows = { (row: Int) in
            rows[row - 1].observation.period.last.advanced(days: 1)
                == rows[row].observation.period.first
        }
        guard
            let quality = FitQuality(
                measured: energy, modelled: regression.fitted, parameters: parameters,
                follows: interval == .day ? follows : nil)
        else { throw BaselineRefusals([.notComputable]) }
        let terms = variables.indices.map { index in
            Term(
                variable: variables[index], coefficient: regression.slopes[index],
                least: columns[index].min() ?? 0, greatest: columns[index].max() ?? 0)
        }
        let failures = Self.failures(of: quality, terms, limits)
        guard failures.isEmpty else { throw BaselineRefusals(failures) }
        return BaselineModel(
            interval: interval, first: first.observation.period.first,
            last: last.observation.period.last, intercept: regression.intercept, terms: terms,
            quality: quality,
            leftOut: usable.leftOut.count {
                first.observation.period.first <= $0.first
                    && $0.last <= last.observation.period.last
            })
    }

    private static func limits(
        of method: BaselineMethod, for interval: BaselineMethod.Interval,
        _ variables: [BaselineVariable]
    ) throws(BaselineRefusals) -> BaselineLimits {
        var reasons: [BaselineRefusal] = []
        if variables.count > mostVariables {
            reasons.append(.tooManyVariables(given: variables.count, most: mostVariables))
        }
        var seen: Set<String> = []
        for variable in variables where !seen.insert(variable.name).inserted {
            reasons.append(.variableTwice(variable.name))
        }
        let limits = method.limits[interval]
        if limits == nil { reasons.append(.intervalWithoutLimits(interval)) }
        guard let limits, reasons.isEmpty else { throw BaselineRefusals(reasons) }
        return limits
    }

    private static func regression(
        _ energy: [Double], _ columns: [[Double]], _ variables: [BaselineVariable]
    ) throws(BaselineRefusals) -> LeastSquares {
        do {
            return try LeastSquares(response: energy, columns: columns)
        } catch {
            let reason: BaselineRefusal =
                switch error {
                case .constant(let column): .constantVariable(variables[column].name)
                case .collinear(let column): .collinearVariable(variables[column].name)
                case .tooFewRows(let rows, let coefficients):
                    .tooFewPeriods(usable: rows, needed: coefficients + 1)
                case .notFinite: .notComputable
                }
            throw BaselineRefusals([reason])
        }
    }

    private static func failures(
        of quality: FitQuality, _ terms: [Term], _ limits: BaselineLimits
    ) -> [BaselineRefusal] {
        var failures: [BaselineRefusal] = []
        if quality.cvRMSEPercent > limits.cvRMSEPercent.double {
            failures.append(
                .cvRMSEAbove(
                    percent: quality.cvRMSEPercent, limitPercent: limits.cvRMSEPercent))
        }
        if quality.nmbePercent.magnitude > limits.nmbePercent.double {
            failures.append(
                .nmbeAbove(percent: quality.nmbePercent, limitPercent: limits.nmbePercent))
        }
        if let limit = limits.rSquared, (quality.rSquared ?? 0) < limit.double {
            failures.append(.rSquaredBelow(value: quality.rSquared ?? 0, limit: limit))
        }
        if let limit = limits.varianceInflation {
            for term in terms {
                guard let value = term.coefficient.varianceInflation, value > limit.double else {
                    continue
                }
                failures.append(
                    .varianceInflationAbove(term.variable.name, value: value, limit: limit))
            }
        }
        return failures
    }
}
