import Glibc
import Telemetry

/// Randomness without state: a number for every (seed, stream, index), the same on every call.
///
/// Nothing is remembered between calls, so yesterday and now are read from one world.
struct HashNoise: Sendable {
    private let seed: UInt64

    /// - Parameter stream: names what the numbers are for; streams do not resemble each other.
    init(seed: UInt64, stream: String) {
        // FNV-1a over the name; Swift's own Hasher differs from run to run.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in stream.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        self.seed = Self.mixed(seed &+ 0x9E37_79B9_7F4A_7C15) ^ hash
    }

    /// 64 evenly distributed bits for an index.
    func bits(_ index: Int64) -> UInt64 {
        Self.mixed(seed &+ UInt64(bitPattern: index) &* 0x9E37_79B9_7F4A_7C15)
    }

    /// A number in `0 ..< 1` for an index.
    func unit(_ index: Int64) -> Double { Double(bits(index) >> 11) * 0x1p-53 }

    /// A number in `-1 ..< 1` for an index.
    func signed(_ index: Int64) -> Double { unit(index) * 2 - 1 }

    /// A continuous function of time in `-1 ... 1` that takes a new course every `period` ms.
    func smooth(_ milliseconds: Int64, every period: Int64) -> Double {
        let phase = Double(milliseconds.modulo(period)) / Double(period)
        let index = milliseconds.quotient(period)
        // Smoothstep has no corners at the ends of a period.
        let weight = phase * phase * (3 - 2 * phase)
        return signed(index) * (1 - weight) + signed(index &+ 1) * weight
    }

    /// The finalizer of SplitMix64.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension Int64 {
    /// Division that rounds down, the partner of `modulo`.
    func quotient(_ divisor: Int64) -> Int64 { (self &- modulo(divisor)) / divisor }
}

extension Double {
    /// The nearest number with `places` decimal places.
    func rounded(places: Int) -> Double {
        let power = [1.0, 10, 100, 1000, 10_000][min(max(places, 0), 4)]
        return (self * power).rounded() / power
    }

    /// This number held within a range.
    func clamped(_ low: Double, _ high: Double) -> Double { min(max(self, low), high) }
}
