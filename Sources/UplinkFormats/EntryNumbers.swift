import RealModule
import Telemetry

extension UplinkItem.Entry {
    /// One number of the period in the platform's unit; nil when nothing is known of it.
    ///
    /// An increase is a difference: of a unit's conversion only the factor applies to it.
    package func number(_ statistic: Statistic) -> Double? {
        switch statistic {
        case .mean: return converted(rollup.mean)
        case .minimum: return converted(rollup.minimum)
        case .maximum: return converted(rollup.maximum)
        case .first: return converted(rollup.first?.value)
        case .last: return converted(rollup.last?.value)
        case .sum: return rollup.first == nil ? nil : difference(rollup.sum.value)
        case .increase: return difference(rollup.increase?.double)
        case .energeticMean: return Levels.energeticMean(levels)
        case .exceeded(let share): return Levels.exceeded(share, levels)
        case .vectorMean: return Directions.mean(levels)
        }
    }

    /// As `number`, with the digits that the platform wants.
    package func text(_ statistic: Statistic) -> String? {
        guard let number = number(statistic) else { return nil }
        guard let places = point.decimals else { return DecimalText.shortest(number) }
        return DecimalText.fixed(number, places: places)
    }

    /// The good numbers of the samples, in the platform's unit.
    package var levels: [Double] {
        samples.compactMap { $0.reading.number }.compactMap { converted($0) }
    }

    /// A canonical value in the platform's unit.
    package func converted(_ value: Double?) -> Double? {
        guard let value, value.isFinite else { return nil }
        guard let unit = point.unit else { return value }
        let result = unit.fromCanonical(value)
        return result.isFinite ? result : nil
    }

    private func difference(_ value: Double?) -> Double? {
        guard let value, value.isFinite else { return nil }
        guard let unit = point.unit else { return value }
        let result =
            unit.offset == 0 ? unit.fromCanonical(value) : value / unit.factor
        return result.isFinite ? result : nil
    }
}

/// Statistics of sound levels in dB.
package enum Levels {
    /// 10·lg of the mean of 10^(L/10); nil without a level.
    package static func energeticMean(_ levels: [Double]) -> Double? {
        if levels.isEmpty { return nil }
        var sum = ExactSum()
        for level in levels { sum.add(Double.exp10(level / 10)) }
        return 10 * Double.log10(sum.value / Double(levels.count))
    }

    /// The level that is exceeded during `share` hundredths of the time, by nearest rank; nil
    /// without a level.
    package static func exceeded(_ share: Int, _ levels: [Double]) -> Double? {
        if levels.isEmpty { return nil }
        let sorted = levels.sorted(by: >)
        let rank = (min(max(share, 1), 99) * sorted.count + 99) / 100
        return sorted[min(max(rank, 1), sorted.count) - 1]
    }
}

/// Statistics of directions in degrees.
package enum Directions {
    /// The direction of the sum of unit vectors, 0 ≤ d < 360; nil without a direction, or when they
    /// cancel out.
    package static func mean(_ degrees: [Double]) -> Double? {
        var (east, north) = (0.0, 0.0)
        for degree in degrees {
            let angle = degree * .pi / 180
            east += Double.sin(angle)
            north += Double.cos(angle)
        }
        guard Double.hypot(east, north) > 1e-6 * Double(max(1, degrees.count)) else { return nil }
        let angle = Double.atan2(y: east, x: north) * 180 / .pi
        let positive = angle < 0 ? angle + 360 : angle
        return positive >= 360 ? 0 : positive
    }
}
