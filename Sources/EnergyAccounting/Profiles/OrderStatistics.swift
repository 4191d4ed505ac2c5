extension [Exact] {
    /// The value below which so large a part of the values lies, between neighbours in proportion.
    ///
    /// It stands at place (n − 1)·fraction of the values in their order, counted from 0, as
    /// spreadsheets have it (QUARTILE.INC). nil without values.
    ///
    /// - Parameter fraction: 0 to 1; 1/2 is the median.
    package func quantile(_ fraction: Exact) -> Exact? {
        guard !isEmpty else { return nil }
        let ordered = sorted()
        let bounded = Swift.max(.zero, Swift.min(fraction, .one))
        let place = bounded * Exact(count - 1)
        let below = Int(place.numerator / place.denominator)
        let rest = place - Exact(below)
        guard !rest.isZero, below + 1 < count else { return ordered[below] }
        return ordered[below] + (ordered[below + 1] - ordered[below]) * rest
    }

    /// The middle value, or the mean of the two in the middle; nil without values.
    package var median: Exact? { quantile(Exact(1, over: 2)) }
}
