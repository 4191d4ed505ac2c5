import Telemetry

/// A number kept as a quotient of whole doubles, so that it is rounded once, at the end.
///
/// 2 347 × 0.01 × 60 is 2 347 × 60 / 100, the double nearest to 1 408.2; three multiplications of
/// doubles would not be. Where a factor is no decimal the numerator is no longer whole, and
/// the result is as good as plain arithmetic.
struct DecimalRatio: Hashable, Sendable {
    private(set) var numerator: Double
    /// Positive.
    private(set) var denominator: Double

    static let one = DecimalRatio(numerator: 1, denominator: 1)

    init(numerator: Double, denominator: Double) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// The decimal of which `value` is the nearest double, else `value` over 1.
    init(_ value: Double) {
        if value.rounded() == value {
            self.init(numerator: value, denominator: 1)
        } else if let decimal = ScaledInteger(exactly: value) {
            let places = decimal.exponent
            self.init(
                numerator: Double(decimal.mantissa),
                denominator: (0..<places).reduce(1.0) { d, _ in d * 10 })
        } else {
            self.init(numerator: value, denominator: 1)
        }
    }

    var value: Double { numerator / denominator }

    /// Without common factors, so that 0.001 × 1000 is 1.
    var reduced: DecimalRatio {
        let limit = 9_007_199_254_740_992.0
        guard numerator.magnitude < limit, denominator < limit, denominator >= 1,
            numerator == numerator.rounded(), denominator == denominator.rounded()
        else { return self }
        var (a, b) = (Int64(numerator.magnitude), Int64(denominator))
        while b != 0 { (a, b) = (b, a % b) }
        guard a > 1 else { return self }
        return DecimalRatio(numerator: numerator / Double(a), denominator: denominator / Double(a))
    }

    static func * (a: Self, b: Self) -> Self {
        DecimalRatio(
            numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator)
    }

    static func + (a: Self, b: Self) -> Self {
        if a.denominator == b.denominator {
            return DecimalRatio(
                numerator: a.numerator + b.numerator, denominator: a.denominator)
        }
        return DecimalRatio(
            numerator: a.numerator * b.denominator + b.numerator * a.denominator,
            denominator: a.denominator * b.denominator)
    }

    /// 10 to the power of `exponent`, nil beyond ±22, where doubles stop being exact.
    static func power10(_ exponent: Int) -> DecimalRatio? {
        guard (-22...22).contains(exponent) else { return nil }
        let power = (0..<abs(exponent)).reduce(1.0) { d, _ in d * 10 }
        return exponent < 0
            ? DecimalRatio(numerator: 1, denominator: power)
            : DecimalRatio(numerator: power, denominator: 1)
    }

    /// The shortest decimal that reads back as the same float: 12345.67, not 12345.669921875.
    ///
    /// - Parameter float: finite.
    static func shortest(_ float: Float) -> DecimalRatio {
        let wide = Double(float)
        if float.magnitude < 16_777_216 {
            var power = 1.0
            // 24 bits times 10⁹ stay below 2⁵³, so the products are exact.
            for _ in 0...9 {
                let mantissa = (wide * power).rounded()
                if Float(mantissa / power) == float {
                    return DecimalRatio(numerator: mantissa, denominator: power)
                }
                power *= 10
            }
        }
        return DecimalRatio(Double(float.description) ?? wide)
    }
}

/// Numbers as text: `[+-]digits[.digits][e[+-]digits]`, nothing before and nothing after.
enum DecimalText {
    /// The bits of a whole number, all 64 of them where the text has no more than digits; nil when
    /// it is none, or when it has been rounded.
    static func pattern(_ text: ArraySlice<UInt8>) -> UInt64? {
        if !text.isEmpty, text.allSatisfy({ $0 &- 0x30 < 10 }) {
            return UInt64(String(decoding: text, as: UTF8.self))
        }
        guard let number = parse(text)?.value, number < 0x1p53 else { return nil }
        return UInt64(exactly: number)
    }

    /// nil when the bytes are not such a number, or one that no double can hold.
    static func parse(_ bytes: ArraySlice<UInt8>) -> DecimalRatio? {
        var mantissa: UInt64 = 0
        var places = 0
        var digitCount = 0
        var isExact = true
        var isNegative = false
        var index = bytes.startIndex
        func isDigit() -> Bool { index < bytes.endIndex && bytes[index] &- 0x30 < 10 }
        func take(_ digit: UInt8) {
            let (product, high) = mantissa.multipliedReportingOverflow(by: 10)
            if high || product > 9_007_199_254_740_991 {
                isExact = false
            } else {
                mantissa = product &+ UInt64(digit &- 0x30)
            }
            digitCount += 1
        }
        if index < bytes.endIndex, bytes[index] == 0x2B || bytes[index] == 0x2D {
            isNegative = bytes[index] == 0x2D
            index += 1
        }
        while isDigit() {
            take(bytes[index])
            index += 1
        }
        guard digitCount > 0 else { return nil }
        if index < bytes.endIndex, bytes[index] == 0x2E {
            index += 1
            let whole = digitCount
            while isDigit() {
                take(bytes[index])
                index += 1
            }
            places = digitCount - whole
            guard places > 0 else { return nil }
        }
        if index < bytes.endIndex, bytes[index] | 0x20 == 0x65 {
            index += 1
            if index < bytes.endIndex, bytes[index] == 0x2B || bytes[index] == 0x2D { index += 1 }
            guard isDigit() else { return nil }
            while isDigit() { index += 1 }
            isExact = false
        }
        guard index == bytes.endIndex else { return nil }
        if isExact, mantissa <= 9_007_199_254_740_991, let power = DecimalRatio.power10(-places) {
            let number = DecimalRatio(numerator: Double(mantissa), denominator: 1)
            let sign = DecimalRatio(numerator: isNegative ? -1 : 1, denominator: 1)
            return number * power * sign
        }
        guard let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else {
            return nil
        }
        return DecimalRatio(value)
    }
}
