import TestSeeds
import Testing

@testable import Telemetry

@Suite("Counter steps and intervals")
struct CounterTests {
    enum Expected: Sendable {
        case increase(Double)
        case rollOver(Double)
        case reset
        case nothing
    }

    @Test(
        "a step is an increase, a roll-over, a reset, or no step at all",
        arguments: [
            (100, 100, nil, .increase(0)),
            (100, 107.5, nil, .increase(7.5)),
            (0.1, 0.3, nil, .increase(0.2)),
            (999_999.9, 1_000_000.1, 1_000_000, .increase(0.2)),
            // A roll-over needs the modulus, the top 5 % before and at most 5 % in all.
            (999_990, 10, 1_000_000, .rollOver(20)),
            (999_999.99, 0, 1_000_000, .rollOver(0.01)),
            (950_000, 0, 1_000_000, .rollOver(50_000)),
            (950_000, 1, 1_000_000, .reset),
            (949_999, 0, 1_000_000, .reset),
            (999_990, 10, nil, .reset),
            (999_990, 60_000, 1_000_000, .reset),
            // Above its modulus it was no counter of that modulus.
            (1_000_001, 10, 1_000_000, .reset),
            (500, 0, 1_000_000, .reset),
            (500, 499.9, 1_000_000, .reset),
            (999_990, -1, 1_000_000, .reset),
            (.nan, 1, nil, .nothing),
            (1, .infinity, nil, .nothing),
            (1, 1e18, nil, .nothing),
        ] as [(Double, Double, Double?, Expected)])
    func table(old: Double, new: Double, modulus: Double?, expected: Expected) {
        let step = CounterStep(
            from: old, to: new, policy: CounterPolicy(modulus: modulus, resets: .manual))
        switch (step, expected) {
        case (.increase(let amount)?, .increase(let value)),
            (.rollOver(let amount)?, .rollOver(let value)):
            #expect(amount.double == value)
        case (.reset?, .reset): #expect(step?.increase == .zero)
        case (nil, .nothing): break
        default: Issue.record("\(old) → \(new): \(String(describing: step))")
        }
    }

    @Test("the shares over any partition add up to the increase, digit for digit")
    func shares() throws {
        var random = SeededGenerator(41)
        for round in 0..<3000 {
            let modulus = 1_000_000.0
            let rollsOver = round % 3 == 0
            let old = rollsOver ? modulus - random.decimal(1...40_000) : random.decimal(0...1 << 40)
            let new = rollsOver ? 0.5 : old + random.decimal(0...1_000_000)
            let start = Timestamp(milliseconds: .random(in: -1 << 45...1 << 45, using: &random))
            let length = Int64.random(in: 1...(random.oneIn(2) ? 100 : 1 << 40), using: &random)
            let interval = try #require(
                CounterInterval(
                    from: old, at: start, to: new, at: start + .milliseconds(length),
                    policy: CounterPolicy(modulus: modulus, resets: .never)))
            if rollsOver, case .rollOver = interval.step {} else { try #require(!rollsOver) }
            // Cuts before, inside and after the interval, some equal.
            var cuts = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                start + .milliseconds(Int64.random(in: -10...length + 10, using: &random))
            }
            cuts += [start - .milliseconds(10), interval.end + .milliseconds(10)]
            cuts.sort()
            var total = ScaledInteger.zero
            for (from, to) in zip(cuts, cuts.dropFirst()) {
                let share = interval.share(from: from, to: to)
                #expect(share.mantissa >= 0)
                if !interval.overlaps(from: from, to: to) { #expect(share.mantissa == 0) }
                total = total + share
            }
            let increase = interval.step.increase
            #expect(total.rescaled(to: 9) == increase.rescaled(to: 9), "round \(round)")
        }
    }

    @Test("a share is in proportion to its time, to one step of the counter's grid")
    func proportion() throws {
        let start = Timestamp(milliseconds: 0)
        let interval = try #require(
            CounterInterval(
                from: 10, at: start, to: 11, at: start + .seconds(3600),
                policy: CounterPolicy(modulus: nil, resets: .never)))
        // A grid of whole units cannot be split: the last share takes it all.
        #expect(interval.share(from: start, to: start + .seconds(1800)).double == 0)
        #expect(
            interval.share(from: start + .seconds(1800), to: start + .seconds(3600)).double == 1)
        let fine = try #require(
            CounterInterval(
                from: 10.001, at: start, to: 11.002, at: start + .seconds(3600),
                policy: CounterPolicy(modulus: nil, resets: .never)))
        #expect(fine.share(from: start, to: start + .seconds(1800)).double == 0.5)
        #expect(
            fine.share(from: start + .seconds(1800), to: start + .seconds(3600)).double == 0.501)
    }

    @Test("an interval without length, or of what is no counter, does not exist")
    func none() {
        let time = Timestamp(milliseconds: 5)
        let policy = CounterPolicy(modulus: nil, resets: .never)
        #expect(CounterInterval(from: 1, at: time, to: 2, at: time, policy: policy) == nil)
        #expect(
            CounterInterval(from: 1, at: time, to: 2, at: time - .seconds(1), policy: policy)
                == nil)
        #expect(
            CounterInterval(from: .nan, at: time, to: 2, at: time + .seconds(1), policy: policy)
                == nil)
    }
}
