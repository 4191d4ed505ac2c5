/// When each device of a link was last heard, and which have gone silent: a value without a clock.
struct SilenceWatch: Sendable {
    private struct Device: Sendable {
        /// In milliseconds; nil: nobody waits for it.
        var limit: Int64?
        var heard: Int64
        var isSilent = false
    }

    private var devices: [Device]
    /// How often to look, so that nobody is told much too late; nil: nobody is waited for.
    let interval: Duration?

    /// - Parameter since: the start, in monotonic milliseconds.
    init(_ limits: [Duration?], since: Int64) {
        devices = limits.map { Device(limit: $0?.milliseconds, heard: since) }
        interval = limits.compactMap(\.self).min().map {
            min(.seconds(5), max(.milliseconds(50), $0 / 10))
        }
    }

    /// - Returns: those that had been silent and speak again.
    mutating func heard(_ indices: [Int], at now: Int64) -> [Int] {
        var woken: [Int] = []
        for index in indices where devices.indices.contains(index) {
            devices[index].heard = now
            if devices[index].isSilent {
                devices[index].isSilent = false
                woken.append(index)
            }
        }
        return woken.sorted()
    }

    /// - Returns: those that have been silent for too long since the last look, each told once, and
    ///   for how long.
    mutating func fallenSilent(at now: Int64) -> [(index: Int, silence: Duration)] {
        var fallen: [(index: Int, silence: Duration)] = []
        for index in devices.indices {
            guard let limit = devices[index].limit, !devices[index].isSilent,
                now &- devices[index].heard > limit
            else { continue }
            devices[index].isSilent = true
            fallen.append((index, .milliseconds(now &- devices[index].heard)))
        }
        return fallen
    }
}
