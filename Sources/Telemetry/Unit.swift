/// What kind of quantity a unit measures, in the vocabulary's words (`energy`, `concentration`).
package struct Dimension: Hashable, Sendable, Codable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

/// A unit of the vocabulary: canonical = value × factor + offset.
///
/// Units are data (`Devices/vocabulary.yaml`); none is known to the code.
package struct Unit: Hashable, Sendable, Codable, CustomStringConvertible {
    /// As profiles write it, for example `kWh`, `ug/m3`, `%RH`.
    package let symbol: String
    /// The UCUM code.
    package let ucum: String
    package let dimension: Dimension
    /// To the dimension's canonical unit.
    package let factor: Double
    package let offset: Double

    package init(
        symbol: String, ucum: String, dimension: Dimension, factor: Double, offset: Double = 0
    ) {
        self.symbol = symbol
        self.ucum = ucum
        self.dimension = dimension
        self.factor = factor
        self.offset = offset
    }

    package var isCanonical: Bool { factor == 1 && offset == 0 }
    package var description: String { symbol }

    /// `value` of this unit in the dimension's canonical unit.
    ///
    /// Where the factor or its inverse is whole, a decimal of few places becomes the double nearest
    /// to the exact product: 416.9 Wh are 0.4169 kWh, while 416.9 × 0.001 is not the double 0.4169.
    /// Exact decimals are what the store compresses and the accounts add up.
    package func canonical(_ value: Double) -> Double {
        if isCanonical { return value }
        if offset == 0, let (numerator, denominator) = ratio {
            return Self.scale(value, by: numerator, over: denominator)
        }
        return value * factor + offset
    }

    /// A canonical value in this unit.
    package func fromCanonical(_ value: Double) -> Double {
        if isCanonical { return value }
        if offset == 0, let (numerator, denominator) = ratio {
            return Self.scale(value, by: denominator, over: numerator)
        }
        return (value - offset) / factor
    }

    /// The factor as a quotient of whole numbers, one of which is 1; nil when it is none.
    private var ratio: (numerator: Double, denominator: Double)? {
        if factor >= 1 { return factor == factor.rounded() ? (factor, 1) : nil }
        let inverse = (1 / factor).rounded()
        return inverse.isFinite && inverse > 0 && 1 / inverse == factor ? (1, inverse) : nil
    }

    /// `value` × `numerator` / `denominator`, rounded once if all of it fits into 53 bits.
    private static func scale(
        _ value: Double, by numerator: Double, over denominator: Double
    ) -> Double {
        let exact = 9_007_199_254_740_992.0
        if let decimal = ScaledInteger(exactly: value) {
            let above = Double(decimal.mantissa) * numerator
            let below = ScaledInteger.powers[decimal.exponent] * denominator
            if above.magnitude < exact, below < exact { return above / below }
        }
        return value * numerator / denominator
    }
}
