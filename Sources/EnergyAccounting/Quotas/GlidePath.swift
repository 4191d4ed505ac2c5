import Telemetry

/// The straight line from a base year's value to a target year's.
package struct GlidePath: Hashable, Sendable {
    package let baseYear: Int
    package let baseValue: Exact
    package let targetYear: Int
    package let targetValue: Exact

    /// nil unless the target comes after the base.
    package init?(baseYear: Int, baseValue: Exact, targetYear: Int, targetValue: Exact) {
        guard baseYear < targetYear else { return nil }
        self.baseYear = baseYear
        self.baseValue = baseValue
        self.targetYear = targetYear
        self.targetValue = targetValue
    }

    /// The value on the line in a year; nil before the base, and the target's after the target.
    package func allowed(in year: Int) -> Exact? {
        guard year >= baseYear else { return nil }
        if year >= targetYear { return targetValue }
        let share = Exact(Int128(year - baseYear), over: Int128(targetYear - baseYear))
        return baseValue + (targetValue - baseValue) * share
    }

    /// How a year's value stands beside the line.
    package struct Comparison: Hashable, Sendable {
        package var year: Int
        package var actual: Exact
        package var allowed: Exact
        /// `actual` less `allowed`: above nought is too much.
        package var difference: Exact
        /// Percent against the base year; nil when the base is nought.
        package var change: Exact?
        package var isOnPath: Bool
    }

    /// nil before the base year.
    package func comparison(of actual: Exact, in year: Int) -> Comparison? {
        guard let allowed = allowed(in: year) else { return nil }
        return Comparison(
            year: year, actual: actual, allowed: allowed, difference: actual - allowed,
            change: baseValue.isZero ? nil : (actual - baseValue) / baseValue * Exact(100),
            isOnPath: actual <= allowed)
    }
}
