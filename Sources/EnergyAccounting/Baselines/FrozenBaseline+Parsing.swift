import LocatedText
import Telemetry

/// The grammar of a frozen baseline, `baseline/1`:
///
///     format: baseline/1
///     baseline: "main-2025"               [a-z0-9_-]
///     subject: "main"                     the meter or node
///     frozen: 2026-01-15
///     method: "ashrae-14"                 what judged it, and its version
///     version: "1"
///     interval: month                     month | day
///     period: 2025-01-01..2025-12-31      the periods used, first day to last
///     left_out: 0                         periods in between that were not good enough
///     intercept: { value: 812.5, standard_error: 31.25 }              kWh a period
///     variables:                          none to four
///       - { variable: "hdd", unit: "K·d", heating_below: 18.0,        or cooling_above: °C
///           coefficient: 4.5, standard_error: 0.5, variance_inflation: 1.0,
///           least: 0.0, greatest: 412.5 }                             the range that was seen
///     fit: { periods: 12, parameters: 2, mean: 2000.0, r_squared: 0.96, cv_rmse: 4.5,
///            nmbe: 0.0, autocorrelation: 0.25 }                       %, but R² and ρ
///     data: "9f2c…"                       optional: a digest of the observations
///     adjustments:                        optional, in the order in which they were agreed on
///       - { from: 2026-03-01, through: 2026-12-31, change: -120 kWh/d, reason: "…" }
///       - { from: 2026-05-01, change: 5 %, reason: "…" }
extension FrozenBaseline {
    package static let format = "baseline/1"

    /// - Throws: every fault of the text at once, each with its place and a remedy.
    package static func parse(_ text: String, file: String) throws(Faults) -> FrozenBaseline {
        let root = try LocatedNode.parse(text, file: file)
        let faults = FaultCollector()
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let id = reader.required("baseline")?.baselineName(faults)
        let subject = reader.required("subject")?.filledText(faults)
        let frozenOn = reader.required("frozen")?.civilDate(faults)
        let method = reader.required("method")?.filledText(faults)
        let version = reader.required("version")?.filledText(faults)
        let model = Self.model(&reader, faults)
        let digest = reader.optional("data")?.filledText(faults)
        let adjustments = (reader.optional("adjustments")?.list(faults) ?? [])
            .compactMap { Self.adjustment($0, faults) }
        reader.finish()
        try faults.throwIfAny()
        guard let id, let subject, let frozenOn, let method, let version, let model else {
            throw Faults([Fault(root.location, "the baseline cannot be read")])
        }
        return FrozenBaseline(
            id: id, subject: subject, frozenOn: frozenOn, method: method, methodVersion: version,
            model: model, adjustments: adjustments, dataDigest: digest)
    }

    private static func model(
        _ reader: inout MappingReader, _ faults: FaultCollector
    ) -> BaselineModel? {
        let interval = reader.required("interval")?
            .word(BaselineMethod.Interval.allCases.map { ($0.rawValue, $0) }, faults)
        let period = reader.required("period").flatMap { Self.period($0, faults) }
        let leftOut = reader.required("left_out")?.count(atLeast: 0, faults)
        let intercept = reader.required("intercept").flatMap { node in
            var reader = MappingReader(node, faults)
            let coefficient = Self.coefficient(&reader, "value", faults)
            reader.finish()
            return coefficient
        }
        let termNodes = reader.optional("variables")?.list(faults) ?? []
        if termNodes.count > BaselineModel.mostVariables {
            faults.add(
                termNodes[BaselineModel.mostVariables].location,
                "\(termNodes.count) variables stand here",
                remedy: "at most \(BaselineModel.mostVariables)")
        }
        let terms = termNodes.compactMap { Self.term($0, faults) }
        var seen: Set<String> = []
        for (node, name) in zip(termNodes, terms.map(\.variable.name))
        where terms.count == termNodes.count && !seen.insert(name).inserted {
            faults.add(
                node.location, "the variable '\(name)' stands twice", remedy: "remove one")
        }
        let quality = reader.required("fit")
            .flatMap { Self.quality($0, coefficients: termNodes.count + 1, faults) }
        guard let interval, let period, let leftOut, let intercept, let quality else { return nil }
        return BaselineModel(
            interval: interval, first: period.first, last: period.last, intercept: intercept,
            terms: terms, quality: quality, leftOut: leftOut)
    }

    private static func period(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> AccountingPeriod? {
        guard let text = node.string(faults) else { return nil }
        if let period = AccountingPeriod(text) { return period }
        faults.add(
            node.location, "'\(text)' is not a period",
            remedy: "for example '2025-01-01..2025-12-31'")
        return nil
    }

    private static func coefficient(
        _ reader: inout MappingReader, _ key: String, _ faults: FaultCollector
    ) -> LeastSquares.Coefficient? {
        let value = reader.required(key)?.double(faults)
        let error = reader.required("standard_error")?.number(atLeast: 0, faults)
        let inflation = reader.optional("variance_inflation")?.number(atLeast: 0, faults)
        guard let value, let error else { return nil }
        return LeastSquares.Coefficient(
            value: value, standardError: error, varianceInflation: inflation)
    }

    private static func term(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> BaselineModel.Term? {
        var reader = MappingReader(node, faults)
        let name = reader.required("variable")?.baselineName(faults)
        let unit = reader.optional("unit")?.string(faults)
        let bases = DegreeDayBase.Kind.allCases.compactMap { kind in
            reader.optional(DegreeDayBase(kind, celsius: 0).key)?
                .double(faults).map { DegreeDayBase(kind, celsius: $0) }
        }
        if bases.count > 1 {
            faults.add(
                node.location, "degree days count on one side of a base",
                remedy: "remove 'heating_below' or 'cooling_above'")
        }
        let coefficient = Self.coefficient(&reader, "coefficient", faults)
        let least = reader.required("least")?.double(faults)
        let greatest = reader.required("greatest")?.double(faults)
        reader.finish()
        guard let name, let coefficient, let least, let greatest else { return nil }
        if greatest < least {
            faults.add(
                node.location, "'greatest' is below 'least'", remedy: "exchange the two")
        }
        return BaselineModel.Term(
            variable: BaselineVariable(name, unit: unit ?? "", degreeDays: bases.first),
            coefficient: coefficient, least: least, greatest: greatest)
    }

    private static func quality(
        _ node: LocatedNode, coefficients: Int, _ faults: FaultCollector
    ) -> FitQuality? {
        var reader = MappingReader(node, faults)
        let parameters = reader.required("parameters")?.count(atLeast: coefficients, faults)
        let periods = reader.required("periods")?
            .count(atLeast: (parameters ?? coefficients) + 1, faults)
        let mean = reader.required("mean")?.number(atLeast: .leastNonzeroMagnitude, faults)
        let rSquared = reader.optional("r_squared")?.double(faults)
        let cv = reader.required("cv_rmse")?.number(atLeast: 0, faults)
        let nmbe = reader.required("nmbe")?.double(faults)
        let autocorrelation = reader.optional("autocorrelation")?.number(atLeast: -1, faults)
        reader.finish()
        guard let parameters, let periods, let mean, let cv, let nmbe else { return nil }
        return FitQuality(
            periods: periods, parameters: parameters, mean: mean, rSquared: rSquared,
            cvRMSEPercent: cv, nmbePercent: nmbe, autocorrelation: autocorrelation)
    }

    private static func adjustment(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> BaselineAdjustment? {
        var reader = MappingReader(node, faults)
        let from = reader.required("from")?.civilDate(faults)
        let throughNode = reader.optional("through")
        let through = throughNode?.civilDate(faults)
        let changeNode = reader.required("change")
        let change = changeNode.flatMap { Self.change($0, faults) }
        let reason = reader.required("reason")?.filledText(faults)
        reader.finish()
        guard let from, let changeNode, let change, let reason,
            throughNode == nil || through != nil
        else { return nil }
        if let through, through < from {
            faults.add(
                node.location, "the adjustment ends before it begins",
                remedy: "'from' and 'through' are its first and its last day")
            return nil
        }
        let adjustment = BaselineAdjustment(
            from: from, through: through, change: change, reason: reason)
        if adjustment == nil {
            faults.add(
                changeNode.location, "the change \(changeNode.kindWord) is out of range",
                remedy: "at most nine decimal places, and below 1000000000000")
        }
        return adjustment
    }

    private static func change(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> BaselineAdjustment.Change? {
        guard let text = node.string(faults) else { return nil }
        // Read apart, so that a fault names both units and not only the one that was tried last.
        let silent = FaultCollector()
        if let amount = node.exact(unit: "%", silent) { return .percent(amount) }
        if let amount = node.exact(unit: BaselineAdjustment.Change.energyUnit, silent) {
            return .kilowattHoursPerDay(amount)
        }
        faults.add(
            node.location, "'\(text)' is not a change",
            remedy: "for example '-120 kWh/d' or '5 %'")
        return nil
    }
}

extension LocatedNode {
    /// A whole number not below a bound, and none that no baseline has.
    fileprivate func count(atLeast least: Int, _ faults: FaultCollector) -> Int? {
        guard let value = int(faults) else { return nil }
        if value < least {
            faults.add(location, "\(value) is too few", remedy: "\(least) at least")
            return nil
        }
        // Three centuries of days; far from where arithmetic on counts could overflow.
        let most = 100_000
        if value > most {
            faults.add(location, "\(value) is too many", remedy: "at most \(most)")
            return nil
        }
        return value
    }

    /// A number not below a bound.
    fileprivate func number(atLeast least: Double, _ faults: FaultCollector) -> Double? {
        guard let value = double(faults) else { return nil }
        if value >= least { return value }
        let bound = least > 0 && least < 1 ? "more than 0" : "\(least) at least"
        faults.add(location, "\(value) is too low", remedy: bound)
        return nil
    }
}
