/// How a counter may fall, as its profile says.
package struct CounterPolicy: Hashable, Sendable, Codable {
    /// When a device sets its counter back.
    package enum Resets: String, Hashable, Sendable, Codable {
        case never
        case manual
        case command
        case powerCycle = "power_cycle"
        case daily
    }

    /// The value at which the counter starts again from zero, in the canonical unit; nil: unknown.
    package var modulus: Double?
    package var resets: Resets

    package init(modulus: Double?, resets: Resets) {
        self.modulus = modulus
        self.resets = resets
    }
}

/// What happened between two consecutive good readings of a counter.
package enum CounterStep: Hashable, Sendable {
    /// The counter grew, or stood still.
    case increase(ScaledInteger)
    /// The counter passed its modulus; the value is what it counted.
    case rollOver(ScaledInteger)
    /// The counter was set back; a new segment begins and nothing is added.
    case reset

    /// The part of the modulus, at its top and at its bottom, within which a fall is a roll-over.
    static let rollOverMargin = 0.05

    /// Judges the step from `old` to `new`; both must be finite.
    ///
    /// A fall is a roll-over only if the modulus is known, the old value was in its top 5 % and the
    /// increment stays within 5 % of the modulus; every other fall is a reset. nil when a value
    /// is not a counter reading at all (not finite, or beyond 10¹⁸).
    package init?(from old: Double, to new: Double, policy: CounterPolicy) {
        guard let a = ScaledInteger(rounding: old), let b = ScaledInteger(rounding: new) else {
            return nil
        }
        if new >= old {
            self = .increase(b - a)
        } else if let modulus = policy.modulus, let m = ScaledInteger(rounding: modulus),
            old <= modulus, old >= modulus * (1 - Self.rollOverMargin), new >= 0,
            modulus - old + new <= modulus * Self.rollOverMargin
        {
            self = .rollOver(m - a + b)
        } else {
            self = .reset
        }
    }

    /// What was counted; zero for a reset.
    package var increase: ScaledInteger {
        switch self {
        case .increase(let amount), .rollOver(let amount): amount
        case .reset: .zero
        }
    }
}

/// Two consecutive good readings of a counter, and how their increase lies in time.
///
/// The increase is spread evenly over the interval on the counter's own decimal grid. Shares are
/// differences of one cumulative function, so over any partition they add up to the increase.
package struct CounterInterval: Hashable, Sendable {
    package let start: Timestamp
    package let end: Timestamp
    package let step: CounterStep

    /// nil when the interval is empty or a value is not a counter reading.
    package init?(
        from old: Double, at start: Timestamp, to new: Double, at end: Timestamp,
        policy: CounterPolicy
    ) {
        guard start < end, let step = CounterStep(from: old, to: new, policy: policy) else {
            return nil
        }
        self.start = start
        self.end = end
        self.step = step
    }

    /// An amount that is known to lie between two instants; nil when nothing lies between them.
    package init?(amount: ScaledInteger, from start: Timestamp, to end: Timestamp) {
        guard start < end else { return nil }
        self.start = start
        self.end = end
        step = .increase(amount)
    }

    /// What was counted from the interval's start up to `time`, rounded down to the grid.
    func counted(until time: Timestamp) -> ScaledInteger {
        let total = step.increase
        if time <= start { return ScaledInteger(mantissa: 0, exponent: total.exponent) }
        if time >= end { return total }
        let passed = Int128(time.milliseconds) - Int128(start.milliseconds)
        let length = Int128(end.milliseconds) - Int128(start.milliseconds)
        // Whole and rest apart keep the product below 2¹²⁷ for every counter and duration.
        let (whole, rest) = total.mantissa.quotientAndRemainder(dividingBy: length)
        return ScaledInteger(
            mantissa: whole * passed + rest * passed / length, exponent: total.exponent)
    }

    /// The share of the increase that lies in `[from, to)`.
    package func share(from: Timestamp, to: Timestamp) -> ScaledInteger {
        counted(until: to) - counted(until: from)
    }

    /// Whether the interval has a positive length in common with `[from, to)`.
    package func overlaps(from: Timestamp, to: Timestamp) -> Bool { start < to && from < end }

    package var duration: Duration { end - start }
}
