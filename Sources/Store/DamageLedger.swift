import Telemetry

/// A sealed bucket that could not be decoded: its range of time is lost to queries, and that is said.
package struct DamagedBucket: Hashable, Sendable {
    package var id: Int64
    package var group: ScanGroup.ID
    package var start: Timestamp
    /// The first instant after the bucket.
    package var end: Timestamp
    package var cause: String

    package init(
        id: Int64, group: ScanGroup.ID, start: Timestamp, end: Timestamp, cause: String
    ) {
        self.id = id
        self.group = group
        self.start = start
        self.end = end
        self.cause = cause
    }
}

/// The damaged journal rows that were met since the store was opened, each counted once.
struct DamageLedger: Sendable {
    /// Beyond so many rows only the first are listed; the memory stays bounded.
    static let maximumListed = 1_000

    private(set) var causes: [Int64: String] = [:]

    mutating func add(_ sequence: Int64, cause: String) {
        guard causes.count < Self.maximumListed else { return }
        if causes[sequence] == nil { causes[sequence] = cause }
    }

    /// By their id: buckets that could not be decoded.
    private(set) var buckets: [Int64: DamagedBucket] = [:]

    mutating func add(_ bucket: DamagedBucket) {
        guard buckets.count < Self.maximumListed else { return }
        if buckets[bucket.id] == nil { buckets[bucket.id] = bucket }
    }

    var rows: [DamagedRow] {
        causes.sorted { $0.key < $1.key }.map { DamagedRow(sequence: $0.key, cause: $0.value) }
    }
}
