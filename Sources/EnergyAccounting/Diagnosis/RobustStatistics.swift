/// Statistics that a few wild values do not move: a fault is found by what most hours say.
enum RobustStatistics {
    /// The middle of the values; nil without any.
    static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        return median(sorted: values.sorted()[...])
    }

    /// The median distance from the median, without a factor; nil without values.
    static func medianDeviation(_ values: [Double]) -> Double? {
        median(values).flatMap { middle in median(values.map { ($0 - middle).magnitude }) }
    }

    /// The value below which so many of the others lie, `share` from 0 to 1; nil without values.
    static func quantile(_ values: [Double], _ share: Double) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let index = (Double(sorted.count - 1) * min(1, max(0, share))).rounded()
        return sorted[Int(index)]
    }

    /// A series cut where two levels fit it better than one.
    struct Split {
        /// The index of the first value of the second part.
        var index: Int
        /// The medians before and from there on.
        var before: Double
        var after: Double
        /// What the cut saves of the sum of absolute deviations, 0 to 1.
        var gain: Double
        /// The median deviation from its own level, over both parts.
        var deviation: Double
    }

    /// The cut with the least sum of absolute deviations from the medians of the two parts.
    ///
    /// - Parameter shortest: values in either part; with fewer than twice as many there is no cut.
    static func bestSplit(_ values: [Double], shortest: Int) -> Split? {
        let shortest = max(1, shortest)
        guard values.count >= 2 * shortest, let middle = median(values) else { return nil }
        let whole = deviationSum(values, from: middle)
        var best: Split?
        var least = Double.infinity
        for index in shortest...(values.count - shortest) {
            let (left, right) = (Array(values[..<index]), Array(values[index...]))
            guard let before = median(left), let after = median(right) else { continue }
            let sum = deviationSum(left, from: before) + deviationSum(right, from: after)
            guard sum < least else { continue }
            least = sum
            let deviations =
                left.map { ($0 - before).magnitude } + right.map { ($0 - after).magnitude }
            best = Split(
                index: index, before: before, after: after,
                gain: whole > 0 ? 1 - sum / whole : 0, deviation: median(deviations) ?? 0)
        }
        return best
    }

    private static func deviationSum(_ values: [Double], from level: Double) -> Double {
        values.reduce(0) { $0 + ($1 - level).magnitude }
    }

    private static func median(sorted values: ArraySlice<Double>) -> Double {
        let middle = values.startIndex + values.count / 2
        return values.count % 2 == 1
            ? values[middle] : (values[middle - 1] + values[middle]) / 2
    }
}
