import Telemetry

/// How long the buckets of a scan group are, and where they are cut.
///
///     group reports every …   ≤ 14 s or unknown   more rarely
///     a bucket lasts          1 h                 6 h
///
/// A bucket is cut earlier when it holds `longestBucket` rows, or when the head needs room.
enum BucketWindow {
    /// Rows after which a group is sealed, whatever the hour.
    static let longestBucket = 4096
    /// Readings of a bucket, about: of a group of many columns a bucket holds fewer rows, because
    /// every commit may have to wait until one is written.
    static let mostReadings = 60_000

    /// Rows of a bucket that late scans have filled, beyond which it is cut in two.
    static func longestMerged(width: Int) -> Int {
        min(2 * longestBucket, max(2, 2 * mostReadings / max(1, width)))
    }
    /// Groups with fewer rows in an hour share a bucket of six.
    private static let fewRows: Int64 = 256
    private static let hour: Int64 = 3_600_000

    /// The length of a window in milliseconds.
    static func length(period: Duration?) -> Int64 {
        guard let period = period?.milliseconds, period > 0 else { return hour }
        return hour / period < fewRows ? 6 * hour : hour
    }

    /// Where the window begins that holds an instant, in milliseconds.
    static func start(of time: Int64, length: Int64) -> Int64 { time &- time.modulo(length) }
}
