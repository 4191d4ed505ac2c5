import Telemetry

/// A year of meters that misbehave as real ones do, and what they truly counted.
///
/// The consumers are those of the simulated site; between them and what the gateway reads stand
/// registers that are exchanged, fall back, roll over and fall silent. What every register showed
/// is the truth from which statements can be worked out by somebody else.
package struct SimulatedYear: Sendable {
    /// One counter as it is read.
    package struct Register: Sendable {
        package var device: DeviceID
        /// Where the register begins again, in kWh; nil never.
        package var modulus: Double?
        /// Exchanged for a new one that begins at nought, with what the old one showed last.
        package var exchange: (at: Timestamp, oldEnd: Double)?
        /// Set back to nought without anybody writing it down.
        package var reset: Timestamp?
        /// Spans without a reading.
        package var silences: [Range<Timestamp>]
        fileprivate var truth: @Sendable (Timestamp) -> Double
    }

    /// How often a register is read.
    package static let period = Duration.seconds(900)

    /// The outdoor thermometer: what it shows, and how often it is read.
    package static let thermometer = SeriesID(
        device: DeviceID("station-1"), point: Key.temperature)
    package static let thermometerPeriod = Duration.seconds(3600)

    package let registers: [Register]
    private let climate: SimulatedClimate
    /// Spans without a reading of the thermometer.
    private let thermometerSilences: [Range<Timestamp>]
    package let from: Timestamp
    package let to: Timestamp

    /// The year of a seeded site on a calendar.
    ///
    /// The living quarters' meter is set back in August; the office's is exchanged in May; the
    /// plant's rolls over at 100,000; the main meter is silent for two days in October, in
    /// which the clocks change in some years, the plant's for some hours in March, the roof's for a day in June.
    /// The living quarters are heated and cooled with the weather; the thermometer is silent for
    /// four hours in February and for more than a day in April and in November.
    package init(seed: UInt64, year: Int, calendar: SiteCalendar) {
        func instant(_ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0) -> Timestamp {
            calendar.timestamp(
                CivilTime(year: year, month: month, day: day, hour: hour, minute: minute))
        }
        from = instant(1, 1)
        to = calendar.timestamp(CivilTime(year: year + 1, month: 1, day: 1))
        let site = SimulatedSite(seed: seed, epoch: from, calendar: calendar, dustEvent: nil)
        func counter(_ device: String, _ key: PointKey) -> @Sendable (Timestamp) -> Double {
            { site.values(of: DeviceID(device), at: $0)[key]?.number ?? 0 }
        }
        func register(
            _ name: String, modulus: Double? = nil,
            _ truth: @escaping @Sendable (Timestamp) -> Double
        ) -> Register {
            Register(device: DeviceID(name), modulus: modulus, silences: [], truth: truth)
        }
        let climate = SimulatedClimate(
            seed: seed, from: from, time: SiteTime(epoch: from, calendar: calendar))
        self.climate = climate
        thermometerSilences = [
            instant(2, 9, 3)..<instant(2, 9, 7), instant(4, 3, 1)..<instant(4, 4, 9),
            instant(11, 18, 2)..<instant(11, 19, 11),
        ]
        /// A consumer with the climate's part.
        func withClimate(_ device: String) -> @Sendable (Timestamp) -> Double {
            let counted = counter(device, Key.energyImportTotal)
            return { counted($0) + climate.energy(at: $0) }
        }
        let (importKey, exportKey) = (Key.energyImportTotal, Key.energyExportTotal)
        var plant = register("meter-plant", modulus: 100_000, counter("meter-plant", importKey))
        plant.silences = [instant(3, 11, 2, 20)..<instant(3, 11, 9, 50)]
        var office = register("meter-office", counter("meter-office", importKey))
        let exchanged = instant(5, 12, 10, 7)
        office.exchange = (exchanged, Self.shown(office.truth(exchanged)))
        var living = register("meter-living", withClimate("meter-living"))
        living.reset = instant(8, 3, 13, 40)
        var main = register("meter-main", withClimate("meter-main"))
        main.silences = [instant(10, 24, 20, 5)..<instant(10, 27, 2, 5)]
        var roof = register("pv-1", counter("pv-1", exportKey))
        roof.silences = [instant(6, 20, 6, 40)..<instant(6, 21, 6, 40)]
        registers = [main, plant, office, living, roof]
    }

    /// What a register shows has two places.
    private static func shown(_ value: Double) -> Double { (value * 100).rounded() / 100 }

    /// What a register shows at an instant; nil while it is silent.
    package func reading(of register: Register, at instant: Timestamp) -> Double? {
        if register.silences.contains(where: { $0.contains(instant) }) { return nil }
        var value = register.truth(instant)
        if let exchange = register.exchange, exchange.at <= instant {
            value -= register.truth(exchange.at)
        }
        if let reset = register.reset, reset <= instant { value -= register.truth(reset) }
        if let modulus = register.modulus {
            value -= (value / modulus).rounded(.down) * modulus
        }
        return Self.shown(value)
    }

    /// What the thermometer shows at an instant, in °C with one place; nil while it is silent.
    package func temperature(at instant: Timestamp) -> Double? {
        thermometerSilences.contains { $0.contains(instant) }
            ? nil : (climate.temperature(at: instant) * 10).rounded() / 10
    }

    /// The instants at which the thermometer is read.
    package var thermometerInstants: [Timestamp] {
        instants.filter {
            ($0 - from).milliseconds % Self.thermometerPeriod.milliseconds == 0
        }
    }

    /// The instants at which registers are read, the first of the year and the first after it.
    package var instants: [Timestamp] {
        var instants: [Timestamp] = []
        var time = from
        while time <= to {
            instants.append(time)
            time = time + Self.period
        }
        return instants
    }
}
