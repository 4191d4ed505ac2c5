import Foundation

/// SplitMix64: the same seed gives the same sequence on every machine.
struct SeededGenerator: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    /// Takes the seed from `TEST_SEED` when it is set, and prints what it took.
    init(_ standard: UInt64, function: String = #function) {
        seed = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) } ?? standard
        state = seed
        print("\(function): TEST_SEED=\(seed)")
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// True once in `n` on average.
    mutating func oneIn(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &self) == 0 }

    /// A decimal as registers give them: an integer times 10⁻⁰ … 10⁻⁴.
    mutating func decimal(_ range: ClosedRange<Int> = -1_000_000...1_000_000) -> Double {
        let scale = [1.0, 10, 100, 1000, 10_000][Int.random(in: 0..<5, using: &self)]
        return Double(Int.random(in: range, using: &self)) / scale
    }
}
