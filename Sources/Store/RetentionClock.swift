import GRDB
import Telemetry

/// The time by which age is judged: never ahead of a trusted clock, and never in a hurry.
///
/// It starts at the newest stored time and goes on at most twice as fast as the machine is up, so
/// that a clock which jumps by years makes nothing old. A gateway that was off for months keeps
/// its data that much longer; the byte budget still holds.
struct RetentionClock: Hashable, Sendable {
    /// How much faster than uptime it may catch up.
    static let pace: Int64 = 2
    /// What is made durable may lag so far behind: a crash costs retention a little, never data.
    static let unsavedLag = Duration.seconds(600)

    private(set) var value: Timestamp
    /// Where uptime is counted from: the step before this one, in the same boot and process.
    private var anchor: (bootID: String, monotonic: Int64)?

    init(_ value: Timestamp) { self.value = value }

    /// Takes one look at both clocks.
    ///
    /// - Returns: the instant by which age is judged now; nil while the clock is not trusted.
    mutating func advance(to clock: ClockReading) -> Timestamp? {
        defer { anchor = (clock.bootID, clock.monotonic) }
        guard clock.isTrusted else { return nil }
        if let anchor, anchor.bootID == clock.bootID, clock.monotonic > anchor.monotonic {
            let uptime = clock.monotonic &- anchor.monotonic
            let (lead, isHuge) = uptime.multipliedReportingOverflow(by: Self.pace)
            let (limit, isBeyond) = value.milliseconds.addingReportingOverflow(isHuge ? .max : lead)
            let reached = min(Timestamp(milliseconds: isBeyond ? .max : limit), clock.wall)
            value = max(value, reached)
        }
        return min(value, clock.wall)
    }

    static func == (a: Self, b: Self) -> Bool { a.value == b.value }
    func hash(into hasher: inout Hasher) { hasher.combine(value) }
}

extension RetentionClock {
    /// The clock that the file holds, or one that starts at the newest stored time.
    ///
    /// - Returns: nil when nothing is stored yet, so that nothing can be old.
    static func load(_ db: Database, now: ClockReading) throws -> RetentionClock? {
        if let stored = try Int64.fetchOne(db, sql: "SELECT at FROM retention_clock") {
            return RetentionClock(Timestamp(milliseconds: stored))
        }
        guard now.isTrusted else { return nil }
        let newest = try Int64.fetchOne(
            db,
            sql: """
                SELECT max(at) FROM (
                    SELECT max(start) AS at FROM rollup WHERE resolution = 15
                    UNION ALL SELECT last_ms FROM journal
                        WHERE seq = (SELECT max(seq) FROM journal))
                """)
        return newest.map { RetentionClock(min(now.wall, Timestamp(milliseconds: $0))) }
    }

    func save(_ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO retention_clock (id, at) VALUES (1, ?)",
            arguments: [value.milliseconds])
    }
}
