import Synchronization

/// Why readings were given up. Each reason is counted by itself; a retry is no drop.
package enum DropReason: String, Sendable, CaseIterable {
    case duplicate
    case lateBeyondRetention = "late_beyond_retention"
    case malformed
    case fromTheFuture = "from_the_future"
    case unstored
    case stuckClock = "stuck_clock"
}

/// What the loops have done since the start, for `/metrics`.
package final class GatewayCounters: Sendable {
    /// All counters at one moment.
    package struct Values: Sendable {
        package var commits = 0
        package var failedCommits = 0
        package var scans = 0
        package var readings = 0
        package var dropped: [DropReason: Int] = [:]
        /// How often nothing could be written, the present time included.
        package var outages = 0
        /// Whether nothing can be written now.
        package var isUnstored = false
        /// Changes of alarms that were found while nothing could be written.
        package var unstoredTransitions = 0
        /// How often the store was verified.
        package var verifications = 0
        /// Rows that the last verification of the store found damaged.
        package var damagedRows = 0
        /// Up to which row of the journal the evaluation has come, which is stored a while later; nil
        /// before it has begun.
        package var evaluated: Int64?
    }

    // A mutex: several loops write, the metrics route reads, and nobody waits inside.
    private let state = Mutex(Values())

    package init() {}

    package var values: Values { state.withLock { $0 } }

    func committed(scans: Int, readings: Int) {
        state.withLock {
            $0.commits += 1
            $0.scans += scans
            $0.readings += readings
        }
    }

    func commitFailed() { state.withLock { $0.failedCommits += 1 } }

    func unstored(_ isUnstored: Bool) {
        state.withLock {
            $0.isUnstored = isUnstored
            if isUnstored { $0.outages += 1 }
        }
    }

    func evaluated(to sequence: Int64) { state.withLock { $0.evaluated = sequence } }

    func foundUnstored() { state.withLock { $0.unstoredTransitions += 1 } }

    func verified(damagedRows: Int) {
        state.withLock {
            $0.verifications += 1
            $0.damagedRows = damagedRows
        }
    }

    func dropped(_ reason: DropReason, readings: Int) {
        state.withLock { $0.dropped[reason, default: 0] += readings }
    }
}
