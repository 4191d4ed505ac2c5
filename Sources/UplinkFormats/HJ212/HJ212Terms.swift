import Telemetry

/// What holds for one station now: what the configuration says, and what the platform has set since.
struct HJ212Terms: Hashable, Sendable {
    var password: String
    var timeout: Duration
    var resends: Int
    /// Seconds between real-time packets.
    var realtimeInterval: Int
    /// Minutes of a 2051 period.
    var minuteInterval: Int
    var isRealtimeOn = true

    /// The names under which settings outlive the connection.
    enum Name {
        static let realtimeInterval = "realtime_interval"
        static let minuteInterval = "minute_interval"
        static let timeout = "timeout"
        static let resends = "resends"
        static let realtime = "realtime"
        static let password = "password"
        static let clockOffset = "clock_offset_ms"
    }

    init(_ options: HJ212Options, _ station: HJ212Station) {
        password = station.password ?? options.password
        timeout = max(options.timeout, .seconds(1))
        resends = max(0, options.resends)
        realtimeInterval = options.realtimeInterval
        minuteInterval = options.minuteInterval
    }

    /// Takes over what the platform has set.
    ///
    /// - Returns: false for a value that the standard does not allow; then nothing changes.
    mutating func apply(_ name: String, _ value: String, _ options: HJ212Options) -> Bool {
        func number(_ range: ClosedRange<Int>) -> Int? {
            guard value.utf8.count <= 4, let number = Int(value), range.contains(number) else {
                return nil
            }
            return number
        }
        switch name {
        case Name.timeout:
            guard let seconds = number(HJ212Options.timeouts) else { return false }
            timeout = .seconds(seconds)
        case Name.resends:
            guard let count = number(HJ212Options.resendCounts) else { return false }
            resends = count
        case Name.realtimeInterval:
            guard let seconds = number(HJ212Options.realtimeIntervals) else { return false }
            realtimeInterval = seconds
        case Name.minuteInterval:
            guard let minutes = number(1...30), HJ212Options.minuteIntervals.contains(minutes)
            else { return false }
            minuteInterval = minutes
        case Name.realtime:
            guard value == "on" || value == "off" else { return false }
            isRealtimeOn = value == "on"
        case Name.password:
            guard options.obeysPassword, HJ212Options.isWritable(value) else { return false }
            password = value
        default: return false
        }
        return true
    }
}
