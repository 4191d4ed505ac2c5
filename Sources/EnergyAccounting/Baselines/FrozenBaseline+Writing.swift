import Telemetry

/// Writes `baseline/1`; the grammar stands in `FrozenBaseline+Parsing.swift`.
///
/// Equal baselines give equal texts: keys in one order, numbers with the fewest digits that read
/// back as the same double, texts quoted.
extension FrozenBaseline {
    /// The canonical text of all of it, adjustments included: the file, and what a fingerprint is
    /// taken of.
    package var canonicalText: String {
        var text = modelText
        if !adjustments.isEmpty {
            text += "adjustments:\n"
            for one in adjustments { text += "  - { \(Self.text(of: one)) }\n" }
        }
        return text
    }

    /// The canonical text without the adjustments, which may be added later: the fingerprint of it
    /// proves that the model itself has not been touched.
    package var modelText: String {
        let period = AccountingPeriod(from: model.first, through: model.last)
        var text = """
            format: \(Self.format)
            baseline: \(BaselineText.quoted(id))
            subject: \(BaselineText.quoted(subject))
            frozen: \(frozenOn)
            method: \(BaselineText.quoted(method))
            version: \(BaselineText.quoted(methodVersion))
            interval: \(model.interval.rawValue)
            period: \(period?.label ?? "")
            left_out: \(model.leftOut)
            intercept: { \(Self.text(of: model.intercept, "value")) }

            """
        if !model.terms.isEmpty {
            text += "variables:\n"
            for term in model.terms { text += "  - { \(Self.text(of: term)) }\n" }
        }
        text += "fit: { \(Self.text(of: model.quality)) }\n"
        if let dataDigest { text += "data: \(BaselineText.quoted(dataDigest))\n" }
        return text
    }

    private static func text(of one: LeastSquares.Coefficient, _ key: String) -> String {
        var fields = ["\(key): \(one.value)", "standard_error: \(one.standardError)"]
        if let inflation = one.varianceInflation {
            fields.append("variance_inflation: \(inflation)")
        }
        return fields.joined(separator: ", ")
    }

    private static func text(of term: BaselineModel.Term) -> String {
        var fields = ["variable: \(BaselineText.quoted(term.variable.name))"]
        if !term.variable.unit.isEmpty {
            fields.append("unit: \(BaselineText.quoted(term.variable.unit))")
        }
        if let base = term.variable.degreeDays {
            fields.append("\(base.key): \(base.celsius)")
        }
        fields.append(text(of: term.coefficient, "coefficient"))
        fields += ["least: \(term.least)", "greatest: \(term.greatest)"]
        return fields.joined(separator: ", ")
    }

    private static func text(of quality: FitQuality) -> String {
        var fields = [
            "periods: \(quality.periods)", "parameters: \(quality.parameters)",
            "mean: \(quality.mean)",
        ]
        if let rSquared = quality.rSquared { fields.append("r_squared: \(rSquared)") }
        fields += ["cv_rmse: \(quality.cvRMSEPercent)", "nmbe: \(quality.nmbePercent)"]
        if let rho = quality.autocorrelation { fields.append("autocorrelation: \(rho)") }
        return fields.joined(separator: ", ")
    }

    private static func text(of adjustment: BaselineAdjustment) -> String {
        var fields = ["from: \(adjustment.from)"]
        if let through = adjustment.through { fields.append("through: \(through)") }
        let amount = adjustment.change.amount.shortText
        switch adjustment.change {
        case .kilowattHoursPerDay:
            fields.append("change: \(amount) \(BaselineAdjustment.Change.energyUnit)")
        case .percent: fields.append("change: \(amount) %")
        }
        fields.append("reason: \(BaselineText.quoted(adjustment.reason))")
        return fields.joined(separator: ", ")
    }
}

extension BaselineAdjustment.Change {
    static let energyUnit = "kWh/d"
}

extension DegreeDayBase {
    /// Under which it is written.
    var key: String {
        switch kind {
        case .heating: "heating_below"
        case .cooling: "cooling_above"
        }
    }
}

/// The spelling of texts in a frozen baseline.
enum BaselineText {
    /// In double quotes, with escapes for what YAML does not take as it is.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: quoted += "\\\""
            case 0x5C: quoted += "\\\\"
            case 0x20...0x7E, 0xA1...0x1FFF, 0x2070...0xD7FF, 0xE000...0xFDFF, 0xFF00...0xFFEF:
                quoted.unicodeScalars.append(scalar)
            case let code where code <= 0xFFFF: quoted += "\\u" + hexadecimal(code, digits: 4)
            case let code: quoted += "\\U" + hexadecimal(code, digits: 8)
            }
        }
        return quoted + "\""
    }

    private static func hexadecimal(_ code: UInt32, digits: Int) -> String {
        let text = String(code, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
