/// Numbers as wire formats and tables print them.
package enum DecimalText {
    /// `value` with exactly so many digits behind the point, rounded half to even; nil when it is no
    /// number, or too large for 15 digits.
    ///
    /// Decimals of few places are rounded as the decimals that they are: 2.675 with two places is
    /// 2.68, although the double lies a little below.
    ///
    /// - Parameter places: 0 to 9.
    package static func fixed(_ value: Double, places: Int) -> String? {
        let places = min(max(places, 0), ScaledInteger.finestExponent)
        guard let decimal = ScaledInteger(rounding: value), decimal.mantissa.magnitude < 1 << 100
        else { return nil }
        var mantissa = decimal.mantissa
        if decimal.exponent > places {
            let step = Int128(Int64(ScaledInteger.powers[decimal.exponent - places]))
            let (quotient, rest) = mantissa.magnitude.quotientAndRemainder(
                dividingBy: step.magnitude)
            let twice = rest * 2
            let isUp = twice > step.magnitude || (twice == step.magnitude && quotient % 2 == 1)
            let rounded = Int128(quotient) + (isUp ? 1 : 0)
            mantissa = mantissa < 0 ? -rounded : rounded
        } else {
            mantissa = decimal.rescaled(to: places).mantissa
        }
        guard mantissa.magnitude < 1_000_000_000_000_000 else { return nil }
        var digits = "\(mantissa.magnitude)"
        if digits.utf8.count <= places {
            digits = String(repeating: "0", count: places + 1 - digits.utf8.count) + digits
        }
        let whole = digits.dropLast(places)
        let sign = mantissa < 0 ? "-" : ""
        return sign + whole + (places == 0 ? "" : "." + digits.suffix(places))
    }

    /// The fewest digits that read back as the same value, without an exponent where that takes at
    /// most 15 digits; nil when it is no number.
    package static func shortest(_ value: Double) -> String? {
        guard value.isFinite else { return nil }
        if let decimal = ScaledInteger(exactly: value), decimal.exponent <= 9 {
            return fixed(value, places: decimal.exponent) ?? value.description
        }
        return value.description
    }
}
