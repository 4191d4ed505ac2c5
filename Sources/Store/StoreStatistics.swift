import Telemetry

/// What the store holds and what it costs, for `/metrics` and `check`.
package struct StoreStatistics: Hashable, Sendable {
    /// Bytes of `plumbline.sqlite` and of its write-ahead log.
    package var fileBytes: Int64 = 0
    package var walBytes: Int64 = 0
    /// Newest minus oldest sequence plus one: sequences are dense, so gaps only make it too high.
    package var journalRows: Int64 = 0
    package var newestSequence: Int64 = 0
    /// The sequence up to which the evaluation has folded durably; 0 before the first checkpoint.
    package var evaluationCursor: Int64 = 0
    /// Journal rows found damaged since the store was opened, each counted once.
    package var damagedRows: Int = 0

    package init() {}
}

/// How long what is kept.
package struct HousekeepingPolicy: Hashable, Sendable {
    /// Journal rows older than this go, once the evaluation has folded them.
    package var rawRetention: Duration
    /// Rollups older than this go; a resolution that is not named is kept for ever.
    package var rollupRetention: [Resolution: Duration]
    /// Settled outbox rows whose bucket is older than this go.
    package var outboxRetention: Duration
    /// The newest attempts that are kept.
    package var attemptsKept: Int
    /// At most so many rows of each kind are deleted in one step.
    package var maximumRowsPerStep: Int

    package init(
        rawRetention: Duration, rollupRetention: [Resolution: Duration] = [:],
        outboxRetention: Duration = .seconds(90 * 86_400), attemptsKept: Int = 10_000,
        maximumRowsPerStep: Int = 2_000
    ) {
        self.rawRetention = rawRetention
        self.rollupRetention = rollupRetention
        self.outboxRetention = outboxRetention
        self.attemptsKept = attemptsKept
        self.maximumRowsPerStep = maximumRowsPerStep
    }
}

/// What one step of housekeeping removed, by reason.
package struct HousekeepingReport: Hashable, Sendable {
    /// Journal rows beyond the raw retention, and the range of scan times in them.
    package var journalRows = 0
    package var journalRange: ClosedRange<Timestamp>?
    package var rollups: [Resolution: Int] = [:]
    package var outboxRows = 0
    package var attempts = 0
    /// Whether a limit was reached, so that another step would find more.
    package var hasMore = false
    /// Whether the whole write-ahead log could be moved into the file.
    package var isCheckpointComplete = false

    package init() {}
}
