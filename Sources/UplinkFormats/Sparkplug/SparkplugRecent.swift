/// What was told last, for a host of which nobody knows when it died.
///
///     note ─▶ told within `span` ─▶ the host's will: doubt ─▶ told again ─▶ confirm
///
/// Kept in memory alone, and no more than so many readings: a restart of the gateway, or a backlog
/// that goes out while the host dies, exceeds it.
struct SparkplugRecent: Sendable {
    private struct Told: Sendable {
        var at: Duration
        var device: String
        var readings: [SparkplugReading]
    }

    /// One and a half times the longest keep-alive that is usual, and some more.
    private static let span = Duration.seconds(120)
    private static let mostReadings = 50_000

    private var told: [Told] = []
    private var again: [Told] = []

    /// What has to be told once more, oldest first.
    var doubtful: [(device: String, readings: [SparkplugReading])] {
        again.map { ($0.device, $0.readings) }
    }

    mutating func note(_ readings: [SparkplugReading], of device: String, at now: Duration) {
        told.append(Told(at: now, device: device, readings: readings))
        Self.trim(&told, at: now)
    }

    /// The host has died, some time ago.
    mutating func doubt(at now: Duration) {
        Self.trim(&told, at: now)
        again += told
        told = []
        Self.trim(&again, at: nil)
    }

    /// What was told again has arrived; the host may die once more.
    mutating func confirm(at now: Duration) {
        for each in again { note(each.readings, of: each.device, at: now) }
        again = []
    }

    /// Lets the oldest go.
    private static func trim(_ list: inout [Told], at now: Duration?) {
        let old = now.map { now in list.prefix { now - $0.at > span }.count } ?? 0
        var (kept, first) = (0, list.count)
        while first > old, kept + list[first - 1].readings.count <= mostReadings {
            first -= 1
            kept += list[first].readings.count
        }
        list.removeFirst(first)
    }
}
