import Glibc
import Telemetry

/// How the dust event lies in time, relative to the epoch.
package struct DustEvent: Hashable, Sendable {
    /// How long before the epoch the dust begins to rise; held within 6 to 60 minutes.
    package var lead: Duration
    /// When, after the epoch, the rolling 15-minute mean of PM10 passes `threshold`.
    package var crossing: Duration
    /// µg/m³ that the rolling mean passes.
    package var threshold: Double
    /// µg/m³ at the height of the event.
    package var peak: Double
    /// How long after the epoch the dust stays at its height.
    package var lasting: Duration

    package init(
        lead: Duration = .seconds(720), crossing: Duration = .seconds(75),
        threshold: Double = 150, peak: Double = 300, lasting: Duration = .seconds(1500)
    ) {
        self.lead = lead
        self.crossing = crossing
        self.threshold = threshold
        self.peak = peak
        self.lasting = lasting
    }
}

/// The dust at one station: a day's course, one passing lorry, and at most one event.
struct SimulatedDust: Sendable {
    private let time: SiteTime
    private let noise: HashNoise
    private let level: Double
    /// A lorry passes: half a minute up, a minute down. It must not move a 15-minute mean far.
    private let lorry: Timestamp
    private let event: Course?

    /// An event as it is played: up in a straight line, level, and down exponentially.
    private struct Course {
        var start: Timestamp
        var from: Double
        var peak: Double
        /// Milliseconds from the start to the height.
        var rise: Double
        /// Where the decay begins.
        var end: Timestamp
    }

    /// - Parameter event: nil for a station that the event does not reach.
    init(seed: UInt64, name: String, time: SiteTime, epoch: Timestamp, event: DustEvent?) {
        self.time = time
        noise = HashNoise(seed: seed, stream: "dust/\(name)")
        level = 52 + 6 * noise.signed(-1)
        lorry = epoch - .seconds(5 * 3600 + Int64(noise.unit(-2) * 3600))
        guard let event else {
            self.event = nil
            return
        }
        let lead = min(max(event.lead, .seconds(360)), .seconds(3600))
        let start = (epoch - lead).slot(every: .seconds(1))
        var course = Course(
            start: start, from: 0, peak: event.peak, rise: 0, end: epoch + event.lasting)
        let quiet = Self(time: time, noise: noise, level: level, lorry: lorry, event: nil)
        course.from = quiet.pm10(at: start)
        // The mean at the crossing falls as the rise takes longer, so halving finds the rise that
        // puts it on the threshold whatever the background at that hour is.
        var short = 1000.0
        var long = 6.0 * 3_600_000
        let crossing = epoch + event.crossing
        for _ in 0..<40 {
            course.rise = (short + long) / 2
            let played = Self(time: time, noise: noise, level: level, lorry: lorry, event: course)
            if played.meanPM10(until: crossing) > event.threshold {
                short = course.rise
            } else {
                long = course.rise
            }
        }
        self.event = course
    }

    private init(
        time: SiteTime, noise: HashNoise, level: Double, lorry: Timestamp, event: Course?
    ) {
        self.time = time
        self.noise = noise
        self.level = level
        self.lorry = lorry
        self.event = event
    }

    /// The mean of the 15 minutes before an instant, on samples of ten seconds, µg/m³.
    private func meanPM10(until end: Timestamp) -> Double {
        let sum = (1...90).reduce(0) { $0 + pm10(at: end - .seconds(Int64($1) * 10)) }
        return sum / 90
    }

    /// PM10 in µg/m³.
    func pm10(at instant: Timestamp) -> Double {
        let background = background(at: instant)
        let passing = lorryShare(at: instant)
        guard let event, instant >= event.start else { return background + 150 * passing }
        let since = Double(instant.milliseconds &- event.start.milliseconds)
        let flicker = 1 + 0.03 * noise.smooth(instant.milliseconds, every: 10_000)
        if instant < event.end {
            return (event.from + (event.peak - event.from) * min(1, since / event.rise)) * flicker
        }
        let high =
            event.from + (event.peak - event.from)
            * min(
                1,
                Double(event.end.milliseconds &- event.start.milliseconds) / event.rise)
        let after = Double(instant.milliseconds &- event.end.milliseconds)
        return background + max(0, high - background) * exp(-after / 240_000) * flicker
    }

    /// PM2.5 in µg/m³: what the wheels throw up is coarse, so its share falls as PM10 rises.
    func pm2_5(at instant: Timestamp) -> Double {
        let background = background(at: instant)
        let raised = max(0, pm10(at: instant) - background)
        let share = 0.48 + 0.05 * noise.smooth(instant.milliseconds &+ 11, every: 900_000)
        return background * share + raised * 0.2
    }

    /// Sound level in dB(A): machines by day, a lorry when one passes.
    func soundLevel(at instant: Timestamp) -> Double {
        let hour = time.hourOfDay(instant)
        let work = ((hour - 5.5).clamped(0, 1)) - ((hour - 20).clamped(0, 1))
        return 47 + 18 * work + 3 * noise.smooth(instant.milliseconds &+ 5, every: 30_000)
            + 2 * noise.smooth(instant.milliseconds &+ 3, every: 3_000)
            + 9 * lorryShare(at: instant)
    }

    private func background(at instant: Timestamp) -> Double {
        let ms = instant.milliseconds
        let hour = time.hourOfDay(instant)
        // Two rush hours, a quiet night.
        let course =
            12 * cos((hour - 9) / 24 * 2 * .pi) + 8 * cos((hour - 7.5) / 12 * 2 * .pi)
        return level + course + 9 * noise.smooth(ms, every: 1_800_000)
            + 4 * noise.smooth(ms &+ 1, every: 60_000) + 3 * noise.smooth(ms &+ 2, every: 10_000)
    }

    /// How close the lorry is, 0 ... 1.
    private func lorryShare(at instant: Timestamp) -> Double {
        let since = Double(instant.milliseconds &- lorry.milliseconds) / 1000
        if since < 0 || since > 90 { return 0 }
        return since < 30 ? since / 30 : (90 - since) / 60
    }
}
