import Telemetry

extension Counts {
    /// What some slots come to, in whole numbers of the column's grid.
    struct Part: Hashable, Sendable {
        var sum: Int128 = 0
        /// The part of the sum that lies in estimated slots.
        var estimated: Int128 = 0
        var knownSlots = 0
        var estimatedSlots = 0
        var good = 0
        var expected = 0

        static func + (a: Self, b: Self) -> Self {
            Part(
                sum: a.sum + b.sum, estimated: a.estimated + b.estimated,
                knownSlots: a.knownSlots + b.knownSlots,
                estimatedSlots: a.estimatedSlots + b.estimatedSlots, good: a.good + b.good,
                expected: a.expected + b.expected)
        }

        static func - (a: Self, b: Self) -> Self {
            Part(
                sum: a.sum - b.sum, estimated: a.estimated - b.estimated,
                knownSlots: a.knownSlots - b.knownSlots,
                estimatedSlots: a.estimatedSlots - b.estimatedSlots, good: a.good - b.good,
                expected: a.expected - b.expected)
        }
    }

    /// Running sums at the beginning of every 32nd slot, so that a range costs its ends and not its
    /// length: a statement asks for the same year of a meter dozens of times.
    struct Sums: Sendable {
        private static let stride = 32
        private let sums: [Part]

        init(_ counts: Counts) {
            var sums = [Part()]
            sums.reserveCapacity(counts.count / Self.stride + 1)
            var end = Self.stride
            while end <= counts.count {
                sums.append(sums[sums.count - 1] + counts.part(end - Self.stride..<end))
                end += Self.stride
            }
            self.sums = sums
        }

        /// What a range of the column of which these are the sums comes to.
        func part(_ range: Range<Int>, of counts: Counts) -> Part {
            let first = (range.lowerBound + Self.stride - 1) / Self.stride
            let last = range.upperBound / Self.stride
            guard first < last, last < sums.count else { return counts.part(range) }
            return counts.part(range.lowerBound..<first * Self.stride)
                + (sums[last] - sums[first])
                + counts.part(last * Self.stride..<range.upperBound)
        }
    }

    /// Adds up the slots of a range, exactly.
    package func total(_ range: Range<Int>) -> Total { total(part(range), slots: range.count) }

    func total(_ part: Part, slots: Int) -> Total {
        var total = Total()
        total.slots = slots
        total.knownSlots = part.knownSlots
        total.good = part.good
        total.expected = part.expected
        total.sum = Exact(ScaledInteger(mantissa: part.sum, exponent: exponent))
        total.estimated = Exact(ScaledInteger(mantissa: part.estimated, exponent: exponent))
        return total
    }
}
