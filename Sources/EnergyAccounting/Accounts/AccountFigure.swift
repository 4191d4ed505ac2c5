import Telemetry

/// One amount of the accounts with what it rests on; no figure is told without it.
package struct AccountFigure: Hashable, Sendable {
    /// The sum of what is known; nil when nothing is.
    package var amount: Exact?
    /// The part of it that is estimated: gaps, resets, people's estimates.
    package var estimated: Exact
    /// Whether a part of it is estimated.
    package var isEstimated: Bool
    /// Slots of which something is known among those that have passed, 0 to 1; nil before the first.
    package var completeness: Exact?
    /// Good readings among those expected; nil when nobody has said how often.
    package var coverage: Exact?

    /// - Parameter passed: how many of the slots have ended.
    package init(_ total: Counts.Total, passed: Int) {
        amount = total.knownSlots > 0 ? total.sum : nil
        estimated = total.estimated
        isEstimated = !total.estimated.isZero || total.isEstimatedAsWhole
        let due = max(passed, total.knownSlots)
        completeness = due > 0 ? Exact(total.knownSlots) / Exact(due) : nil
        coverage = total.expected > 0 ? Exact(total.good) / Exact(total.expected) : nil
    }

    /// The estimated part of the amount, 0 to 1; nil of nothing.
    package var estimatedShare: Exact? {
        guard let amount, !amount.isZero else { return nil }
        return (estimated / amount).magnitude
    }
}

extension Counts.Total {
    package static prefix func - (total: Self) -> Self {
        var negative = total
        negative.sum = -total.sum
        negative.estimated = -total.estimated
        return negative
    }

    package static func - (a: Self, b: Self) -> Self { a + -b }
}
