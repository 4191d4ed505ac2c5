import Telemetry

/// A number held as a quotient of integers, so that shares, prices and factors stay exact until
/// they are printed.
///
/// Sums of counted energy are decimals; a share by area or an average over days is not. All of the
/// accounts are done on this type and rounded once, half to even, by `text(places:)`.
///
/// Where a numerator or denominator would leave 127 bits, the operation is done on doubles: the
/// error is then about 10⁻¹⁵ of the value. No figure of a site comes near.
package struct Exact: Hashable, Sendable {
    /// In lowest terms, with the sign.
    package let numerator: Int128
    /// Above zero.
    package let denominator: Int128

    package static let zero = Exact(0)
    package static let one = Exact(1)

    package init(_ whole: Int) {
        numerator = Int128(whole)
        denominator = 1
    }

    /// - Parameter denominator: not zero.
    package init(_ numerator: Int128, over denominator: Int128) {
        precondition(denominator != 0, "a quotient has a divisor")
        let sign: Int128 = denominator < 0 ? -1 : 1
        let common = Self.commonDivisor(numerator.magnitude, denominator.magnitude)
        self.numerator = sign * numerator / Int128(common)
        self.denominator = sign * denominator / Int128(common)
    }

    package init(_ decimal: ScaledInteger) {
        self.init(decimal.mantissa, over: Self.powerOfTen(decimal.exponent))
    }

    /// The decimal of which `value` is the nearest double, as people write numbers.
    ///
    /// nil when it has more than nine decimal places or is not finite.
    package init?(decimal value: Double) {
        guard let decimal = ScaledInteger(exactly: value) else { return nil }
        self.init(decimal)
    }

    /// A decimal as written, `-12.50`; nil for anything else and beyond 18 places or digits.
    package init?(text: some StringProtocol) {
        var mantissa: Int128 = 0
        var places = 0
        var digits = 0
        var sawPoint = false
        var rest = Substring(text)
        let isNegative = rest.hasPrefix("-")
        if isNegative || rest.hasPrefix("+") { rest = rest.dropFirst() }
        for byte in rest.utf8 {
            if byte == 0x2E, !sawPoint {
                sawPoint = true
                continue
            }
            guard (0x30...0x39).contains(byte) else { return nil }
            digits += 1
            mantissa = mantissa * 10 + Int128(byte - 0x30)
            if sawPoint { places += 1 }
            guard digits <= 36 else { return nil }
        }
        guard digits > 0, places <= 18 else { return nil }
        self.init(isNegative ? -mantissa : mantissa, over: Self.powerOfTen(places))
    }

    /// The nearest double, but for the last bit.
    package var double: Double { Double(numerator) / Double(denominator) }

    package var isZero: Bool { numerator == 0 }
    package var isNegative: Bool { numerator < 0 }
    package var magnitude: Exact { isNegative ? -self : self }

    private static func commonDivisor(_ a: UInt128, _ b: UInt128) -> UInt128 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return max(1, a)
    }

    static func powerOfTen(_ places: Int) -> Int128 {
        var power: Int128 = 1
        for _ in 0..<max(0, min(places, 36)) { power *= 10 }
        return power
    }
}

extension Exact: Comparable {
    package static func < (a: Self, b: Self) -> Bool { (a - b).isNegative }

    package static func + (a: Self, b: Self) -> Self {
        sum(a, b) ?? Exact(near: a.double + b.double)
    }

    package static func - (a: Self, b: Self) -> Self { a + -b }

    package static prefix func - (a: Self) -> Self { Exact(-a.numerator, over: a.denominator) }

    package static func * (a: Self, b: Self) -> Self {
        product(a, b) ?? Exact(near: a.double * b.double)
    }

    /// - Parameter b: not zero.
    package static func / (a: Self, b: Self) -> Self {
        precondition(!b.isZero, "nobody divides by nothing")
        return a * Exact(b.denominator, over: b.numerator)
    }

    package static func += (a: inout Self, b: Self) { a = a + b }

    private static func sum(_ a: Self, _ b: Self) -> Self? {
        let common = Int128(commonDivisor(a.denominator.magnitude, b.denominator.magnitude))
        let (left, overLeft) = a.numerator.multipliedReportingOverflow(by: b.denominator / common)
        let (right, overRight) = b.numerator.multipliedReportingOverflow(by: a.denominator / common)
        let (total, overTotal) = left.addingReportingOverflow(right)
        let (below, overBelow) = (a.denominator / common)
            .multipliedReportingOverflow(by: b.denominator)
        return overLeft || overRight || overTotal || overBelow ? nil : Exact(total, over: below)
    }

    private static func product(_ a: Self, _ b: Self) -> Self? {
        // Crosswise first: what can be cancelled need not be multiplied.
        let p = Exact(a.numerator, over: b.denominator)
        let q = Exact(b.numerator, over: a.denominator)
        let (above, overAbove) = p.numerator.multipliedReportingOverflow(by: q.numerator)
        let (below, overBelow) = p.denominator.multipliedReportingOverflow(by: q.denominator)
        return overAbove || overBelow ? nil : Exact(above, over: below)
    }

    /// A number near a double; beyond 10³⁸ the greatest there is.
    private init(near value: Double) {
        if let decimal = ScaledInteger(rounding: value) {
            self.init(decimal)
        } else {
            self.init(Int128(exactly: value.rounded()) ?? (value < 0 ? -.max : .max), over: 1)
        }
    }
}

/// As a text, `numerator/denominator`.
extension Exact: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let parts = try container.decode(String.self).split(separator: "/")
        guard parts.count == 2, let above = Int128(parts[0]), let below = Int128(parts[1]),
            below > 0
        else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a quotient of two integers is expected")
        }
        self.init(above, over: below)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode("\(numerator)/\(denominator)")
    }
}

extension ScaledInteger {
    /// The decimal of an exact number, rounded half to even where it has more than nine places.
    package init(_ value: Exact) { self = value.rounded(places: value.plainPlaces) }
}

extension Exact {
    /// The decimal with so many places that lies nearest, a half to the even neighbour.
    ///
    /// - Parameter places: 0 to 9.
    package func rounded(places: Int) -> ScaledInteger {
        let places = max(0, min(places, 9))
        let scaled = self * Exact(Self.powerOfTen(places), over: 1)
        let (whole, rest) = scaled.numerator.magnitude.quotientAndRemainder(
            dividingBy: scaled.denominator.magnitude)
        let left = scaled.denominator.magnitude - rest
        let isUp = rest > left || (rest == left && whole % 2 == 1)
        let magnitude = Int128(whole) + (isUp ? 1 : 0)
        return ScaledInteger(
            mantissa: scaled.isNegative ? -magnitude : magnitude, exponent: places)
    }

    /// The fewest places that show the number, at most nine.
    package var plainPlaces: Int {
        (0..<ScaledInteger.finestExponent).first { Exact(rounded(places: $0)) == self }
            ?? ScaledInteger.finestExponent
    }

    /// The decimal with as few places as show it, at most nine: `0.5306`.
    package var plainText: String { text(places: plainPlaces) }

    /// The number without any loss, `7` or `7/3`.
    package var quotientText: String {
        denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)"
    }

    /// The number as it is printed, `-1234.50`: always so many places, never a negative nought.
    package func text(places: Int) -> String {
        let decimal = rounded(places: places)
        let digits = "\(decimal.mantissa.magnitude)"
        let sign = decimal.mantissa < 0 ? "-" : ""
        guard decimal.exponent > 0 else { return sign + digits }
        let padded =
            String(repeating: "0", count: max(0, decimal.exponent + 1 - digits.count)) + digits
        return sign + padded.dropLast(decimal.exponent) + "." + padded.suffix(decimal.exponent)
    }
}
