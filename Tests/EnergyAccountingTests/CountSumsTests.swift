import Telemetry
import TestSeeds
import Testing

@testable import EnergyAccounting

@Suite("Running sums of a column")
struct CountSumsTests {
    @Test(
        "say of every range what its slots say one by one", arguments: [0, 1, 31, 32, 33, 64, 300])
    func ranges(count: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var counts = Counts(count: count)
        for slot in 0..<count where Int.random(in: 0..<6, using: &random) > 0 {
            counts[slot] = Counts.Slot(
                increase: Bool.random(using: &random)
                    ? ScaledInteger(
                        mantissa: Int128(Int.random(in: -9...9_999, using: &random)),
                        exponent: slot % 3) : nil,
                isEstimated: Int.random(in: 0..<4, using: &random) == 0,
                good: Int.random(in: 0...5, using: &random),
                expected: Bool.random(using: &random) ? 4 : nil)
        }
        let sums = Counts.Sums(counts)
        for _ in 0..<400 {
            let low = Int.random(in: 0...count, using: &random)
            let high = Int.random(in: low...count, using: &random)
            var sum = Exact.zero
            var (known, estimated, good, expected) = (0, 0, 0, 0)
            for slot in low..<high {
                if let increase = counts[slot].increase {
                    sum += Exact(increase)
                    known += 1
                    if counts[slot].isEstimated { estimated += 1 }
                }
                if let due = counts[slot].expected {
                    good += min(counts[slot].good, due)
                    expected += due
                }
            }
            let part = sums.part(low..<high, of: counts)
            let total = counts.total(part, slots: high - low)
            #expect(part == counts.part(low..<high), "seed \(seed), \(low)..<\(high)")
            #expect(total.sum == sum, "seed \(seed), \(low)..<\(high)")
            #expect(part.knownSlots == known && part.estimatedSlots == estimated)
            #expect(total.good == good && total.expected == expected)
        }
    }
}
