import Glibc
import Telemetry

/// The electricity of the site: three consumers, and the main meter that is their sum.
///
/// Powers in W, energies in kWh. The main meter holds no numbers of its own: at every instant its
/// power and its counters are plant + office + living, added in this order.
struct SimulatedMeters: Sendable {
    /// A meter's momentary state, per phase.
    struct State {
        var power = [0.0, 0, 0]
        var reactivePower = [0.0, 0, 0]
        var powerTotal = 0.0
        var reactivePowerTotal = 0.0
        var energy = [0.0, 0, 0]
        var energyTotal = 0.0
        var reactiveEnergyTotal = 0.0

        static func + (a: Self, b: Self) -> Self {
            var sum = a
            for phase in 0..<3 {
                sum.power[phase] += b.power[phase]
                sum.reactivePower[phase] += b.reactivePower[phase]
                sum.energy[phase] += b.energy[phase]
            }
            sum.powerTotal += b.powerTotal
            sum.reactivePowerTotal += b.reactivePowerTotal
            sum.energyTotal += b.energyTotal
            sum.reactiveEnergyTotal += b.reactiveEnergyTotal
            return sum
        }
    }

    /// One consumer: kilowatts over the week, how they lie on the phases, and the counter's past.
    private struct Consumer {
        var curve: WeekCurve
        var shares: [Double]
        /// Reactive over active power.
        var tangent: Double
        /// kWh on the counter at the Monday of the epoch's week.
        var start: Double

        func state(at instant: Timestamp) -> State {
            let watts = curve.rate(at: instant) * 1000
            let energy = start + curve.total(at: instant)
            return State(
                power: shares.map { $0 * watts },
                reactivePower: shares.map { $0 * watts * tangent }, powerTotal: watts,
                reactivePowerTotal: watts * tangent, energy: shares.map { $0 * energy },
                energyTotal: energy, reactiveEnergyTotal: energy * tangent)
        }
    }

    private let plant: Consumer
    private let office: Consumer
    private let living: Consumer
    private let grid: HashNoise

    init(seed: UInt64, time: SiteTime) {
        func noise(_ name: String) -> (String) -> HashNoise {
            { HashNoise(seed: seed, stream: "meter/\(name)/\($0)") }
        }
        grid = HashNoise(seed: seed, stream: "grid")
        // Cranes, hoists, pumps, welding: a long day shift, a lunch break, half a shift on Sunday.
        plant = Consumer(
            curve: WeekCurve(time: time, ripple: 0.75, noise: noise("plant")) { day, hour in
                let shift: Double =
                    switch hour {
                    case 6..<7: 0.45
                    case 7..<11.5: 1
                    case 11.5..<12.75: 0.4
                    case 12.75..<18: 0.95
                    case 18..<20: 0.55
                    default: 0.06
                    }
                return 8 + 112 * shift * (day == 6 ? 0.5 : 1)
            }, shares: [0.36, 0.33, 0.31], tangent: 0.62, start: 84_213.4)
        office = Consumer(
            curve: WeekCurve(time: time, ripple: 0.4, noise: noise("office")) { day, hour in
                let open: Double =
                    switch hour {
                    case 7.5..<8.5: 0.6
                    case 8.5..<17.5: 1
                    case 17.5..<21: 0.45
                    default: 0.1
                    }
                return 1.2 + 13 * open * (day == 6 ? 0.3 : day == 5 ? 0.7 : 1)
            }, shares: [0.4, 0.35, 0.25], tangent: 0.33, start: 9_871.2)
        // The dormitories: mornings, noon and evenings, more on a Sunday.
        living = Consumer(
            curve: WeekCurve(time: time, ripple: 0.5, noise: noise("living")) { day, hour in
                let home: Double =
                    switch hour {
                    case 5..<6.75: 0.7
                    case 11.5..<13: 0.75
                    case 18..<22.5: 1
                    case 22.5..<24: 0.45
                    case 0..<5: 0.3
                    default: day == 6 ? 0.6 : 0.22
                    }
                return 2 + 24 * home
            }, shares: [0.3, 0.36, 0.34], tangent: 0.2, start: 15_402.8)
    }

    /// The name of each meter, in the order in which devices are listed.
    enum Meter { case main, plant, office, living }

    /// What a meter measures at an instant.
    func state(of meter: Meter, at instant: Timestamp) -> State {
        switch meter {
        case .main:
            plant.state(at: instant) + office.state(at: instant) + living.state(at: instant)
        case .plant: plant.state(at: instant)
        case .office: office.state(at: instant)
        case .living: living.state(at: instant)
        }
    }

    /// Volts between a phase and the neutral conductor.
    func voltage(phase: Int, at instant: Timestamp) -> Double {
        226 + 3.5 * grid.smooth(instant.milliseconds, every: 1_200_000)
            + 0.8 * grid.smooth(instant.milliseconds &+ Int64(phase) * 9_973, every: 15_000)
    }

    /// Hertz.
    func frequency(at instant: Timestamp) -> Double {
        50 + 0.03 * grid.smooth(instant.milliseconds &+ 1, every: 20_000)
    }

    /// Everything that the meter says.
    func values(of meter: Meter, at instant: Timestamp) -> [PointKey: Value] {
        let state = state(of: meter, at: instant)
        var values: [PointKey: Value] = [:]
        values.reserveCapacity(40)
        for phase in 0..<3 {
            let volts = voltage(phase: phase, at: instant)
            let (p, q) = (state.power[phase], state.reactivePower[phase])
            let apparent = (p * p + q * q).squareRoot()
            values[Key.voltage[phase]] = .number(volts)
            values[Key.current[phase]] = .number(apparent / volts)
            values[Key.activePower[phase]] = .number(p)
            values[Key.reactivePower[phase]] = .number(q)
            values[Key.apparentPower[phase]] = .number(apparent)
            values[Key.powerFactor[phase]] = .number(apparent > 0 ? p / apparent : 1)
            values[Key.energyImport[phase]] = .number(state.energy[phase])
            values[Key.energyExport[phase]] = .number(0)
        }
        let (p, q) = (state.powerTotal, state.reactivePowerTotal)
        let apparent = (p * p + q * q).squareRoot()
        values[Key.activePowerTotal] = .number(p)
        values[Key.reactivePowerTotal] = .number(q)
        values[Key.apparentPowerTotal] = .number(apparent)
        values[Key.powerFactorTotal] = .number(apparent > 0 ? p / apparent : 1)
        values[Key.frequency] = .number(frequency(at: instant))
        values[Key.energyImportTotal] = .number(state.energyTotal)
        values[Key.energyExportTotal] = .number(0)
        values[Key.energyBothTotal] = .number(state.energyTotal)
        values[Key.energyNetTotal] = .number(state.energyTotal)
        values[Key.reactiveEnergyImportTotal] = .number(state.reactiveEnergyTotal)
        values[Key.reactiveEnergyExportTotal] = .number(0)
        values[Key.reactiveEnergyBothTotal] = .number(state.reactiveEnergyTotal)
        return values
    }
}
