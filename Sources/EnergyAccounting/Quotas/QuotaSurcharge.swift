/// The use beyond a quota, tier by tier, with what is charged for it.
///
///     use ───────────────────────────────────────────────▶
///     0          allowance     +20 %              +50 %
///     │ free      │ tier 0 %    │ tier 20 %        │ tier 50 %
///
/// Each price is for the part of the use within its own tier.
package struct QuotaSurcharge: Hashable, Sendable {
    /// The use within one tier.
    package struct Part: Hashable, Sendable {
        package var tier: SurchargeTier
        /// In the unit of the quota's amount; nought where the use does not reach the tier.
        package var amount: Exact
        /// Yuan.
        package var cost: Exact
    }

    /// One for each tier.
    package let parts: [Part]

    /// Yuan.
    package var cost: Exact { parts.reduce(.zero) { $0 + $1.cost } }

    /// - Parameters:
    ///   - tiers: in the order of their beginnings.
    ///   - use: in the unit of the allowance.
    package init(_ tiers: [SurchargeTier], allowance: Exact, use: Exact) {
        func beginning(_ tier: SurchargeTier) -> Exact {
            allowance * (Exact(100) + tier.above) / Exact(100)
        }
        parts = tiers.indices.map { index in
            let from = beginning(tiers[index])
            let until = index + 1 < tiers.count ? min(use, beginning(tiers[index + 1])) : use
            let amount = max(.zero, until - from)
            return Part(tier: tiers[index], amount: amount, cost: amount * tiers[index].price)
        }
    }
}
