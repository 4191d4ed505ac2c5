import Telemetry

/// How long what is kept, and in how many bytes.
package struct HousekeepingPolicy: Hashable, Sendable {
    /// Sealed buckets whose end is older than this go.
    package var rawRetention: Duration
    /// Rollups older than this go; a resolution that is not named is kept for ever.
    package var rollupRetention: [Resolution: Duration]
    /// Settled outbox rows whose bucket is older than this go.
    package var outboxRetention: Duration
    /// The newest attempts that are kept.
    package var attemptsKept: Int
    /// At most so many rows of each kind are deleted in one transaction.
    package var maximumRowsPerStep: Int
    /// What the file, its log and the ballast may take together, in bytes; nil leaves only the
    /// bound that the file system sets.
    package var maximumBytes: Int64?
    /// Raw readings before this instant have been acknowledged by every uplink that takes raw
    /// readings; nil when there is no such uplink, so that nobody is owed any.
    package var rawAcknowledgedUntil: Timestamp?
    /// Quarters older than this are packed; nil packs none.
    package var packAfter: Duration?

    package init(
        rawRetention: Duration, rollupRetention: [Resolution: Duration] = [:],
        outboxRetention: Duration = .seconds(90 * 86_400), attemptsKept: Int = 10_000,
        maximumRowsPerStep: Int = 2_000, maximumBytes: Int64? = nil,
        rawAcknowledgedUntil: Timestamp? = nil, packAfter: Duration? = .seconds(48 * 3_600)
    ) {
        self.rawRetention = rawRetention
        self.rollupRetention = rollupRetention
        self.outboxRetention = outboxRetention
        self.attemptsKept = attemptsKept
        self.maximumRowsPerStep = maximumRowsPerStep
        self.maximumBytes = maximumBytes
        self.rawAcknowledgedUntil = rawAcknowledgedUntil
        self.packAfter = packAfter
    }
}

/// What was removed.
package enum RemovedClass: String, Hashable, Sendable, CaseIterable {
    /// Scans in sealed buckets.
    case raw
    case minute = "1min"
    case quarterHour = "15min"
    case hour = "1h"
    case day = "1d"
    case month = "1month"
    /// Settled items of the outbox.
    case outbox
    case attempt
    /// Lifts, overloads and near misses; they live as long as quarters of an hour.
    case crane
    /// What platforms took by site day; it lives as long as days.
    case delivery

    init(_ resolution: Resolution) {
        self =
            switch resolution {
            case .minute: .minute
            case .quarterHour: .quarterHour
            case .hour: .hour
            case .day: .day
            case .month: .month
            }
    }
}

/// Why it was removed.
package enum RemovalReason: String, Hashable, Sendable, CaseIterable {
    /// Older than the policy keeps it.
    case age
    /// The byte budget, or a file system that is nearly full.
    case budget
}

/// So many things of one class, removed for one reason.
package struct Removal: Hashable, Sendable {
    package var kind: RemovedClass
    package var reason: RemovalReason
    /// Scans, rollups, items or attempts.
    package var items: Int
    /// How many of them some raw uplink had not acknowledged; 0 for everything but raw.
    package var owed: Int
    /// The first instant of what went, and the first instant after it; nil for attempts.
    package var first: Timestamp?
    package var last: Timestamp?

    package init(
        _ kind: RemovedClass, _ reason: RemovalReason, items: Int, owed: Int = 0,
        first: Timestamp? = nil, last: Timestamp? = nil
    ) {
        self.kind = kind
        self.reason = reason
        self.items = items
        self.owed = owed
        self.first = first
        self.last = last
    }

    mutating func add(_ other: Removal) {
        items += other.items
        owed += other.owed
        first = [first, other.first].compactMap(\.self).min()
        last = [last, other.last].compactMap(\.self).max()
    }
}

/// What one step of housekeeping did.
package struct HousekeepingReport: Hashable, Sendable {
    /// What went, one entry for each class and reason.
    package var removed: [Removal] = []
    /// Quarters that were packed.
    package var packedRollups = 0
    /// The instant by which age was judged; nil while the clock is not trusted or nothing is stored.
    package var judgedAt: Timestamp?
    /// Bytes in use, and how many may be in use; see `StoreStatistics`.
    package var usedBytes: Int64 = 0
    package var budgetBytes: Int64 = 0
    /// Whether the budget is used up and nothing may be removed any more: admit nothing.
    package var isFull = false
    /// Whether a limit was reached, so that another step would find more.
    package var hasMore = false
    /// Whether the whole write-ahead log could be moved into the file.
    package var isCheckpointComplete = false

    package init() {}

    /// How many went of a class, for one reason or for all.
    package func count(_ kind: RemovedClass, _ reason: RemovalReason? = nil) -> Int {
        removed.filter { $0.kind == kind && (reason == nil || $0.reason == reason) }
            .reduce(0) { $0 + $1.items }
    }

    mutating func add(_ removal: Removal) {
        guard removal.items > 0 else { return }
        if let index = removed.firstIndex(where: {
            $0.kind == removal.kind && $0.reason == removal.reason
        }) {
            removed[index].add(removal)
        } else {
            removed.append(removal)
        }
    }
}
