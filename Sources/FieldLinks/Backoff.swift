/// How long to wait before the next attempt: doubling up to a ceiling, with jitter.
///
/// The jitter (half to all of the step) keeps a hundred gateways from calling in the same second
/// after the power has returned.
package struct Backoff: Sendable {
    /// The first step and the largest one.
    package struct Limits: Hashable, Sendable {
        package var first: Duration
        package var ceiling: Duration
        package init(first: Duration = .seconds(1), ceiling: Duration = .seconds(60)) {
            self.first = first
            self.ceiling = ceiling
        }
    }

    private let limits: Limits
    private var step: Duration
    private var random: any RandomNumberGenerator & Sendable

    package init(_ limits: Limits, random: any RandomNumberGenerator & Sendable) {
        self.limits = limits
        self.random = random
        step = limits.first
    }

    /// The next wait: at least half of the step, at most the step.
    package mutating func next() -> Duration {
        let whole = step
        step = min(limits.ceiling, step * 2)
        return whole * Self.share(from: &random)
    }

    /// Begins again with the first step.
    package mutating func reset() { step = limits.first }

    private static func share(from random: inout some RandomNumberGenerator) -> Double {
        Double.random(in: 0.5...1, using: &random)
    }
}
