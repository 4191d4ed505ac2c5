import Glibc
import Telemetry

/// The air over the site: wind with gusts, temperature, humidity, pressure, light and rain.
struct SimulatedWeather: Sendable {
    private let time: SiteTime
    private let slowWind: HashNoise
    private let gusts: HashNoise
    private let direction: HashNoise
    private let air: HashNoise
    private let sky: HashNoise
    private let rain: WeekCurve

    init(seed: UInt64, time: SiteTime) {
        self.time = time
        slowWind = HashNoise(seed: seed, stream: "weather/wind")
        gusts = HashNoise(seed: seed, stream: "weather/gusts")
        direction = HashNoise(seed: seed, stream: "weather/direction")
        air = HashNoise(seed: seed, stream: "weather/air")
        sky = HashNoise(seed: seed, stream: "weather/sky")
        // Two showers a week, so that the rain gauge has something to count; mm an hour.
        rain = WeekCurve(
            time: time, ripple: 0.6, noise: { HashNoise(seed: seed, stream: "weather/rain/\($0)") }
        ) { day, hour in
            switch (day, hour) {
            case (1, 3...4.5): 3 * (1 - abs(hour - 3.75) / 0.75)
            case (4, 21...23): 5 * (1 - abs(hour - 22) / 1)
            default: 0
            }
        }
    }

    /// Wind at ten metres, m/s: the hour's wind, minutes of swell and gusts of seconds.
    func windSpeed(at instant: Timestamp) -> Double {
        let ms = instant.milliseconds
        let hour = time.hourOfDay(instant)
        // The wind rises with the warmth of the day.
        let mean =
            2.6 + 1.4 * cos((hour - 14.5) / 24 * 2 * .pi)
            + 1.3 * slowWind.smooth(ms, every: 5_400_000)
        let swell = 0.8 * gusts.smooth(ms, every: 60_000)
        let gust = max(0, gusts.smooth(ms &+ 7_000, every: 8_000) - 0.3) * 2.2
        return max(0.1, mean + swell + gust)
    }

    /// Where the wind comes from, degrees clockwise from north.
    func windDirection(at instant: Timestamp) -> Double {
        let ms = instant.milliseconds
        let degrees =
            110 + 55 * direction.smooth(ms, every: 10_800_000)
            + 14 * direction.smooth(ms, every: 45_000)
        return degrees < 0 ? degrees + 360 : degrees
    }

    /// Degrees Celsius in the shade.
    func temperature(at instant: Timestamp) -> Double {
        let hour = time.hourOfDay(instant)
        return 16 + 5.2 * cos((hour - 14.5) / 24 * 2 * .pi)
            + 1.1 * air.smooth(instant.milliseconds, every: 7_200_000)
    }

    /// Percent; moist at night, dry after noon.
    func humidity(at instant: Timestamp) -> Double {
        (64 - 2.9 * (temperature(at: instant) - 16)
            + 4 * sky.smooth(instant.milliseconds, every: 3_600_000)).clamped(15, 99)
    }

    /// Pascal at ground level.
    func pressure(at instant: Timestamp) -> Double {
        101_700 + 450 * air.smooth(instant.milliseconds, every: 6 * 3_600_000)
    }

    /// Lux on a level surface, clouds included.
    func illuminance(at instant: Timestamp) -> Double {
        let elevation = cos((time.hourOfDay(instant) - 12) / 24 * 2 * .pi)
        guard elevation > 0 else { return 0 }
        let cloud = 0.75 + 0.25 * sky.smooth(instant.milliseconds, every: 600_000)
        return 78_000 * elevation * cloud
    }

    /// Millimetres since the gauge was last emptied.
    func rainfall(at instant: Timestamp) -> Double { 118.4 + rain.total(at: instant) }

    /// The Beaufort number of a wind speed in m/s (v = 0.836 B^1.5).
    static func beaufort(_ speed: Double) -> Double {
        pow(max(0, speed) / 0.836, 2.0 / 3).rounded().clamped(0, 12)
    }
}
