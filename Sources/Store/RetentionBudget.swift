import GRDB
import Telemetry

/// How many bytes the store has in use, and how many it may have.
struct ByteBudget: Hashable, Sendable {
    static let largestMargin: Int64 = 64 << 20
    static let largestReserve: Int64 = 16 << 20

    /// Pages in use, the log and the ballast.
    var used: Int64
    /// What may be in use: the policy's bytes, or what the file system leaves, if that is less.
    var limit: Int64

    /// Below the limit, so that commits between two steps do not pass it.
    var target: Int64 { limit - min(Self.largestReserve, limit / 16) }
    var isExceeded: Bool { used > target }

    /// - Parameters:
    ///   - footprint: bytes of all files of the store, free pages included.
    ///   - space: nil when the system does not say.
    init(used: Int64, footprint: Int64, maximum: Int64?, space: FileSystemSpace?) {
        self.used = used
        limit = maximum ?? .max
        if let space {
            let margin = min(Self.largestMargin, space.total / 16)
            limit = min(limit, max(0, footprint + space.available - margin))
        }
    }

    /// Looks at the pages inside the transaction that runs, and at the files beside it.
    static func measure(_ file: StoreFile, _ policy: HousekeepingPolicy, _ db: Database) throws
        -> ByteBudget
    {
        let pages = try UsedPages.read(db)
        let beside = StoreFile.size(file.path + "-wal") + Ballast(directory: file.directory).bytes
        return ByteBudget(
            used: pages.used + beside, footprint: pages.all + beside,
            maximum: policy.maximumBytes, space: FileSystemSpace.read(file.directory))
    }
}

/// The bytes of the pages of the file.
struct UsedPages: Hashable, Sendable {
    var all: Int64
    var used: Int64

    static func read(_ db: Database) throws -> UsedPages {
        let size = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0
        let count = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        let free = try Int64.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
        return UsedPages(all: count * size, used: (count - free) * size)
    }
}

extension RetentionRows {
    /// Quarters of the newest two days stay whatever the budget says: hours and days come from them.
    static let untouchable = Duration.seconds(48 * 3_600)

    /// Removes for the budget what promise 5 gives up first, a bounded number of it.
    ///
    /// Raw buckets go in the order of time, so those that every raw uplink has acknowledged go
    /// before those that one of them has not. Then minutes, then quarters; hours, days, alarms,
    /// the audit chain and what is owed never.
    /// - Parameter excess: bytes above the target; about so many go, if the limit allows it.
    /// - Returns: what went; nil when nothing may go any more.
    static func makeRoom(
        _ policy: HousekeepingPolicy, excess: Int, limit: Int, _ db: Database
    ) throws -> Removal? {
        let raw = try trimBuckets(
            before: Timestamp(milliseconds: .max), acknowledgedUntil: policy.rawAcknowledgedUntil,
            limit: limit, enough: excess, reason: .budget, db)
        if raw.bytes > 0 { return raw.removal }
        guard let newest = try newestQuarter(db) else { return nil }
        let cutoff = newest - untouchable
        // A row takes some 80 bytes, and its page is free only when all of its rows are.
        let rows = max(limit, min(policy.maximumRowsPerStep, excess / 80))
        let minutes = try trimRollups(.minute, before: cutoff, limit: rows, reason: .budget, db)
        if minutes.items > 0 { return minutes }
        var quarters = try trimPacks(before: cutoff, limit: 1, reason: .budget, db)
        if quarters.items == 0 {
            quarters = try trimRollups(
                .quarterHour, before: cutoff, limit: rows, reason: .budget, db)
        }
        return quarters.items > 0 ? quarters : nil
    }

    private static func newestQuarter(_ db: Database) throws -> Timestamp? {
        try Int64.fetchOne(
            db,
            sql: """
                SELECT max(at) FROM (
                    SELECT max(start) AS at FROM rollup WHERE resolution = 15
                    UNION ALL SELECT max(start) FROM rollup_pack WHERE resolution = 15)
                """
        ).map(Timestamp.init(milliseconds:))
    }
}
