import Telemetry

/// What the store holds and what it costs, for `/metrics` and `check`.
package struct StoreStatistics: Hashable, Sendable {
    /// Bytes of `plumbline.sqlite` and of its write-ahead log.
    package var fileBytes: Int64 = 0
    package var walBytes: Int64 = 0
    /// Bytes of pages in use, of the log and of the ballast; free pages of the file are used again.
    package var usedBytes: Int64 = 0
    /// What may be in use, as the last step of housekeeping found it; 0 before the first.
    package var budgetBytes: Int64 = 0
    /// Bytes that are held back for a full disk; 0 when they have been given up for it.
    package var ballastBytes: Int64 = 0
    /// Whether the budget is used up and nothing may be removed any more.
    package var isFull = false
    /// Newest minus oldest sequence plus one: sequences are dense, so gaps only make it too high.
    package var journalRows: Int64 = 0
    package var newestSequence: Int64 = 0
    /// The sequence up to which the evaluation has folded durably; 0 before the first checkpoint.
    package var evaluationCursor: Int64 = 0
    /// Journal rows found damaged since the store was opened, each counted once.
    package var damagedRows: Int = 0
    /// Sealed buckets found damaged since the store was opened, each counted once.
    package var damagedBuckets: Int = 0
    /// Damaged buckets that were put aside for late scans since the store was made.
    package var quarantinedBuckets: Int = 0
    /// Days of packed quarters found damaged since the store was opened, each counted once.
    package var damagedPacks: Int = 0
    /// What housekeeping has removed since the store was made, by class and reason.
    package var removed: [Removal] = []

    package init() {}
}
