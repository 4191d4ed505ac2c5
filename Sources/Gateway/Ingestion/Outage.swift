import Store
import Telemetry

/// A time during which nothing can be written: the state `unstored`.
struct Outage: Sendable {
    /// What was reported first.
    let cause: String
    /// When it began, on the gateway's clock.
    let began: Timestamp
    /// When the next attempt is due, on the loop's watch.
    private(set) var nextAttempt: Duration
    /// Attempts in a row that found the file damaged.
    private(set) var timesDamaged = 0
    /// Scans that the volatile evaluation has not seen yet.
    var unheard: [Scan] = []
    /// What the ring has given up.
    var lost = LostScans()

    private var pause: Duration

    /// - Parameters:
    ///   - now: on the loop's watch.
    ///   - pause: before the next attempt; it doubles with each failure.
    init(cause: String, began: Timestamp, now: Duration, pause: Duration) {
        self.cause = cause
        self.began = began
        self.pause = pause
        nextAttempt = now + pause
    }

    /// Takes note of a further attempt that failed.
    mutating func failed(_ error: any Error, now: Duration, longestPause: Duration) {
        pause = min(pause * 2, longestPause)
        nextAttempt = now + pause
        note(error)
    }

    /// Takes note of what an attempt reported, without another pause.
    mutating func note(_ error: any Error) {
        let isDamaged = (error as? StoreError)?.code == .corrupt
        timesDamaged = isDamaged ? timesDamaged + 1 : 0
    }

    /// What an auditor reads about it: from when to when, and what is missing since.
    func statement(until end: Timestamp) -> String {
        "from \(began.rfc3339()) to \(end.rfc3339()): \(cause); \(lost)"
    }
}

/// How many scans were given up, and between which instants they lie.
struct LostScans: Sendable, CustomStringConvertible {
    private(set) var scans = 0
    private(set) var readings = 0
    private(set) var first: Timestamp?
    private(set) var last: Timestamp?

    mutating func add(_ scan: Scan) {
        scans += 1
        readings += scan.readings.count
        first = min(first ?? scan.time, scan.time)
        last = max(last ?? scan.time, scan.time)
    }

    var description: String {
        guard let first, let last else { return "no polled reading was given up" }
        return "\(readings) readings of \(scans) polled scans between \(first.rfc3339()) and"
            + " \(last.rfc3339()) were given up"
    }
}

/// Whom Ingestion tells about the state `unstored`. All of it must return at once.
package struct UnstoredObserver: Sendable {
    /// Why nothing can be written; nil when it can again.
    package var onChange: @Sendable (String?) -> Void
    /// What was admitted while nothing could be written, once and in order; empty when only time
    /// has passed.
    package var onScans: @Sendable (ClockReading, [Scan]) -> Void

    package init(
        onChange: @escaping @Sendable (String?) -> Void,
        onScans: @escaping @Sendable (ClockReading, [Scan]) -> Void
    ) {
        self.onChange = onChange
        self.onScans = onScans
    }

    /// Tells nobody.
    package static let none = UnstoredObserver(onChange: { _ in }, onScans: { _, _ in })
}
