import Glibc
import Telemetry

/// One tower crane: from six to twenty it lifts, in cycles of six minutes, some of them left out.
///
///     hook on ─▶ hoist ─▶ slew and trolley ─▶ lower ─▶ hook off ─▶ hoist, back, lower
///
/// Every cycle begins and ends at the same place, so cycles need not know each other.
struct SimulatedCrane: Sendable {
    /// What the crane is built for; the figures of a middle-sized jib crane.
    private enum Build {
        /// Tonne-metres at which the load moment is 100 %.
        static let moment = 80.0
        /// Tonnes that the rope carries at most, whatever the radius.
        static let greatestLoad = 6.0
        /// The hook block without a load, in tonnes.
        static let hook = 0.08
        static let yardRadius = 16.0
        static let yardAngle = 35.0
        static let parkHeight = 22.0
        /// Settings of its monitor.
        static let momentWarning = 0.9
        static let momentAlarm = 1.05
        static let windWarning = 10.8
        static let windAlarm = 13.8
    }

    private static let cycle: Int64 = 360_000
    private let time: SiteTime
    private let noise: HashNoise
    /// The cycle in which it lifts more than it should; nil: none.
    private let heavyCycle: Int64?

    /// Where the hook is and what hangs on it.
    struct State {
        /// Tonnes.
        var load = Build.hook
        /// Metres from the slewing axis.
        var radius = Build.yardRadius
        /// Metres above the crane's base.
        var height = Build.parkHeight
        /// Degrees.
        var angle = Build.yardAngle
    }

    /// - Parameter heavyAfter: the first cycle whose load is at its farthest after this instant
    ///   lifts up to 96 % of the rated moment, at any hour; nil: every lift is as it comes.
    init(seed: UInt64, name: String, time: SiteTime, heavyAfter: Timestamp? = nil) {
        self.time = time
        noise = HashNoise(seed: seed, stream: "crane/\(name)")
        // The load has reached its place 170 s into its cycle.
        heavyCycle = heavyAfter.map {
            (time.local($0) &- 170_000 &+ Self.cycle &- 1).quotient(Self.cycle)
        }
    }

    /// The state at an instant.
    func state(at instant: Timestamp) -> State {
        let local = time.local(instant)
        let index = local.quotient(Self.cycle)
        let hour = Double((index &* Self.cycle).modulo(SiteTime.day)) / Double(SiteTime.hour)
        let isShift = hour >= 6 && hour < 20 && !(hour >= 11.5 && hour < 12.5)
        let isHeavy = index == heavyCycle
        guard isHeavy || (isShift && noise.unit(index &* 8) < 0.85) else { return State() }
        let radius = isHeavy ? 40 : 18 + 32 * noise.unit(index &* 8 &+ 1)
        let angle = 95 + 220 * noise.unit(index &* 8 &+ 2)
        let floor = 12 + 40 * noise.unit(index &* 8 &+ 3)
        let capacity = Self.ratedLoad(radius: radius)
        let share = isHeavy ? 0.96 : 0.3 + 0.64 * noise.unit(index &* 8 &+ 4)
        let load = Build.hook + (capacity - Build.hook) * share
        let seconds = Double(local.modulo(Self.cycle)) / 1000
        let travel = max(floor, Build.parkHeight) + 8

        var state = State()
        state.load =
            Build.hook + (load - Build.hook) * (ramp(seconds, 38, 46) - ramp(seconds, 222, 232))
        state.radius +=
            (radius - state.radius) * (ramp(seconds, 120, 170) - ramp(seconds, 275, 320))
        state.angle += (angle - state.angle) * (ramp(seconds, 105, 178) - ramp(seconds, 262, 330))
        state.height = path(
            seconds,
            [
                (0, Build.parkHeight), (22, 1.5), (48, 1.5), (105, travel), (178, travel),
                (205, floor + 1), (236, floor + 1), (262, travel), (330, travel),
                (350, Build.parkHeight),
            ])
        return state
    }

    /// Everything that the crane's monitor says.
    func values(at instant: Timestamp, wind: Double) -> [PointKey: Value] {
        let state = state(at: instant)
        let rated = Self.ratedLoad(radius: state.radius)
        let moment = state.load * state.radius / Build.moment
        // The anemometer sits on the tower head, where the wind is a third stronger.
        let headWind = (wind * 1.35).rounded(places: 1)
        let tilt =
            0.12 + 0.0009 * state.load * state.radius
            + 0.02 * noise.smooth(instant.milliseconds, every: 4_000)
        return [
            Key.loadMass: .number((state.load * 1000).rounded()),
            Key.ratedLoadMass: .number((rated * 1000).rounded()),
            Key.loadRatio: .number((state.load / rated).rounded(places: 3)),
            Key.momentRatio: .number(moment.rounded(places: 3)),
            Key.radius: .number(state.radius.rounded(places: 2)),
            Key.height: .number(state.height.rounded(places: 2)),
            Key.slewAngle: .number(state.angle.rounded(places: 1)),
            Key.tiltX: .number(tilt.rounded(places: 2)),
            Key.windSpeed: .number(headWind),
            Key.windForce: .number(SimulatedWeather.beaufort(headWind)),
            Key.ropeFalls: .number(2),
            Key.workStatus: .text("working"),
            Key.alarmLoad: Self.alarm(state.load / rated, Build.momentWarning, Build.momentAlarm),
            Key.alarmMoment: Self.alarm(moment, Build.momentWarning, Build.momentAlarm),
            Key.alarmWind: Self.alarm(headWind, Build.windWarning, Build.windAlarm),
            Key.alarmHeight: .text("normal"), Key.alarmRadiusInner: .text("normal"),
            Key.alarmRadiusOuter: .text("normal"), Key.alarmSlewLeft: .text("normal"),
            Key.alarmSlewRight: .text("normal"), Key.alarmTilt: .text("normal"),
            Key.alarmCollision: .text("normal"), Key.alarmNoEntry: .text("normal"),
        ]
    }

    /// Tonnes that may hang at a radius.
    static func ratedLoad(radius: Double) -> Double {
        min(Build.greatestLoad, Build.moment / max(radius, 1))
    }

    private static func alarm(_ value: Double, _ warning: Double, _ alarm: Double) -> Value {
        .text(value >= alarm ? "alarm" : value >= warning ? "warning" : "normal")
    }

    /// 0 before `start`, 1 after `end`, smooth between.
    private func ramp(_ now: Double, _ start: Double, _ end: Double) -> Double {
        let part = ((now - start) / (end - start)).clamped(0, 1)
        return part * part * (3 - 2 * part)
    }

    /// The height at a second of the cycle, along points in ascending order of time.
    private func path(_ now: Double, _ points: [(at: Double, height: Double)]) -> Double {
        var height = points[0].height
        for (from, to) in zip(points, points.dropFirst()) where now > from.at {
            height += (to.height - from.height) * ramp(now, from.at, to.at)
        }
        return height
    }
}
