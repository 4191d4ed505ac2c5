import Telemetry

/// Numbers as integers on a common decimal grid.
package enum DecimalColumn {
    static let finestExponent = 9

    /// 10^exponent, exact in a double; 1 outside 0 to 9.
    package static func scale(_ exponent: Int) -> Double {
        exponent >= 0 && exponent <= finestExponent ? powers[exponent] : 1
    }

    /// The double that a mantissa stands for.
    static func double(_ mantissa: Int64, exponent: Int) -> Double {
        Double(mantissa) / scale(exponent)
    }

    /// Integers when every number is a decimal that returns bit for bit, else the numbers.
    static func values(of numbers: [Double]) -> BucketColumn.Values {
        if let (mantissas, exponent) = mantissas(of: numbers) {
            return .integers(mantissas, exponent: exponent)
        }
        return .doubles(numbers)
    }

    /// The mantissas on the coarsest grid that holds all of `numbers`, or nil.
    static func mantissas(of numbers: [Double]) -> (mantissas: [Int64], exponent: Int)? {
        var exponent = 0
        var scale = powers[0]
        var mantissas: [Int64] = []
        mantissas.reserveCapacity(numbers.count)
        for number in numbers {
            if number == 0, number.sign == .minus { return nil }
            let guess = (number * scale).rounded()
            // Below 2⁴³ two decimals of this grid never share a double, so the guess is the
            // decimal that `ScaledInteger(exactly:)` would find.
            if guess.magnitude < 8_796_093_022_208, guess / scale == number {
                mantissas.append(Int64(guess))
                continue
            }
            guard let found = found(number, atLeast: exponent) else { return nil }
            if found.exponent > exponent {
                guard let raised = raised(mantissas, by: found.exponent - exponent) else {
                    return nil
                }
                mantissas = raised
                exponent = found.exponent
                scale = powers[exponent]
            }
            mantissas.append(found.mantissa)
        }
        return (mantissas, exponent)
    }

    private static func found(_ number: Double, atLeast exponent: Int) -> (
        mantissa: Int64, exponent: Int
    )? {
        guard let decimal = ScaledInteger(exactly: number) else {
            // Counters beyond 2⁵³ are integers that a double holds by luck; they return exactly.
            guard exponent == 0, let whole = Int64(exactly: number) else { return nil }
            return (whole, 0)
        }
        let places = max(decimal.exponent, exponent)
        let mantissa = decimal.rescaled(to: places).mantissa
        guard mantissa.magnitude < UInt128(largest) else { return nil }
        return (Int64(mantissa), places)
    }

    private static func raised(_ mantissas: [Int64], by places: Int) -> [Int64]? {
        let factor = Int64(powers[places])
        var raised: [Int64] = []
        raised.reserveCapacity(mantissas.capacity)
        for mantissa in mantissas {
            let (product, overflow) = mantissa.multipliedReportingOverflow(by: factor)
            guard !overflow, product.magnitude < largest else { return nil }
            raised.append(product)
        }
        return raised
    }

    /// 2⁵³: a double holds every smaller integer, so a quotient by a power of ten is rounded once.
    private static let largest: UInt64 = 9_007_199_254_740_992

    private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
}
