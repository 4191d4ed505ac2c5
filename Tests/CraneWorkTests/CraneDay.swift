import CraneWork
import Glibc
import Telemetry
import TestSeeds

/// A working day of a crane of which it is known what was lifted when.
///
/// The day is a list of legs, each a stretch of time over which load, height, radius and slewing go
/// evenly from where they were to where they shall be. It is read with the faults of real monitors.
/// Nothing of it knows how lifts are found.
struct CraneDay {
    struct TrueLift {
        /// From the first kilogram on the hook to the last one off it, in seconds.
        var start: Double
        var end: Double
        /// Tonnes.
        var load: Double
        /// Whether readings were missing for so long that nobody could tell.
        var isHidden = false
        /// Whether a short spell without readings fell on the start or the end.
        var isBlurred = false
    }

    struct Leg {
        var start: Double
        var seconds: Double
        var from: Pose
        var to: Pose
        var isSwinging = false
        var isMovingEmpty = false
    }

    struct Pose {
        var load = 0.0
        var height = 15.0
        var radius = 25.0
        var slew = 40.0
    }

    let seed: UInt64
    /// Seconds between two readings.
    let period: Double
    private(set) var lifts: [TrueLift] = []
    private(set) var instants: [CraneInstant] = []

    private var random: SeededGenerator
    private var legs: [Leg] = []
    private var pose = Pose()
    private var now = 23_400.0
    /// Silences of minutes.
    private var silences: [(start: Double, end: Double)] = []

    private static let end = 66_600.0

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        period = [1, 2, 5, 10][Int(seed % 4)]
        pose.slew = uniform(0, 360)
        while now < Self.end { act() }
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let start = uniform(24_000, 66_000)
            silences.append((start, start + uniform(100, 600)))
        }
        for index in lifts.indices {
            lifts[index].isHidden = silences.contains {
                $0.start < lifts[index].end + 20 && $0.end > lifts[index].start - 20
            }
        }
        read()
    }

    private mutating func uniform(_ low: Double, _ high: Double) -> Double {
        Double.random(in: low...high, using: &random)
    }

    /// Stretches of the day in which something is wrong, ascending.
    private struct Spells {
        var all: [ClosedRange<Double>]
        var next = 0

        mutating func cover(_ time: Double) -> Bool {
            while next < all.count, all[next].upperBound < time { next += 1 }
            return next < all.count && all[next].contains(time)
        }
    }

    /// Spells that begin once in `interval` seconds on average and last for `length`.
    private mutating func spells(
        every interval: Double, lasting length: ClosedRange<Double>
    ) -> Spells {
        var all: [ClosedRange<Double>] = []
        var time = legs[0].start + uniform(0, 2 * interval)
        while time < now {
            all.append(time...time + uniform(length.lowerBound, length.upperBound))
            time += length.upperBound + uniform(0, 2 * interval)
        }
        return Spells(all: all)
    }

    // MARK: What happens

    private mutating func act() {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<4: stay(uniform(30, 900))
        case 4..<7: moveEmpty()
        case 7:
            // The hook block rests on the ground, and the rope goes slack.
            go(10) { $0.load = -0.25 }
            stay(uniform(60, 600))
            go(10) { $0.load = 0 }
        case 8:
            // Something is tightened, and nothing moves.
            let load = uniform(0.4, 3)
            go(4) { $0.load = load }
            stay(uniform(20, 120))
            go(4) { $0.load = 0 }
            stay(uniform(30, 90))
        case 9..<12:
            // Lifts in quick succession: the next one hangs ready.
            for _ in 0..<Int.random(in: 2...5, using: &random) {
                lift()
                stay(uniform(27, 50))
            }
        default:
            lift()
            stay(uniform(40, 400))
        }
    }

    private mutating func lift() {
        let load = uniform(0.5, 8)
        let start = now
        let length = uniform(55, 590)
        let isInParts = random.oneIn(6)
        go(uniform(2, 6)) { $0.load = load }
        stay(uniform(2, 8), isSwinging: true)
        let up = uniform(4, 40)
        go(length * 0.25, isSwinging: true) { $0.height += up }
        let turn = uniform(-150, 150)
        let radius = uniform(8, 50)
        go(length * 0.35, isSwinging: true) {
            $0.slew += turn
            $0.radius = radius
        }
        let down = uniform(2, up + 3)
        go(length * 0.2, isSwinging: true) { $0.height = max(0, $0.height - down) }
        if isInParts {
            // Half of it is set down, the rest goes on.
            let rest = max(0.45, load * uniform(0.4, 0.7))
            go(5) { $0.load = min(load, rest) }
            go(length * 0.1) { $0.slew += 12 }
        }
        stay(length * 0.1)
        go(uniform(2, 5)) { $0.load = 0 }
        lifts.append(TrueLift(start: start, end: now, load: load))
        if random.oneIn(2) { moveEmpty() }
    }

    private mutating func moveEmpty() {
        let height = uniform(2, 45)
        let radius = uniform(6, 50)
        let turn = uniform(-170, 170)
        go(uniform(20, 120), isMovingEmpty: true) {
            $0.height = height
            $0.radius = radius
            $0.slew += turn
        }
    }

    private mutating func stay(_ seconds: Double, isSwinging: Bool = false) {
        go(seconds, isSwinging: isSwinging) { _ in }
    }

    private mutating func go(
        _ seconds: Double, isSwinging: Bool = false, isMovingEmpty: Bool = false,
        _ change: (inout Pose) -> Void
    ) {
        var to = pose
        change(&to)
        legs.append(
            Leg(
                start: now, seconds: seconds, from: pose, to: to, isSwinging: isSwinging,
                isMovingEmpty: isMovingEmpty))
        pose = to
        now += seconds
    }

    // MARK: What is read of it

    private mutating func read() {
        let drift = uniform(-0.2, 0.2)
        let offset = uniform(-0.08, 0.08)
        var silent = spells(every: 7200, lasting: 10...45)
        var bad = spells(every: 7200, lasting: 1...40)
        for index in lifts.indices {
            lifts[index].isBlurred = (silent.all + bad.all).contains { spell in
                [lifts[index].start, lifts[index].end].contains {
                    spell.contains($0) || spell.contains($0 + 12) || spell.contains($0 + 6)
                }
            }
        }
        // A box that has lost its sensor for a moment sends zeros.
        var zeros = spells(every: 1800, lasting: 0.5...5)
        // A swinging hook reads heavy.
        var swings = spells(every: 120, lasting: 0.5...2)
        var leg = 0
        var time = legs[0].start
        while leg < legs.count {
            defer { time += period }
            while leg < legs.count, time >= legs[leg].start + legs[leg].seconds { leg += 1 }
            guard leg < legs.count else { break }
            guard !silent.cover(time),
                !silences.contains(where: { $0.start <= time && time < $0.end })
            else { continue }
            let truth = pose(of: legs[leg], at: time)
            let day = (time - legs[0].start) / (Self.end - legs[0].start)
            var load = truth.load + offset + drift * day + uniform(-0.05, 0.05)
            if legs[leg].isSwinging { load *= 1 + 0.05 * sin(time * 1.05) }
            if swings.cover(time), legs[leg].isMovingEmpty { load += uniform(0.3, 0.7) }
            if random.oneIn(1500) { load += uniform(0.5, 9) }
            if zeros.cover(time) { load = 0 }
            var instant = CraneInstant(
                time: at(time), load: bad.cover(time) ? nil : (load * 100).rounded() / 100,
                hookHeight: truth.height + uniform(-0.1, 0.1),
                radius: truth.radius + uniform(-0.05, 0.05),
                slewAngle: wrapped(truth.slew + uniform(-0.2, 0.2)), windSpeed: uniform(0, 9))
            if random.oneIn(400) { instant.hookHeight = random.oneIn(2) ? nil : 0 }
            if random.oneIn(400) { instant.slewAngle = random.oneIn(2) ? nil : 0 }
            if random.oneIn(400) { instant.radius = nil }
            append(instant)
        }
    }

    /// Repeats a clock's second now and then, and lets an instant come late.
    private mutating func append(_ instant: CraneInstant) {
        var instant = instant
        if random.oneIn(1000), let last = instants.last { instant.time = last.time }
        instants.append(instant)
        if random.oneIn(1000), instants.count > 3 {
            var late = instants[instants.count - 3]
            late.load = uniform(0, 8)
            instants.append(late)
        }
    }

    private func pose(of leg: Leg, at time: Double) -> Pose {
        let part = (time - leg.start) / leg.seconds
        func between(_ path: KeyPath<Pose, Double>) -> Double {
            leg.from[keyPath: path] * (1 - part) + leg.to[keyPath: path] * part
        }
        return Pose(
            load: between(\.load), height: between(\.height), radius: between(\.radius),
            slew: between(\.slew))
    }

    private func wrapped(_ angle: Double) -> Double {
        let turn = angle.truncatingRemainder(dividingBy: 360)
        return turn < 0 ? turn + 360 : turn
    }
}
