import Telemetry

/// What one counter counted, slot by slot, with what each figure rests on.
///
/// Columns instead of rows: a year of hours of a hundred meters is 15 MB, and adding one up is a
/// walk over integers.
package struct Counts: Hashable, Sendable {
    /// What is known of one slot.
    package struct Slot: Hashable, Sendable {
        /// nil when nothing is known of the slot.
        package var increase: ScaledInteger?
        /// Whether a gap, a reset, a missing end or a person's word lies in it.
        package var isEstimated: Bool
        /// Good readings.
        package var good: Int
        /// Readings that should have come; nil when nobody has said how often.
        package var expected: Int?

        package init(
            increase: ScaledInteger?, isEstimated: Bool = false, good: Int = 0, expected: Int? = nil
        ) {
            self.increase = increase
            self.isEstimated = isEstimated
            self.good = good
            self.expected = expected
        }
    }

    /// Decimal places of all increases.
    package private(set) var exponent = 0
    private var increases: [Int64]
    private var estimated: [Bool]
    private var goods: [Int32]
    private var expecteds: [Int32]

    private static let unknown = Int64.min

    /// So many slots of which nothing is known.
    package init(count: Int) {
        increases = Array(repeating: Self.unknown, count: count)
        estimated = Array(repeating: false, count: count)
        goods = Array(repeating: 0, count: count)
        expecteds = Array(repeating: -1, count: count)
    }

    package var count: Int { increases.count }

    package subscript(_ slot: Int) -> Slot {
        get {
            Slot(
                increase: increases[slot] == Self.unknown
                    ? nil : ScaledInteger(mantissa: Int128(increases[slot]), exponent: exponent),
                isEstimated: estimated[slot], good: Int(goods[slot]),
                expected: expecteds[slot] < 0 ? nil : Int(expecteds[slot]))
        }
        set {
            increases[slot] = newValue.increase.flatMap { mantissa(of: $0) } ?? Self.unknown
            estimated[slot] = newValue.isEstimated
            goods[slot] = Int32(clamping: newValue.good)
            expecteds[slot] = newValue.expected.map { Int32(clamping: $0) } ?? -1
        }
    }

    /// Sets a slot from a whole number on a grid of so many decimals, as stored columns have it.
    ///
    /// - Parameter mantissa: nil when nothing is known of the slot.
    package mutating func set(
        _ slot: Int, mantissa: Int64?, exponent: Int, isEstimated: Bool, good: Int, expected: Int?
    ) {
        guard exponent == self.exponent, mantissa != Self.unknown else {
            self[slot] = Slot(
                increase: mantissa.map {
                    ScaledInteger(mantissa: Int128($0), exponent: exponent)
                }, isEstimated: isEstimated, good: good, expected: expected)
            return
        }
        increases[slot] = mantissa ?? Self.unknown
        estimated[slot] = isEstimated
        goods[slot] = Int32(clamping: good)
        expecteds[slot] = expected.map { Int32(clamping: $0) } ?? -1
    }

    /// Whether the increase of a slot is known.
    package func isKnown(_ slot: Int) -> Bool { increases[slot] != Self.unknown }

    /// The increase as an integer of this grid of decimals; only where it is known.
    package func mantissa(_ slot: Int) -> Int64 { increases[slot] }

    /// Whether a part of a slot is estimated.
    package func isEstimated(_ slot: Int) -> Bool { estimated[slot] }

    /// The increase of a slot on this column's grid, which is made finer where that is needed.
    ///
    /// nil beyond 63 bits, where no counter of a site comes.
    private mutating func mantissa(of increase: ScaledInteger) -> Int64? {
        if increase.exponent > exponent {
            let factor = Int64(Exact.powerOfTen(increase.exponent - exponent))
            for slot in increases.indices where increases[slot] != Self.unknown {
                let (product, isOver) = increases[slot].multipliedReportingOverflow(by: factor)
                increases[slot] = isOver ? Self.unknown : product
            }
            exponent = increase.exponent
        }
        let fine = increase.rescaled(to: exponent)
        return Int64(exactly: fine.mantissa).flatMap { $0 == Self.unknown ? nil : $0 }
    }
}

extension Counts {
    /// Adds up the slots of a range in whole numbers, slot by slot.
    func part(_ range: Range<Int>) -> Part {
        var part = Part()
        for slot in range {
            if increases[slot] != Self.unknown {
                part.knownSlots += 1
                part.sum += Int128(increases[slot])
                if estimated[slot] {
                    part.estimatedSlots += 1
                    part.estimated += Int128(increases[slot])
                }
            }
            if expecteds[slot] >= 0 {
                part.good += Int(min(goods[slot], expecteds[slot]))
                part.expected += Int(expecteds[slot])
            }
        }
        return part
    }

    /// What some slots of a column come to.
    package struct Total: Hashable, Sendable {
        /// The sum of what is known.
        package var sum = Exact.zero
        /// The part of it that lies in estimated slots.
        package var estimated = Exact.zero
        /// Whether all of it rests on estimates, also where these cancel: a difference.
        package var isEstimatedAsWhole = false
        /// Slots of which the increase is known, and all of them.
        package var knownSlots = 0
        package var slots = 0
        /// Good readings and those expected, over the slots of which both are known.
        package var good = 0
        package var expected = 0

        package init() {}

        package static func + (a: Self, b: Self) -> Self {
            var sum = a
            sum.sum += b.sum
            sum.estimated += b.estimated
            sum.isEstimatedAsWhole = a.isEstimatedAsWhole || b.isEstimatedAsWhole
            sum.knownSlots += b.knownSlots
            sum.slots += b.slots
            sum.good += b.good
            sum.expected += b.expected
            return sum
        }
    }
}
