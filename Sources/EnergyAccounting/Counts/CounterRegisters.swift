import Telemetry

/// What a counter showed around an instant: enough to tell what was counted over it, and what
/// should have been.
package struct CounterRegisters: Hashable, Sendable {
    /// What the counter showed in one slot; when it showed it, within the slot, nobody has kept.
    package struct Slot: Hashable, Sendable {
        package var start: Timestamp
        package var end: Timestamp
        package var first: Double
        package var last: Double
        package var minimum: Double
        package var maximum: Double

        package init(
            start: Timestamp, end: Timestamp, first: Double, last: Double, minimum: Double,
            maximum: Double
        ) {
            self.start = start
            self.end = end
            self.first = first
            self.last = last
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    /// How the counter may fall, as it was judged when it was read.
    package var policy: CounterPolicy
    /// Slots with readings, in order of time: the last ones before the instant, and the first after.
    package var slots: [Slot]

    package init(policy: CounterPolicy, slots: [Slot]) {
        self.policy = policy
        self.slots = slots
    }

    /// The readings between which an exchange lies.
    enum Passage: Equatable {
        /// The last reading of the old register and the first of the new one, in two slots, and the
        /// silence between these, which may be empty.
        case between(last: Double, first: Double, silence: Range<Timestamp>)
        /// Both lie in the slot of the instant, in which the counter fell from one to the other.
        case fall(last: Double, first: Double)
        /// Both lie in the slot of the instant, in which the counter never fell.
        case rise
        /// The readings do not tell.
        case unclear
    }

    /// Where the readings pass from a register that ended at one value to one that began at
    /// another.
    ///
    /// Inside one slot only the size of the values is known. A counter that fell below the slot's
    /// first reading began anew with the least of them; one that stood above the last ended at the
    /// greatest. Where neither is so, the passage lies at one of the slot's ends, or the new
    /// register stands above the old one.
    func passage(at instant: Timestamp, from end: Double, to start: Double) -> Passage {
        let before = slots.last { $0.end <= instant }
        let after = slots.first { instant < $0.start }
        func pass(_ a: Slot?, _ b: Slot?) -> Passage? {
            guard let a, let b,
                b.first < a.last || (a.last <= end && end <= start && start <= b.first)
            else { return nil }
            return .between(last: a.last, first: b.first, silence: a.end..<b.start)
        }
        guard let slot = slots.first(where: { $0.start <= instant && instant < $0.end }) else {
            guard let before, let after else { return .unclear }
            return .between(
                last: before.last, first: after.first, silence: before.end..<after.start)
        }
        let isBelow = slot.minimum < slot.first
        let isAbove = slot.maximum > slot.last
        if isBelow && isAbove { return .fall(last: slot.maximum, first: slot.minimum) }
        if isBelow || isAbove { return .unclear }
        if slot.first <= end, end <= start, start <= slot.last { return .rise }
        return pass(before, slot) ?? pass(slot, after) ?? .unclear
    }
}
