import Store
import Telemetry

/// Turns what was read under monotonic time into readings with a time of day.
///
///     no time of day:   rows that are not trusted, scans in monotonic time of this boot
///     time of day:      stamp(boot, offset)       ─▶ all of these rows have their times
///                       what waits for a commit   ─▶ has its time, in a trusted row
struct Stamping: Sendable {
    private var isStamped = false
    /// Identity in monotonic time; the store is not asked, because it knows no such times.
    private var filter = DuplicateFilter()

    /// Whether this boot's offset has yet to be made durable, now that there is one.
    func isOwed(_ now: ClockReading) -> Bool {
        !isStamped && now.isTrusted && now.stampOffset != nil
    }

    mutating func didStamp() { isStamped = true }

    /// A scan as it is admitted now.
    ///
    /// While there is no time of day, one that comes with a time of its own gets its arrival:
    /// nothing could say later whether the two belong together.
    func admitted(_ scan: Scan, _ now: ClockReading) -> Scan {
        guard !now.isTrusted, !scan.flags.contains(.monotonicTime) else { return scan }
        var scan = scan
        scan.time = Timestamp(milliseconds: now.monotonic)
        scan.flags.formUnion([.monotonicTime, .arrivalTime])
        return scan
    }

    /// Whether a scan in monotonic time is a new one.
    ///
    /// - Parameter uncommitted: gives what waits for a commit with the same instant.
    mutating func verdict(
        on scan: Scan, uncommitted: () -> [Scan]
    ) -> DuplicateFilter.Verdict {
        filter.begin(scan.group, newest: nil)
        let verdict = filter.judge(scan)
        guard verdict == .unknown else { return verdict }
        // Older than the memory: with polled slots and arrivals that is a clock of no use.
        let held = uncommitted()
        let judged = DuplicateFilter.judge(scan, among: held)
        if case .new = judged { filter.recall(scan.group, time: scan.time, stored: held) }
        return judged
    }

    mutating func admit(_ scan: Scan) { filter.admit(scan) }
    mutating func forget(_ scan: Scan) { filter.forget(scan) }

    /// A batch as it is committed now: all in monotonic time, or all of it in times of day.
    static func batch(
        _ batch: JournalBatch, groups: [ScanGroup.ID: ScanGroup]
    ) -> JournalBatch {
        var batch = batch
        let now = batch.clock
        if now.isTrusted {
            let offset = now.stampOffset ?? now.wall.milliseconds &- now.monotonic
            batch.scans = batch.scans.map { scan in
                guard scan.flags.contains(.monotonicTime) else { return scan }
                return timed(scan, groups[scan.group], offset, now.isEstimated)
            }
        } else {
            batch.clock.wall = Timestamp(milliseconds: now.monotonic)
            for index in batch.scans.indices { batch.scans[index].flags.remove(.monotonicTime) }
        }
        return batch
    }

    /// The time of day of one scan, by the rule by which the store stamps its rows.
    private static func timed(
        _ scan: Scan, _ group: ScanGroup?, _ offset: Int64, _ isEstimated: Bool
    ) -> Scan {
        var scan = scan
        scan.flags.remove(.monotonicTime)
        if isEstimated { scan.flags.insert(.timeEstimated) }
        scan.time.milliseconds &+= offset
        if let group, group.isPolled, let period = group.period {
            scan.time = scan.time.slot(every: period)
        }
        return scan
    }

    /// Which offsets the boots before this one get: each went on where the store stood before it.
    ///
    /// - Parameter boots: in the order of their rows.
    static func estimates(
        _ boots: [UnstampedBoot], notBefore: Timestamp
    ) -> [(bootID: String, offset: Int64)] {
        var newest = notBefore
        return boots.map { boot in
            newest = max(newest, boot.newestBefore ?? newest)
            let offset = newest.milliseconds
            newest = Timestamp(milliseconds: offset &+ boot.newestMonotonic)
            return (boot.bootID, offset)
        }
    }
}
