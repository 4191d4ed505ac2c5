import Telemetry

/// A construction site that exists only as a function of a seed and the time.
///
/// The world has no memory: what a device would say at an instant is computed from the seed and
/// the instant alone. So the day that is entered as history and the hours that follow over real
/// wires are one world, and the same seed gives the same site.
package struct SimulatedSite: Sendable {
    package let seed: UInt64
    /// The start of live running; history lies before it, the dust event begins shortly before.
    package let epoch: Timestamp
    package let calendar: SiteCalendar

    private let weather: SimulatedWeather
    private let north: SimulatedDust
    private let south: SimulatedDust
    private let crane: SimulatedCrane
    private let meters: SimulatedMeters
    private let inverter: SimulatedInverter

    /// - Parameters:
    ///   - calendar: only the offset at the epoch counts; the simulated site keeps no summer time.
    ///   - dustEvent: nil for a day without one.
    ///   - heavyLift: so long after the epoch or a little later the crane lifts 96 % of what it may;
    ///     nil: it does not.
    package init(
        seed: UInt64, epoch: Timestamp, calendar: SiteCalendar,
        dustEvent: DustEvent? = DustEvent(), heavyLift: Duration? = nil
    ) {
        self.seed = seed
        self.epoch = epoch
        self.calendar = calendar
        let time = SiteTime(epoch: epoch, calendar: calendar)
        weather = SimulatedWeather(seed: seed, time: time)
        north = SimulatedDust(
            seed: seed, name: "north", time: time, epoch: epoch, event: dustEvent)
        south = SimulatedDust(seed: seed, name: "south", time: time, epoch: epoch, event: nil)
        crane = SimulatedCrane(
            seed: seed, name: "crane-1", time: time, heavyAfter: heavyLift.map { epoch + $0 })
        meters = SimulatedMeters(seed: seed, time: time)
        inverter = SimulatedInverter(seed: seed, time: time)
    }

    /// The devices, in the order in which a configuration lists them.
    package static let devices = [
        SimulatedDevice(
            "meter-main", "acrel/adl3000", link: "meter-bus", .unit(1),
            parameters: ["ct_ratio": 60]),
        SimulatedDevice("meter-plant", "eastron/sdm630", link: "meter-bus", .unit(2)),
        SimulatedDevice("meter-office", "chint/dtsu666", link: "meter-bus", .unit(3)),
        SimulatedDevice("meter-living", "eastron/sdm630", link: "meter-bus", .unit(4)),
        SimulatedDevice("dust-north", "renke/louvre-500", link: "dust-bus", .unit(21)),
        SimulatedDevice("dust-south", "renke/louvre-500", link: "dust-bus", .unit(22)),
        SimulatedDevice("pv-1", "huawei/sun2000", link: "pv", .unit(1)),
        SimulatedDevice("crane-1", "deye/tower-crane-mqtt", link: "broker", .key("TC0001")),
    ]

    /// One meter of the site's tree.
    struct TreeMeter: Sendable {
        var id: String
        var parent: String?
        var device: DeviceID
        var item: String?
        var zone: String?
    }

    /// The meters from the root to the leaves.
    static let meterTree = [
        TreeMeter(id: "main", device: DeviceID("meter-main")),
        TreeMeter(
            id: "plant", parent: "main", device: DeviceID("meter-plant"), item: "special",
            zone: "plant"),
        TreeMeter(
            id: "office", parent: "main", device: DeviceID("meter-office"),
            item: "lighting-sockets", zone: "office"),
        TreeMeter(
            id: "living", parent: "main", device: DeviceID("meter-living"),
            item: "lighting-sockets", zone: "living"),
    ]

    /// What a device would say at an instant, in canonical units; empty for an unknown device.
    ///
    /// Holds every point that the world can answer for, more than any one profile asks.
    package func values(of device: DeviceID, at instant: Timestamp) -> [PointKey: Value] {
        switch device.text {
        case "meter-main": meters.values(of: .main, at: instant)
        case "meter-plant": meters.values(of: .plant, at: instant)
        case "meter-office": meters.values(of: .office, at: instant)
        case "meter-living": meters.values(of: .living, at: instant)
        case "dust-north": station(north, at: instant)
        // A few hundred metres on, the same gust comes three seconds later.
        case "dust-south": station(south, at: instant, windDelay: .seconds(3))
        case "pv-1":
            inverter.values(
                at: instant, voltages: (0..<3).map { meters.voltage(phase: $0, at: instant) },
                frequency: meters.frequency(at: instant))
        case "crane-1": crane.values(at: instant, wind: weather.windSpeed(at: instant))
        default: [:]
        }
    }

    private func station(
        _ dust: SimulatedDust, at instant: Timestamp, windDelay: Duration = .zero
    ) -> [PointKey: Value] {
        let wind = weather.windSpeed(at: instant - windDelay)
        let pm10 = dust.pm10(at: instant)
        return [
            Key.windSpeed: .number(wind),
            Key.windForce: .number(SimulatedWeather.beaufort(wind)),
            Key.windDirection: .number(weather.windDirection(at: instant - windDelay)),
            Key.temperature: .number(weather.temperature(at: instant)),
            Key.humidity: .number(weather.humidity(at: instant)),
            Key.pressure: .number(weather.pressure(at: instant)),
            Key.illuminance: .number(weather.illuminance(at: instant)),
            // The vocabulary's canonical length is the metre.
            Key.rainfall: .number(weather.rainfall(at: instant) / 1000),
            Key.soundLevel: .number(dust.soundLevel(at: instant)),
            Key.pm10: .number(pm10),
            Key.pm2_5: .number(dust.pm2_5(at: instant)),
            Key.tsp: .number(pm10 * 1.45),
        ]
    }
}
