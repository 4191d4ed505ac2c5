import Telemetry

/// What was counted, split by month, table and band: all that is needed to price it.
///
/// Splits of one grid and one range of slots add up, so that a virtual meter is split by splitting
/// the meters that it is made of.
package struct TariffSplit: Hashable, Sendable {
    /// What some slots come to, in the book's unit.
    package struct Quantity: Hashable, Sendable {
        package var sum = Exact.zero
        /// The part of it that lies in estimated slots.
        package var estimated = Exact.zero
        /// Slots whose increase is known.
        package var slots = 0

        package init(sum: Exact = .zero, estimated: Exact = .zero, slots: Int = 0) {
            self.sum = sum
            self.estimated = estimated
            self.slots = slots
        }

        package static func + (a: Self, b: Self) -> Self {
            Self(sum: a.sum + b.sum, estimated: a.estimated + b.estimated, slots: a.slots + b.slots)
        }
    }

    package internal(set) var parts: [TariffSchedule.Part: Quantity] = [:]
    /// What has no price, by the reason.
    package internal(set) var unpriced: [TariffGap: Quantity] = [:]
    /// Slots of which nobody knows what was counted, priced or not.
    package internal(set) var unknownSlots = 0
    package internal(set) var slots = 0
    /// Whether slots of the period lie outside the grid, so that what was counted there is missing.
    package internal(set) var isCutOff = false

    /// Of nothing; what a sum of splits begins with.
    package init() {}

    /// The split of `self` + `factor` × `other`, both over the same slots.
    ///
    /// Estimated parts never cancel. A slot that is unknown in both is counted twice, up to all
    /// slots: the number is then the most that can be unknown.
    package func adding(_ other: TariffSplit, times factor: Exact = .one) -> TariffSplit {
        func merge<Key>(_ mine: [Key: Quantity], _ theirs: [Key: Quantity]) -> [Key: Quantity] {
            mine.merging(
                theirs.mapValues {
                    Quantity(
                        sum: $0.sum * factor, estimated: $0.estimated * factor.magnitude,
                        slots: $0.slots)
                }
            ) {
                Quantity(
                    sum: $0.sum + $1.sum, estimated: $0.estimated + $1.estimated,
                    slots: max($0.slots, $1.slots))
            }
        }
        var sum = self
        sum.parts = merge(parts, other.parts)
        sum.unpriced = merge(unpriced, other.unpriced)
        sum.slots = max(slots, other.slots)
        sum.unknownSlots = min(sum.slots, unknownSlots + other.unknownSlots)
        sum.isCutOff = isCutOff || other.isCutOff
        return sum
    }

    /// The sum of what has a price.
    package var priced: Quantity { parts.values.reduce(Quantity()) { $0 + $1 } }

    /// The quantities by table and band, all months together, in the order of the book.
    package var bands: [(table: Int, band: Int, quantity: Quantity)] {
        var bands: [(table: Int, band: Int, quantity: Quantity)] = []
        let order = parts.sorted {
            ($0.key.table, $0.key.band, $0.key.month.first)
                < ($1.key.table, $1.key.band, $1.key.month.first)
        }
        for (part, quantity) in order {
            if let last = bands.last, last.table == part.table, last.band == part.band {
                bands[bands.count - 1].quantity = last.quantity + quantity
            } else {
                bands.append((part.table, part.band, quantity))
            }
        }
        return bands
    }
}

extension TariffSchedule {
    /// Splits the slots of a range; slots beyond the grid are left out, and slots beyond the column
    /// are unknown.
    ///
    /// Sums integers, and makes numbers of the sums only.
    package func split(_ counts: Counts, slots: Range<Int>) -> TariffSplit {
        let range = slots.clamped(to: 0..<codes.count)
        let known = range.clamped(to: 0..<counts.count)
        let places = parts.count + TariffGap.allCases.count
        var sums = Array(repeating: Int128(0), count: places)
        var estimates = sums
        var numbers = Array(repeating: 0, count: places)
        var split = TariffSplit()
        split.slots = range.count
        split.unknownSlots = range.count - known.count
        for slot in known {
            guard counts.isKnown(slot) else {
                split.unknownSlots += 1
                continue
            }
            let place = Int(codes[slot])
            let mantissa = Int128(counts.mantissa(slot))
            sums[place] += mantissa
            numbers[place] += 1
            if counts.isEstimated(slot) { estimates[place] += mantissa }
        }
        for place in 0..<places where numbers[place] > 0 {
            let quantity = TariffSplit.Quantity(
                sum: Exact(ScaledInteger(mantissa: sums[place], exponent: counts.exponent)),
                estimated: Exact(
                    ScaledInteger(mantissa: estimates[place], exponent: counts.exponent)),
                slots: numbers[place])
            if place < parts.count {
                split.parts[parts[place]] = quantity
            } else if let gap = TariffGap(rawValue: place - parts.count) {
                split.unpriced[gap] = quantity
            }
        }
        return split
    }

    /// Splits the slots of a period, and says when the grid does not have all of them.
    package func split(_ counts: Counts, period: AccountingPeriod) -> TariffSplit {
        var split = split(counts, slots: slots(of: period))
        split.isCutOff = !covers(period)
        return split
    }
}
