import Foundation
import Store
import Telemetry

/// What is expected of one folder: `folder:acked:applied`, and `:lives` when it had more than one.
struct Claim {
    var folder: String
    /// The last batch that was acknowledged.
    var acked: Int64
    /// The last batch whose effects were.
    var applied: Int64
    /// How often the power was cut.
    var lives: Int64 = 1

    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (3...4).contains(parts.count), let acked = Int64(parts[1]),
            let applied = Int64(parts[2])
        else { return nil }
        (folder, self.acked, self.applied) = (String(parts[0]), acked, applied)
        if parts.count == 4 {
            guard let lives = Int64(parts[3]) else { return nil }
            self.lives = lives
        }
    }
}

/// Opens a store after a fault and compares all that it holds with what was acknowledged.
struct Examination: Encodable {
    var folder: String
    /// Why the store could not be opened or read; nil when it could.
    var error: String?
    var acked: Int64
    /// The newest batch that the store holds.
    var found: Int64 = 0
    /// Batches that were acknowledged and are gone.
    var lost: Int64 = 0
    /// Scans that batches up to `found` hold and that cannot be read.
    var missing = 0
    /// Scans that are read more than once.
    var twice = 0
    /// Scans that differ from what was written, or that belong to no batch.
    var corrupt = 0
    /// Rows that the store itself found damaged and left out.
    var damaged = 0
    /// Rollups, owed items and states that do not agree with their checkpoint.
    var unequal = 0
    var scans = 0
    var milliseconds = 0

    /// - Parameter recovers: whether a damaged file is put aside and what is readable salvaged. What
    ///   a start does not look at is found by a read, which marks the file; then, as for the gateway,
    ///   the next start counts.
    static func examine(_ claim: Claim, recovers: Bool) async -> Examination {
        let first = await attempt(claim, recovers: recovers)
        guard recovers, first.error != nil else { return first }
        return await attempt(claim, recovers: recovers)
    }

    private static func attempt(_ claim: Claim, recovers: Bool) async -> Examination {
        var examination = Examination(folder: claim.folder, acked: claim.acked)
        do throws(StoreError) {
            let start = ContinuousClock.now
            let store = try open(claim.folder, recovers: recovers)
            examination.milliseconds = Int((ContinuousClock.now - start).milliseconds)
            do throws(StoreError) {
                try await examination.read(store, claim)
            } catch {
                examination.error = error.description
            }
            try store.close()
        } catch {
            examination.error = error.description
        }
        return examination
    }

    private static func open(_ folder: String, recovers: Bool) throws(StoreError) -> Store {
        let options = StoreOptions(directory: folder)
        guard recovers else { return try Store.open(options, calendar: .utc) }
        return try Store.openRecovering(
            options, calendar: .utc, now: Workload.time(ofSpan: 0)
        ).store
    }

    private mutating func read(_ store: Store, _ claim: Claim) async throws(StoreError) {
        // A store that was cut while it was made has no groups, and none of them has scans.
        let workload = Workload(groups: try await store.writer.register(Workload.unnumbered))
        found = try await workload.newestBatch(in: store)
        lost = max(0, claim.acked - found)
        // Each life may have ended between a commit and its promise.
        if found > claim.acked + claim.lives { corrupt += 1 }
        try await readEffects(store, claim)
        for index in workload.groups.indices {
            var k: Int64 = 1
            let spans: Int64 = 180
            // One span more than there can be: nothing may lie behind the newest batch.
            while k <= found + 1 {
                let next = min(k + spans, found + 2)
                let stored = try await store.reader.scans(
                    group: workload.groups[index].id, from: Workload.time(ofSpan: k),
                    to: Workload.time(ofSpan: next))
                let expected = (k..<next).flatMap {
                    workload.scans(inSpan: $0, upTo: found, of: index)
                }
                compare(stored, expected)
                k = next
            }
        }
        damaged += store.reader.damagedRows().count
    }

    private mutating func compare(_ stored: [Scan], _ expected: [Scan]) {
        scans += stored.count
        var left = Dictionary(
            expected.map { (Identity($0), $0) }, uniquingKeysWith: { first, _ in first })
        var seen: Set<Identity> = []
        for scan in stored {
            let identity = Identity(scan)
            if !seen.insert(identity).inserted {
                twice += 1
            } else if left.removeValue(forKey: identity) != scan {
                corrupt += 1
            }
        }
        missing += left.count
    }

    private mutating func readEffects(_ store: Store, _ claim: Claim) async throws(StoreError) {
        let checkpoint = try await store.reader.checkpoint()
        let batch = checkpoint.map { Exercise.batch(of: $0) } ?? 0
        if batch < claim.applied { lost += 1 }
        if batch > found { unequal += 1 }
        if let checkpoint, checkpoint.state != Exercise.state(of: batch) { unequal += 1 }
        let day = Bucket(.day, containing: Workload.start, calendar: .utc)
        for group in try await store.reader.registry().groups {
            for series in group.series {
                let stored = try await store.reader.rollups(
                    series: series.number, resolution: .day, from: day.start, to: day.end)
                if stored.map(\.rollup.count) != (batch == 0 ? [] : [Int(batch)]) { unequal += 1 }
            }
        }
        let owed = try await store.reader.uplinkStatus(uplink: "city").owed
        if Int64(owed) != batch / 5 { unequal += 1 }
    }

    private struct Identity: Hashable {
        var time: Timestamp
        var sequence: UInt16
        init(_ scan: Scan) { (time, sequence) = (scan.time, scan.sequence) }
    }
}
