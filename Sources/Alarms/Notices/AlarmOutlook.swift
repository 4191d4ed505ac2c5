import Telemetry

/// How a window that is still open will end if things go on as they do: "the mean so far is 71, the
/// limit 80; at this rate it is exceeded in 6 min".
///
/// A forecast for people who can still act; it opens no alarm.
package struct AlarmOutlook: Hashable, Sendable {
    /// The mean of the window as far as it has come; nil without a reading.
    package private(set) var mean: Double?
    /// The mean of the newest readings, which is taken to go on.
    package private(set) var rate: Double?
    /// How long until the window breaks the limit; zero when it does already, nil when it will not.
    package private(set) var left: Duration?

    /// How far back the newest readings reach.
    private static let recent = Duration.seconds(180)

    /// - Parameters:
    ///   - readings: good ones in order of time; those outside the window count for nothing but the
    ///     rate.
    ///   - window: with a mean; its kind says how it moves.
    ///   - limit: above which the mean breaks it, in the unit of the readings.
    ///   - end: of the stretch in which `now` lies; for aligned windows.
    package init(
        _ readings: [(time: Timestamp, value: Double)], window: AlarmTerm.Window, limit: Double,
        now: Timestamp, end: Timestamp
    ) {
        let newest = readings.filter { $0.time > now - Self.recent && $0.time <= now }
        guard !newest.isEmpty else { return }
        let rate = newest.reduce(0) { $0 + $1.value } / Double(newest.count)
        self.rate = rate
        switch window.kind {
        case .rolling: rolling(readings, window.over, limit, rate, now)
        case .aligned: aligned(readings, window.over, limit, rate, now, end)
        }
    }

    /// The window moves on: what leaves it makes room for what is taken to come.
    private mutating func rolling(
        _ readings: [(time: Timestamp, value: Double)], _ over: Duration, _ limit: Double,
        _ rate: Double, _ now: Timestamp
    ) {
        let held = readings.filter { $0.time > now - over && $0.time <= now }
        guard !held.isEmpty else { return }
        let period = over.milliseconds / Int64(held.count)
        var sum = held.reduce(0) { $0 + $1.value }
        mean = sum / Double(held.count)
        if sum / Double(held.count) > limit {
            left = .zero
            return
        }
        // One reading leaves for each that comes, so after a window's length all of it is the rate.
        for (index, reading) in held.enumerated() {
            sum += rate - reading.value
            if sum / Double(held.count) > limit {
                left = .milliseconds(period * Int64(index + 1))
                return
            }
        }
    }

    /// The window stands: what has come stays, and its mean is that of the whole stretch.
    private mutating func aligned(
        _ readings: [(time: Timestamp, value: Double)], _ over: Duration, _ limit: Double,
        _ rate: Double, _ now: Timestamp, _ end: Timestamp
    ) {
        let start = end - over
        let held = readings.filter { $0.time >= start && $0.time <= now }
        guard !held.isEmpty, now > start else { return }
        let soFar = held.reduce(0) { $0 + $1.value } / Double(held.count)
        mean = soFar
        // In the terms of time: so far × elapsed + rate × left, over the length of the stretch.
        let whole = Double(over.milliseconds)
        let elapsed = Double((now - start).milliseconds)
        let sum = soFar * elapsed
        if sum / whole > limit {
            // Even clean air would not bring it back.
            left = .zero
            return
        }
        guard rate > 0 else { return }
        let needed = (limit * whole - sum) / rate
        if needed < whole - elapsed { left = .milliseconds(Int64(needed.rounded(.up))) }
    }
}
