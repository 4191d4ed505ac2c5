import Telemetry

/// What a bucket's head says without its columns being decoded.
package struct BucketSummary: Hashable, Sendable {
    /// What the head says of one column.
    package struct Column: Hashable, Sendable {
        /// How many readings are good.
        package var good: Int
        /// How many readings are bad.
        package var bad: Int
        /// The least good number, NaN aside; nil when there is none, and for text.
        package var minimum: Double?
        /// The greatest good number, NaN aside; nil when there is none, and for text.
        package var maximum: Double?

        package init(good: Int, bad: Int, minimum: Double?, maximum: Double?) {
            self.good = good
            self.bad = bad
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    package var rows: Int
    /// The time of the first row; nil without rows.
    package var first: Timestamp?
    /// The time of the last row; nil without rows.
    package var last: Timestamp?
    /// The slot length that was given to `encode`, in whole milliseconds.
    package var period: Duration?
    package var columns: [Column]

    package init(
        rows: Int, first: Timestamp?, last: Timestamp?, period: Duration?, columns: [Column]
    ) {
        self.rows = rows
        self.first = first
        self.last = last
        self.period = period
        self.columns = columns
    }
}
