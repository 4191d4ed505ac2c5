import Glibc
import Telemetry

/// A rate that repeats every week, with a ripple, whose integral is known at every instant.
///
/// The base is linear between knots every 15 minutes of local time. The ripple consists of layers
/// of blocks; within a block it is a sum of two whole sine waves, so that it vanishes at the
/// block's ends and adds nothing over the block, and its height is a share of the lowest base in
/// the block, so that the rate keeps its sign. Hence a counter equals the integral of its rate
/// without adding anything up, and a rate that is never negative gives a counter that never falls.
struct WeekCurve: Sendable {
    private static let step: Int64 = 900_000
    private static let knotCount = Int(SiteTime.week / step)

    /// One layer of the ripple; `period` divides 15 minutes, heights of all layers add up to < 1.
    private struct Layer {
        var period: Int64
        var height: Double
        var noise: HashNoise
    }

    private let time: SiteTime
    private let knots: [Double]
    /// `integral[k]`: from Monday 00:00 to knot k, in rate × hours.
    private let integral: [Double]
    private let layers: [Layer]

    /// - Parameters:
    ///   - ripple: how far the rate strays from its base, 0 ... 0.9.
    ///   - rate: the base for a day of the week (0 = Monday) and an hour of the day.
    init(
        time: SiteTime, ripple: Double, noise: (String) -> HashNoise,
        rate: (_ day: Int, _ hour: Double) -> Double
    ) {
        self.time = time
        let knots = (0..<Self.knotCount).map { index in
            rate(index / 96, Double(index % 96) / 4)
        }
        var integral = [0.0]
        for index in knots.indices {
            let next = knots[(index + 1) % knots.count]
            integral.append(integral[index] + (knots[index] + next) / 2 * 0.25)
        }
        self.knots = knots
        self.integral = integral
        layers = [(900_000, 0.4), (180_000, 0.35), (20_000, 0.25)].map { period, share in
            Layer(period: period, height: ripple * share, noise: noise("ripple/\(period)"))
        }
    }

    /// The rate at an instant.
    func rate(at instant: Timestamp) -> Double {
        let local = time.local(instant)
        var rate = base(local)
        for layer in layers {
            let (low, phase, first, second) = block(layer, local)
            let angle = 2 * Double.pi * phase
            rate += low * layer.height * (first * sin(angle) + second * sin(2 * angle)) / 2
        }
        return rate
    }

    /// The integral from the Monday 00:00 of the epoch's week to an instant, in rate × hours.
    ///
    /// Negative before that Monday.
    func total(at instant: Timestamp) -> Double {
        let local = time.local(instant)
        let weeks = Double((local &- time.epochWeek).quotient(SiteTime.week))
        let (knot, part) = position(local)
        let hours = part * 0.25
        var total = weeks * integral[Self.knotCount] + integral[knot]
        total += (knots[knot] + base(local)) / 2 * hours
        for layer in layers {
            let (low, phase, first, second) = block(layer, local)
            let angle = 2 * Double.pi * phase
            let length = Double(layer.period) / Double(SiteTime.hour)
            let area = first * (1 - cos(angle)) + second * (1 - cos(2 * angle)) / 2
            total += low * layer.height * length * area / (2 * Double.pi) / 2
        }
        return total
    }

    /// The knot at or before an instant, and how far the instant lies towards the next, `0 ..< 1`.
    private func position(_ local: Int64) -> (knot: Int, part: Double) {
        let sinceMonday = (local &- time.epochWeek).modulo(SiteTime.week)
        return (
            Int(sinceMonday / Self.step), Double(sinceMonday % Self.step) / Double(Self.step)
        )
    }

    private func base(_ local: Int64) -> Double {
        let (knot, part) = position(local)
        let next = knot + 1 == knots.count ? 0 : knot + 1
        return knots[knot] * (1 - part) + knots[next] * part
    }

    /// The lowest base in the block of an instant, the phase in it, and the weights of its waves.
    private func block(
        _ layer: Layer, _ local: Int64
    ) -> (low: Double, phase: Double, first: Double, second: Double) {
        let into = local.modulo(layer.period)
        let start = local &- into
        // Between knots the base is linear and no block crosses a knot, so its ends bound it.
        let a = base(start)
        let b = base(start &+ layer.period)
        let index = start / layer.period
        return (
            a.magnitude < b.magnitude ? a : b, Double(into) / Double(layer.period),
            layer.noise.signed(index &* 2), layer.noise.signed(index &* 2 &+ 1)
        )
    }
}
