import Telemetry

extension Rollup {
    /// Whether there is nothing to tell: no reading came, and none was expected.
    var isSilent: Bool { count == 0 && bad == 0 && increase == nil && (expected ?? 0) == 0 }

    /// Whether a stored row of this rollup would read the same as one of `other`.
    func hasSameFigures(as other: Rollup) -> Bool {
        count == other.count && bad == other.bad && expected == other.expected
            && (first == nil) == (other.first == nil) && sum.value == other.sum.value
            && minimum == other.minimum && maximum == other.maximum
            && first?.value == other.first?.value && last?.value == other.last?.value
            && increase?.double == other.increase?.double && isEstimated == other.isEstimated
    }
}
