import BucketCodec
import GRDB
import Telemetry

extension StoreReader {
    /// The committed scans of a group with `from` ≤ time < `to`, in the order of `Scan.isBefore`.
    ///
    /// - Parameters:
    ///   - sequence: of the unsealed scans only those from journal rows up to this one; nil takes
    ///     all. What is sealed lies below every cursor that reads on.
    ///   - limit: the earliest so many.
    package func scans(
        group: ScanGroup.ID, from: Timestamp, to: Timestamp, upTo sequence: Int64? = nil,
        limit: Int = 100_000
    ) async throws(StoreError) -> [Scan] {
        var found: [Scan] = []
        try await forEachPage(
            group: group, from: from, to: to, upTo: sequence ?? .max
        ) { page in
            found += page
            return found.count < limit
        }
        return found.count > limit ? Array(found.prefix(limit)) : found
    }

    /// The scans of a group at exactly one instant, in order.
    package func scansAt(
        group: ScanGroup.ID, time: Timestamp
    ) async throws(StoreError) -> [Scan] {
        try await scans(group: group, from: time, to: time + .milliseconds(1))
    }

    /// Hands the scans of a group with `from` ≤ time < `to` over in order, one bucket's worth at a
    /// time, so that a long range costs no more memory than a short one.
    ///
    /// - Parameter body: returns whether it wants more.
    func forEachPage(
        group: ScanGroup.ID, from: Timestamp, to: Timestamp, upTo sequence: Int64,
        _ body: ([Scan]) throws(StoreError) -> Bool
    ) async throws(StoreError) {
        guard from < to else { return }
        // The head first: what is sealed after this look is met in its bucket too, and said once.
        var open = try await headScans(group, from, to, sequence)[...]
        let isWhole = try await forEachBucket(
            of: group, from: from.milliseconds, to: to.milliseconds
        ) { stored throws(StoreError) in
            let before = open.prefix { $0.time.milliseconds < stored.start }
            open = open.dropFirst(before.count)
            if !before.isEmpty, try body(Array(before)) == false { return false }
            let late = open.prefix { $0.time.milliseconds < stored.end }
            open = open.dropFirst(late.count)
            var scans = decoded(stored, group).filter { from <= $0.time && $0.time < to }
            if !late.isEmpty { scans = Scan.inOrder(scans + late) }
            return scans.isEmpty ? true : try body(scans)
        }
        guard isWhole else { return }
        if !open.isEmpty { _ = try body(Array(open)) }
    }

    /// Hands over the buckets of a group that have a part of `[from, to)`, in order, some from each
    /// look at the file, so that no transaction is long.
    ///
    /// - Returns: false when `body` wanted no more.
    func forEachBucket(
        of group: ScanGroup.ID, from: Int64, to: Int64,
        _ body: (BucketTable.Stored) throws(StoreError) -> Bool
    ) async throws(StoreError) -> Bool {
        var place = from
        while true {
            let start = place
            let page = try await read("read the buckets of group \(group)") { db in
                try BucketTable.page(group, from: start, to: to, limit: Self.sealedPerPage, db)
            }
            for stored in page {
                if try body(stored) == false { return false }
                place = max(place, stored.end)
            }
            if page.count < Self.sealedPerPage { return true }
        }
    }

    /// Buckets looked up in one transaction.
    static let sealedPerPage = 16

    /// The unsealed scans of a group, in order.
    func headScans(
        _ group: ScanGroup.ID, _ from: Timestamp, _ to: Timestamp, _ sequence: Int64
    ) async throws(StoreError) -> [Scan] {
        guard let entry = try await look(at: group).entry else { return [] }
        return Scan.inOrder(
            entry.scans(
                of: group, from: from.milliseconds, to: to.milliseconds, upTo: sequence))
    }

    /// What no bucket holds of a group; read anew from the file by a store that is open beside its
    /// writer.
    ///
    /// Of one group only: whoever held the whole head would make the writer copy all of it.
    func look(at group: ScanGroup.ID) async throws(StoreError) -> Head.Look {
        guard shared.isReadOnly else { return shared.head.withValue { $0.look(at: group) } }
        let registry = shared.registry.value
        let (head, damage) = try await read("read the unsealed journal") { db in
            try StartUp.head(registry, db)
        }
        for row in damage.rows {
            shared.damage.withValue { $0.add(row.sequence, cause: row.cause) }
        }
        return head.look(at: group)
    }

    /// The scans of a bucket; none of a damaged one, which is noted.
    func decoded(_ stored: BucketTable.Stored, _ group: ScanGroup.ID) -> [Scan] {
        do throws(Damage) {
            return try BucketCodec.decode(stored.data).scans(of: group)
        } catch {
            note(error, in: stored, of: group)
            return []
        }
    }

    func note(_ damage: Damage, in stored: BucketTable.Stored, of group: ScanGroup.ID) {
        shared.damage.withValue {
            $0.add(
                DamagedBucket(
                    id: stored.id, group: group, start: Timestamp(milliseconds: stored.start),
                    end: Timestamp(milliseconds: stored.end), cause: damage.description))
        }
    }

    /// The last scans of a group before an instant, oldest of them first.
    ///
    /// - Parameter lookBack: how far to look, counted from the instant or, if that is earlier,
    ///   from the newest scan.
    package func lastScans(
        group: ScanGroup.ID, before: Timestamp, limit: Int, upTo sequence: Int64? = nil,
        lookBack: Duration = .seconds(7 * 86_400)
    ) async throws(StoreError) -> [Scan] {
        guard limit > 0 else { return [] }
        var open = try await headScans(
            group, Timestamp(milliseconds: .min), before, sequence ?? .max)
        var found: [Scan] = []
        var end = before.milliseconds
        var floor: Timestamp?
        while found.count < limit {
            let place = end
            let page = try await read("read the buckets of group \(group) backwards") { db in
                try BucketTable.pageBackwards(
                    group, before: place, limit: Self.bucketsPerLook, db)
            }
            for stored in page {
                var scans = decoded(stored, group).filter { $0.time < before }
                let late = open[
                    (open.firstIndex { $0.time.milliseconds >= stored.start }
                        ?? open.endIndex)...]
                if !late.isEmpty {
                    scans = Scan.inOrder(scans + late)
                    open.removeLast(late.count)
                }
                if floor == nil, let newest = scans.last { floor = newest.time - lookBack }
                found = scans + found
                end = stored.start
                if found.count >= limit { break }
                if let floor, stored.start < floor.milliseconds { break }
            }
            let isFar = floor.map { end < $0.milliseconds } ?? false
            if page.count < Self.bucketsPerLook || isFar { break }
        }
        if found.count < limit { found = open + found }
        guard let newest = found.last else { return [] }
        let first = newest.time - lookBack
        return Array(found.drop { $0.time < first }.suffix(limit))
    }

    private static let bucketsPerLook = 2
}
