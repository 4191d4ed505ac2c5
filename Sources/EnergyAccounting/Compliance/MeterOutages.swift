import Telemetry

/// When a meter gave no good reading although some were expected.
///
///     slot            1    2    3    4    5    6    7
///     expected        6    6    6    –    6    6    6       – nobody has said
///     good            6    0    0    0    0    4    0
///     judged          ok   out  out  no   out  ok   out     out is counted, by whole slots
///
/// Only slots that have ended are judged. A slot of which nobody has said how many readings should
/// have come is never counted as an outage; but silence in it ends none either.
package struct MeterOutages: Hashable, Sendable {
    /// The slots that are out, joined where they follow each other.
    package private(set) var spans: [Range<Timestamp>] = []
    /// Since when there has been no good reading; nil while there are some, or nothing is known.
    package private(set) var runningSince: Timestamp?
    /// Whether the running outage was there when the grid began, so that it can be older.
    package private(set) var isOlderThanGrid = false
    /// The end of the last slot with a good reading.
    package private(set) var lastGood: Timestamp?
    /// Slots that have ended, and those among them that could be judged.
    package private(set) var passedSlots = 0
    package private(set) var judgedSlots = 0
    /// Good readings and those expected, over the slots of which both are known.
    package private(set) var good = 0
    package private(set) var expected = 0

    /// - Parameter now: what ends later is not judged.
    package init(_ counts: Counts, on grid: CountGrid, now: Timestamp) {
        var isSilentFromStart = true
        for slot in 0..<min(grid.count, counts.count) where grid.end(slot) <= now {
            passedSlots += 1
            let one = counts[slot]
            if one.good > 0 {
                lastGood = grid.end(slot)
                runningSince = nil
                isSilentFromStart = false
            }
            guard let expected = one.expected, expected > 0 else {
                // It may have been silent before anybody said how often it is read.
                if one.good == 0, runningSince == nil { isSilentFromStart = false }
                continue
            }
            judgedSlots += 1
            good += min(one.good, expected)
            self.expected += expected
            guard one.good == 0 else { continue }
            if runningSince == nil {
                runningSince = grid.start(slot)
                isOlderThanGrid = isSilentFromStart
            }
            if let last = spans.last, last.upperBound == grid.start(slot) {
                spans[spans.count - 1] = last.lowerBound..<grid.end(slot)
            } else {
                spans.append(grid.start(slot)..<grid.end(slot))
            }
        }
        if runningSince == nil { isOlderThanGrid = false }
    }

    /// How long it was out, altogether.
    package var length: Duration {
        spans.reduce(.zero) { $0 + ($1.upperBound - $1.lowerBound) }
    }

    package var isJudged: Bool { judgedSlots > 0 }

    /// The share of the readings that came; nil when nobody has said how many should.
    package var receivedShare: Exact? {
        expected > 0 ? Exact(Int128(good), over: Int128(expected)) : nil
    }
}
