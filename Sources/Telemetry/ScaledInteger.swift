/// A decimal number held as an integer: mantissa × 10⁻ᵉˣᵖᵒⁿᵉⁿᵗ.
///
/// Registers times a decimal scale are exact decimals, so sums of them can be exact, in any order.
package struct ScaledInteger: Hashable, Sendable, Codable {
    package var mantissa: Int128
    /// Decimal places, 0 to 18.
    package var exponent: Int

    package static let zero = ScaledInteger(mantissa: 0, exponent: 0)
    /// The finest grid on which a value is looked for.
    package static let finestExponent = 9

    package init(mantissa: Int128, exponent: Int) {
        self.mantissa = mantissa
        self.exponent = exponent
    }

    /// The decimal of fewest places, at most nine, of which `value` is the nearest double.
    ///
    /// nil when there is none, when the value is not finite, or when its digits exceed 2⁵³.
    package init?(exactly value: Double) {
        guard value.isFinite else { return nil }
        for exponent in 0...Self.finestExponent {
            let scaled = (value * Self.powers[exponent]).rounded()
            guard scaled.magnitude < 9_007_199_254_740_992 else { return nil }
            // The mantissa and the power are exact, so the quotient is the double nearest to the
            // decimal, and equality proves that nothing was lost.
            if scaled / Self.powers[exponent] == value {
                self.init(mantissa: Int128(Int64(scaled)), exponent: exponent)
                return
            }
        }
        return nil
    }

    /// As `init(exactly:)`, else rounded to nine places; nil when not finite or above 10¹⁸.
    package init?(rounding value: Double) {
        if let exact = ScaledInteger(exactly: value) {
            self = exact
            return
        }
        guard value.isFinite, value.magnitude < 1e18 else { return nil }
        let whole = value.rounded(.towardZero)
        let fraction = ((value - whole) * 1e9).rounded()
        self.init(
            mantissa: Int128(Int64(whole)) * 1_000_000_000 + Int128(Int64(fraction)), exponent: 9)
    }

    /// The nearest double.
    package var double: Double {
        if mantissa.magnitude < 9_007_199_254_740_992 {
            // By way of Int64, which the processor converts; Int128 goes through generic code.
            return Double(Int64(truncatingIfNeeded: mantissa)) / Self.powers[exponent]
        }
        // Beyond 2⁵³ a quotient of doubles would be rounded twice; the system's reader of decimal
        // text rounds once. Such sums are rare.
        return Double("\(mantissa)e-\(exponent)") ?? .nan
    }

    /// The same number with more decimal places.
    package func rescaled(to places: Int) -> ScaledInteger {
        guard places > exponent else { return self }
        return ScaledInteger(
            mantissa: mantissa * Int128(Int64(Self.powers[places - exponent])), exponent: places)
    }

    package static func + (a: Self, b: Self) -> Self {
        let places = max(a.exponent, b.exponent)
        return ScaledInteger(
            mantissa: a.rescaled(to: places).mantissa + b.rescaled(to: places).mantissa,
            exponent: places)
    }

    package static func - (a: Self, b: Self) -> Self {
        a + ScaledInteger(mantissa: -b.mantissa, exponent: b.exponent)
    }

    /// Powers of ten that a double holds exactly.
    package static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18,
    ]
}
