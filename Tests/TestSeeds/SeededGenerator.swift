import Foundation

/// SplitMix64: the same seed gives the same sequence on every machine.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    package let seed: UInt64
    private var state: UInt64

    /// A sequence that depends on the seed alone.
    package init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// Takes the seed from `TEST_SEED` when it is set, and prints what it took.
    package init(_ standard: UInt64, function: String = #function) {
        let given = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) }
        self.init(seed: given ?? standard)
        print("\(function): TEST_SEED=\(seed)")
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// True once in `n` on average.
    package mutating func oneIn(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &self) == 0 }

    /// A decimal as registers give them: an integer times 10⁻⁰ … 10⁻⁴.
    package mutating func decimal(
        _ range: ClosedRange<Int> = -1_000_000...1_000_000
    ) -> Double {
        let scale = [1.0, 10, 100, 1000, 10_000][Int.random(in: 0..<5, using: &self)]
        return Double(Int.random(in: range, using: &self)) / scale
    }
}
