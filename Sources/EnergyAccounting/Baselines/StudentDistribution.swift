import RealModule

/// Student's t distribution, as far as confidence intervals need it.
///
/// The probability within ±t is a finite sum for whole degrees of freedom (Abramowitz and Stegun,
/// 26.7.3 and 26.7.4), so nothing is approximated but the quantile, which is found by bisection to
/// the last bits of a double.
package enum StudentDistribution {
    /// Beyond so many degrees of freedom the quantile no longer moves in the sixth place.
    private static let mostDegreesOfFreedom = 1_000_000

    /// The probability that the variable lies within ±`t`.
    ///
    /// nil unless `t` ≥ 0 and `degreesOfFreedom` ≥ 1.
    package static func probability(within t: Double, degreesOfFreedom: Int) -> Double? {
        guard t >= 0, degreesOfFreedom >= 1 else { return nil }
        if t == .infinity { return 1 }
        let freedom = min(degreesOfFreedom, mostDegreesOfFreedom)
        let root = Double(freedom).squareRoot()
        // The angle is arctan(t/√ν); hypot by hand, without squaring what could overflow.
        let ratio = t / root
        let cosine =
            ratio > 1e8 ? 1 / ratio : 1 / (1 + ratio * ratio).squareRoot()
        let sine = ratio > 1e8 ? 1 : ratio * cosine
        let isOdd = freedom % 2 == 1
        // The sum has the powers 1, 3, 5 … ν−2 of the cosine for odd ν, 0, 2, 4 … ν−2 for even.
        var term = isOdd ? cosine : 1
        var sum = 0.0
        var power = isOdd ? 1 : 0
        while power <= freedom - 2, term > sum * 1e-18 {
            sum += term
            term *= cosine * cosine * Double(power + 1) / Double(power + 2)
            power += 2
        }
        guard isOdd else { return min(1, sine * sum) }
        return min(1, (Double.atan(ratio) + sine * sum) * 2 / .pi)
    }

    /// The t within ± of which the variable lies with so much confidence (two-sided).
    ///
    /// nil unless 0 < `confidencePercent` < 100 and `degreesOfFreedom` ≥ 1.
    package static func quantile(confidencePercent: Double, degreesOfFreedom: Int) -> Double? {
        guard confidencePercent > 0, confidencePercent < 100, degreesOfFreedom >= 1 else {
            return nil
        }
        let wanted = confidencePercent / 100
        func reaches(_ t: Double) -> Bool {
            (probability(within: t, degreesOfFreedom: degreesOfFreedom) ?? 1) >= wanted
        }
        var (low, high) = (0.0, 1.0)
        while !reaches(high), high < 1e15 { (low, high) = (high, high * 2) }
        while true {
            let middle = low + (high - low) / 2
            guard middle > low, middle < high else { return high }
            if reaches(middle) { high = middle } else { low = middle }
        }
    }
}
