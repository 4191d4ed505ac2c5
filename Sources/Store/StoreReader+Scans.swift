import GRDB
import Telemetry

extension StoreReader {
    /// The committed scans of a group with `from` ≤ time < `to`, in order of time and sequence.
    ///
    /// - Parameters:
    ///   - sequence: only from journal rows up to this one; nil takes all.
    ///   - limit: the earliest so many.
    package func scans(
        group: ScanGroup.ID, from: Timestamp, to: Timestamp, upTo sequence: Int64? = nil,
        limit: Int = 100_000
    ) async throws(StoreError) -> [Scan] {
        try await scans(of: [group], from: from, to: to, upTo: sequence, limit: limit)
    }

    /// The scans of a group at exactly one instant, in order of sequence.
    package func scansAt(
        group: ScanGroup.ID, time: Timestamp
    ) async throws(StoreError) -> [Scan] {
        try await scans(group: group, from: time, to: time + .milliseconds(1))
    }

    /// The last scans of a group before an instant, oldest of them first.
    ///
    /// - Parameter lookBack: how far to look, counted from the instant or, if that is earlier,
    ///   from the newest scan.
    package func lastScans(
        group: ScanGroup.ID, before: Timestamp, limit: Int, upTo sequence: Int64? = nil,
        lookBack: Duration = .seconds(7 * 86_400)
    ) async throws(StoreError) -> [Scan] {
        guard limit > 0, let ends = try await journalEnds() else { return [] }
        // A device that fell silent long ago is found at once by the newest scan in memory.
        let newest = shared.latest.value.newest(of: group)?.milliseconds ?? ends.newest
        var end = min(before, Timestamp(milliseconds: min(newest, ends.newest)) + .milliseconds(1))
        let floor = max(end - lookBack, Timestamp(milliseconds: ends.oldest))
        var span = Duration.seconds(900)
        var found: [Scan] = []
        while end > floor, found.count < limit {
            let start = max(floor, end - span)
            let window = try await scans(
                group: group, from: start, to: end, upTo: sequence, limit: Self.windowLimit)
            if window.count == Self.windowLimit, span > .seconds(1) {
                // Too dense to hold: the last ones are not among the earliest of the window.
                span /= 8
                continue
            }
            found = window.suffix(limit - found.count) + found
            end = start
            span *= 4
        }
        return found
    }

    /// Bounds of the scan times in the journal; the newer one may be a minute too late.
    private func journalEnds() async throws(StoreError) -> (oldest: Int64, newest: Int64)? {
        try await read("find the ends of the journal") { db in
            let oldest = try Int64.fetchOne(db, sql: "SELECT min(first_ms) FROM journal")
            let start = try Int64.fetchOne(db, sql: "SELECT max(first_ms) FROM journal")
            let long = try Int64.fetchOne(
                db,
                sql: "SELECT max(last_ms) FROM journal WHERE last_ms - first_ms > 60000")
            guard let oldest, let start else { return nil }
            let short = start.addingReportingOverflow(Self.longSpan)
            return (oldest, max(short.overflow ? .max : short.partialValue, long ?? .min))
        }
    }

    /// The readings of a series with `from` ≤ time < `to`, in order of time.
    ///
    /// Holds what was read while the series had its present unit, whatever group it came in.
    package func samples(
        series: SeriesID, from: Timestamp, to: Timestamp, limit: Int = 10_000
    ) async throws(StoreError) -> [Sample] {
        let registry = shared.registry.value
        guard let number = registry.series(series)?.number else { return [] }
        var columns: [ScanGroup.ID: Int] = [:]
        for group in registry.superseded + registry.groups {
            columns[group.id] = group.series.firstIndex { $0.number == number }
        }
        let found = try await scans(
            of: Set(columns.keys), from: from, to: to, upTo: nil, limit: limit)
        return found.compactMap { scan in
            guard let column = columns[scan.group], column < scan.readings.count else { return nil }
            return Sample(time: scan.time, reading: scan.readings[column], flags: scan.flags)
        }
    }

    /// Journal rows that span more than this are found by their end, the others by their start.
    private static let longSpan: Int64 = 60_000
    private static let rowsPerPage = 256
    private static let windowLimit = 50_000

    private func scans(
        of groups: Set<ScanGroup.ID>, from: Timestamp, to: Timestamp, upTo sequence: Int64?,
        limit: Int
    ) async throws(StoreError) -> [Scan] {
        var query = ScanQuery(
            groups: groups, from: from, to: to, upTo: sequence ?? .max, limit: limit)
        guard from < to, limit > 0 else { return [] }
        let reach = from.milliseconds.subtractingReportingOverflow(Self.longSpan)
        let short = """
            SELECT seq, scans, first_ms FROM journal
            WHERE (first_ms, seq) > (:place, :seq) AND first_ms < :to AND last_ms >= :from
                AND last_ms - first_ms <= 60000 AND seq <= :upTo
            ORDER BY first_ms, seq LIMIT :limit
            """
        let long = """
            SELECT seq, scans, last_ms FROM journal
            WHERE last_ms - first_ms > 60000 AND (last_ms, seq) > (:place, :seq)
                AND first_ms < :to AND seq <= :upTo
                AND last_ms >= :from
            ORDER BY last_ms, seq LIMIT :limit
            """
        try await walk(short, place: reach.overflow ? .min : reach.partialValue, &query)
        try await walk(long, place: from.milliseconds, &query)
        return query.finished()
    }

    /// Takes the rows of one statement in, page by page, each page in a transaction of its own.
    private func walk(
        _ sql: String, place: Int64, _ query: inout ScanQuery
    ) async throws(StoreError) {
        var place = place
        var sequence = Int64.min
        while true {
            let (start, last, now, to) = (place, sequence, query, query.to)
            let page = try await read("read scans") { db in
                try Row.fetchAll(
                    db.cachedStatement(sql: sql),
                    arguments: [
                        "place": start, "seq": last, "from": now.from.milliseconds,
                        "to": to.milliseconds, "upTo": now.upTo, "limit": Self.rowsPerPage,
                    ]
                ).map { (sequence: $0[0] as Int64, blob: $0.bytes(1), place: $0[2] as Int64) }
            }
            for row in page {
                do throws(Damage) {
                    try query.add(row.blob)
                } catch {
                    note(error, in: row.sequence)
                }
            }
            query.trim()
            guard page.count == Self.rowsPerPage, let end = page.last else { return }
            (place, sequence) = (end.place, end.sequence)
        }
    }
}

/// What is looked for, and what has been found; never holds much more than the limit.
private struct ScanQuery: Sendable {
    let groups: Set<ScanGroup.ID>
    let from: Timestamp
    private(set) var to: Timestamp
    let upTo: Int64
    let limit: Int
    private var found: [Scan] = []

    init(groups: Set<ScanGroup.ID>, from: Timestamp, to: Timestamp, upTo: Int64, limit: Int) {
        self.groups = groups
        self.from = from
        self.to = to
        self.upTo = upTo
        self.limit = limit
    }

    mutating func add(_ blob: [UInt8]) throws(Damage) {
        found += try JournalCodec.decode(blob) { group, time in
            groups.contains(group) && from <= time && time < to
        }
    }

    /// Keeps the earliest `limit` scans; what comes later in time need not be read any more.
    mutating func trim() {
        guard found.count > limit else { return }
        found.sort(by: Scan.isEarlier)
        found.removeLast(found.count - limit)
        if let last = found.last { to = min(to, last.time + .milliseconds(1)) }
    }

    func finished() -> [Scan] { Array(found.sorted(by: Scan.isEarlier).prefix(limit)) }
}
