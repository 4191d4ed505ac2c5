import GRDB
import Telemetry

/// Asks that the scans of a group before a time move from the journal into buckets.
package struct SealRequest: Hashable, Sendable {
    package var group: ScanGroup.ID
    /// Scans before this instant are sealed.
    package var until: Timestamp

    package init(group: ScanGroup.ID, until: Timestamp) {
        self.group = group
        self.until = until
    }
}

/// What one transaction has sealed; applied to the head after the commit.
struct SealOutcome: Sendable {
    var group: ScanGroup.ID
    /// Everything of the group before this time and up to the cursor is in buckets.
    var coveredUntil: Int64
    var cursor: Int64
    /// The group's new mark; nil while a part of the request is left.
    var mark: SealMark?
}

extension StoreWriter {
    /// What one transaction puts into buckets: a commit never waits longer than for this. Late scans
    /// have to be merged into one bucket after another, and each of them is written anew as a whole.
    static let perSeal = BucketTable.Allowance(
        buckets: 8, readings: BucketWindow.mostReadings / 2)
    /// Journal rows after the oldest that one transaction looks at.
    static let journalRowsPerLook: Int64 = 40_000
    /// Journal rows deleted in one transaction.
    static let journalRowsPerStep = 2_000
    /// The newest rows with deliveries stay, because a broker may yet send them again.
    static let deliveryRowsKept = 64

    /// Seals what a request asks for, as far as one step goes.
    static func seal(
        _ request: SealRequest, upTo cursor: Int64, _ head: Head, _ registry: Registry,
        _ db: Database
    ) throws -> SealOutcome? {
        guard let group = registry.group(request.group), let entry = head.groups[group.id] else {
            return nil
        }
        let known = head.sealed[group.id] ?? .none
        let until = max(request.until.milliseconds, known.until)
        // A journal of weeks, which an older version has left, is not decoded in one go.
        let end = entry.time(
            after: max(1, BucketWindow.mostReadings / max(1, group.series.count)), before: until,
            upTo: cursor)
        let scans = entry.scans(of: group.id, from: .min, to: end ?? until, upTo: cursor)
        var covered = try BucketTable.put(
            scans, of: group, until: until, part: end, most: perSeal, db)
        if let end { covered = min(covered, end) }
        var outcome = SealOutcome(group: group.id, coveredUntil: covered, cursor: cursor)
        if covered >= until {
            let mark = SealMark(sequence: cursor, until: until)
            try BucketTable.mark(group.id, mark, db)
            outcome.mark = mark
        }
        return outcome
    }

    /// Deletes journal rows of which every scan is in a bucket, in runs between those still needed.
    ///
    /// - Parameter damaged: rows that could not be read; they stay as evidence.
    static func trimJournal(
        _ head: Head, damaged: some Sequence<Int64>, upTo cursor: Int64, _ db: Database
    ) throws {
        let delivered = try Int64.fetchOne(
            db,
            sql: """
                SELECT min(seq) FROM (SELECT seq FROM
                    (SELECT seq, deliveries FROM journal ORDER BY seq DESC LIMIT 20000)
                    WHERE deliveries IS NOT NULL ORDER BY seq DESC LIMIT ?)
                """, arguments: [deliveryRowsKept])
        let newest = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM journal") ?? 0
        let end = min(cursor, newest - 1, (delivered ?? .max) - 1)
        let delete = try db.cachedStatement(
            sql: """
                DELETE FROM journal WHERE seq IN
                    (SELECT seq FROM journal WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?)
                """)
        var budget = journalRowsPerStep
        var begin = try Int64.fetchOne(db, sql: "SELECT min(seq) FROM journal") ?? 0
        let last = min(end, begin &+ journalRowsPerLook)
        guard begin <= last else { return }
        let needed = head.neededSequences(in: begin...last).union(damaged.filter { $0 <= last })
        for needed in needed.sorted() + [last + 1] {
            if budget <= 0 { return }
            if begin < needed {
                try delete.execute(arguments: [begin, needed - 1, budget])
                budget -= db.changesCount
            }
            begin = needed + 1
        }
    }
}

extension Head {
    /// The head as it is after a seal.
    mutating func apply(_ outcome: SealOutcome) {
        removeSealed(outcome.group, before: outcome.coveredUntil, upTo: outcome.cursor)
        bucketsChanged(of: outcome.group)
        if let mark = outcome.mark { self.mark(outcome.group, mark) }
    }
}
