import Glibc
import Telemetry

/// A photovoltaic inverter on a roof that feeds into the grid behind a meter of its own.
///
/// It is no part of the meter tree: what it exports does not pass the main meter. By the
/// vocabulary's sign its active power is negative, for it flows towards the grid.
struct SimulatedInverter: Sendable {
    private static let peakKilowatts = 62.0
    private static let tangent = 0.05
    private static let efficiency = 0.975
    private let curve: WeekCurve

    init(seed: UInt64, time: SiteTime) {
        let days = HashNoise(seed: seed, stream: "inverter/days")
        curve = WeekCurve(
            time: time, ripple: 0.85,
            noise: { HashNoise(seed: seed, stream: "inverter/\($0)") },
            rate: { day, hour in
                let elevation = sin((hour - 6.25) / 11.25 * .pi)
                guard hour > 6.25, hour < 17.5, elevation > 0 else { return 0 }
                return Self.peakKilowatts * elevation * (0.45 + 0.5 * days.unit(Int64(day)))
            })
    }

    /// Watts towards the grid, never negative.
    func power(at instant: Timestamp) -> Double { curve.rate(at: instant) * 1000 }

    /// kWh since the inverter was put up.
    func yield(at instant: Timestamp) -> Double { 21_764.3 + curve.total(at: instant) }

    /// Everything that the inverter says.
    func values(
        at instant: Timestamp, voltages: [Double], frequency: Double
    ) -> [PointKey: Value] {
        let power = power(at: instant)
        let apparent = power * (1 + Self.tangent * Self.tangent).squareRoot()
        var values: [PointKey: Value] = [
            // Zero is written without a sign.
            Key.activePowerTotal: .number(0 - power),
            Key.directCurrentPower: .number(power / Self.efficiency),
            Key.reactivePowerTotal: .number(power * Self.tangent),
            Key.apparentPowerTotal: .number(apparent),
            Key.powerFactorTotal: .number(apparent > 0 ? power / apparent : 1),
            Key.energyExportTotal: .number(yield(at: instant)),
            Key.energyImportTotal: .number(0),
            Key.frequency: .number(frequency),
        ]
        for phase in 0..<3 {
            values[Key.voltage[phase]] = .number(voltages[phase])
            values[Key.current[phase]] = .number(apparent / 3 / voltages[phase])
            values[Key.activePower[phase]] = .number(0 - power / 3)
        }
        return values
    }
}
