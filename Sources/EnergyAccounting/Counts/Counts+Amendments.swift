import Telemetry

/// How people's words change what a counter counted. Every amount is an integer of the counter's
/// decimal grid and is spread as a counter's own gaps are, so that the parts of any partition of
/// time add up to it.
extension Counts {
    /// Adds an amount that lies between two instants; what nobody knew becomes known.
    ///
    /// - Parameter isEstimated: marks the slots; nil leaves their marks.
    mutating func add(
        _ amount: ScaledInteger, from: Timestamp, to: Timestamp, on grid: CountGrid,
        isEstimated: Bool?
    ) {
        guard let interval = CounterInterval(amount: amount, from: from, to: to) else {
            if let slot = grid.slot(of: to) { add(amount, to: slot, isEstimated: isEstimated) }
            return
        }
        for slot in overlapping(from, to, grid) {
            add(
                interval.share(from: grid.start(slot), to: grid.end(slot)), to: slot,
                isEstimated: isEstimated)
        }
    }

    /// Adds an amount to one slot.
    mutating func add(_ amount: ScaledInteger, to slot: Int, isEstimated: Bool?) {
        var one = self[slot]
        one.increase = one.increase.map { $0 + amount } ?? amount
        if let isEstimated { one.isEstimated = isEstimated }
        self[slot] = one
    }

    private func overlapping(_ from: Timestamp, _ to: Timestamp, _ grid: CountGrid) -> Range<Int> {
        guard let first = grid.bounds.first, let end = grid.bounds.last, from < end, first < to
        else { return 0..<0 }
        let low = grid.slot(of: max(from, first)) ?? 0
        let high = grid.slot(of: min(to, end) - .milliseconds(1)) ?? low
        return low..<(high + 1)
    }

    /// Multiplies what was counted between two instants, rounding the running sum and not each slot.
    ///
    /// A slot that lies partly inside is scaled in the share of its time.
    mutating func rescale(
        by factor: Exact, from: Timestamp, to: Timestamp, on grid: CountGrid
    ) {
        let places = min(exponent + 3, ScaledInteger.finestExponent)
        var counted = Exact.zero
        var before = ScaledInteger.zero
        for slot in overlapping(from, to, grid) where isKnown(slot) {
            var one = self[slot]
            guard let increase = one.increase else { continue }
            let inside =
                CounterInterval(amount: increase, from: grid.start(slot), to: grid.end(slot))?
                .share(from: from, to: to) ?? .zero
            counted += Exact(inside) * factor
            let after = counted.rounded(places: places)
            one.increase = increase - inside + (after - before)
            before = after
            self[slot] = one
        }
    }

    /// Takes out what no connection can carry.
    ///
    /// - Parameter limit: in the counter's unit an hour.
    /// - Returns: the slots that were taken out, with what they said.
    mutating func withhold(
        above limit: Exact, on grid: CountGrid
    ) -> [(slot: Int, increase: ScaledInteger)] {
        // One step of the register more: a coarse counter moves seldom and then by a whole step.
        let step = Exact(ScaledInteger(mantissa: 1, exponent: exponent))
        var withheld: [(Int, ScaledInteger)] = []
        var ceilings: [Int64: Int128] = [:]
        for slot in 0..<count where isKnown(slot) {
            let length = (grid.end(slot) - grid.start(slot)).milliseconds
            if ceilings[length] == nil {
                let most = limit * Exact(Int128(length), over: 3_600_000) + step
                ceilings[length] = most.rounded(places: exponent).mantissa
            }
            guard let ceiling = ceilings[length], Int128(mantissa(slot)) > ceiling else { continue }
            var one = self[slot]
            if let increase = one.increase { withheld.append((slot, increase)) }
            one.increase = nil
            self[slot] = one
        }
        return withheld
    }
}
