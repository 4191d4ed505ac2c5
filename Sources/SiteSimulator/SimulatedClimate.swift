import Glibc
import Telemetry

/// The outdoor temperature of a simulated year, and what heating and cooling take of it.
///
/// A day has a mean (a course over the year, and weather of its own) and swings about it; the
/// living quarters are heated when the mean lies below 18 °C and cooled above 26 °C, with a power
/// that holds all day. Of the site's time as `SiteTime` has it: a day has 24 hours.
struct SimulatedClimate: Sendable {
    private let time: SiteTime
    private let firstDay: Int64
    /// The mean of each day in °C.
    private let means: [Double]
    /// What heating and cooling took from the first midnight to that of each day, in kWh.
    private let energies: [Double]

    private static let heatedBelow = 18.0
    private static let cooledAbove = 26.0
    /// In kW for each kelvin.
    private static let heating = 0.45
    private static let cooling = 0.8

    /// - Parameter from: the first instant of the year.
    init(seed: UInt64, from: Timestamp, time: SiteTime) {
        self.time = time
        firstDay = time.local(from).quotient(SiteTime.day)
        let noise = HashNoise(seed: seed, stream: "year/climate")
        // A day more than a leap year, for the instant after its last.
        means = (0..<368).map { day in
            16 - 13 * cos(Double(day - 20) / 365 * 2 * .pi) + 3 * noise.signed(Int64(day))
        }
        var energies = [0.0]
        for mean in means { energies.append(energies[energies.count - 1] + 24 * Self.power(mean)) }
        self.energies = energies
    }

    /// In kW on a day of this mean.
    private static func power(_ mean: Double) -> Double {
        heating * max(0, heatedBelow - mean) + cooling * max(0, mean - cooledAbove)
    }

    private func day(_ instant: Timestamp) -> Int {
        let day = Int(time.local(instant).quotient(SiteTime.day) - firstDay)
        return min(max(day, 0), means.count - 1)
    }

    /// In °C; the swing adds nothing to the mean of 24 readings on the hour.
    func temperature(at instant: Timestamp) -> Double {
        means[day(instant)] + 4.5 * cos((time.hourOfDay(instant) - 14.5) / 24 * 2 * .pi)
    }

    /// What heating and cooling took since the beginning of the year, in kWh.
    func energy(at instant: Timestamp) -> Double {
        let day = day(instant)
        return energies[day] + time.hourOfDay(instant) * Self.power(means[day])
    }
}
