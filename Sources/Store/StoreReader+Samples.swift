import BucketCodec
import GRDB
import Telemetry

extension StoreReader {
    /// The readings of a series with `from` ≤ time < `to`, in order of time.
    ///
    /// Holds what was read while the series had its present unit, whatever group it came in.
    /// - Parameter limit: the earliest so many.
    package func samples(
        series: SeriesID, from: Timestamp, to: Timestamp, limit: Int = 10_000
    ) async throws(StoreError) -> [Sample] {
        guard limit > 0 else { return [] }
        var found: [Sample] = []
        try await samples(series: series, from: from, to: to) { page in
            found += page
            return found.count < limit
        }
        return found.count > limit ? Array(found.prefix(limit)) : found
    }

    /// Hands the readings of a series over in order, one bucket's worth at a time: a year costs no
    /// more memory than an hour.
    ///
    /// - Parameter page: returns whether it wants more.
    package func samples(
        series: SeriesID, from: Timestamp, to: Timestamp,
        _ page: ([Sample]) throws(StoreError) -> Bool
    ) async throws(StoreError) {
        let columns = try await columns(of: series)
        // As a rule one group holds a series. Its samples come page by page; those of several
        // groups, after a change of the column list, follow each other and are sorted together.
        guard columns.count != 1, !columns.isEmpty else {
            guard let only = columns.first else { return }
            return try await forEachColumn(only, from: from, to: to) { column throws(StoreError) in
                try page(column.samples)
            }
        }
        var all: [Sample] = []
        for column in columns {
            try await forEachColumn(column, from: from, to: to) { part in
                all += part.samples
                return true
            }
        }
        _ = try page(all.sorted { $0.time < $1.time })
    }

    /// Where a series stands in a group's scans.
    struct ColumnPlace: Hashable, Sendable {
        var group: ScanGroup
        var column: Int
    }

    /// One column over the time of one bucket, or of the head.
    enum ColumnPart {
        case sealed(BucketRows, column: Int, rows: Range<Int>)
        case open([Scan], column: Int)
        case fresh([Sample])

        var samples: [Sample] {
            switch self {
            case .sealed(let bucket, let column, let rows):
                let readings = bucket.columns[column]
                return rows.map {
                    Sample(
                        time: bucket.times[$0], reading: readings.reading(at: $0),
                        flags: bucket.flags[$0])
                }
            case .fresh(let samples): return samples
            case .open(let scans, let column):
                return scans.map {
                    Sample(time: $0.time, reading: $0.readings[column], flags: $0.flags)
                }
            }
        }
    }

    func columns(of series: SeriesID) async throws(StoreError) -> [ColumnPlace] {
        let registry = shared.registry.value
        guard let number = registry.series(series)?.number else { return [] }
        return (registry.superseded + registry.groups).compactMap { group in
            group.series.firstIndex { $0.number == number }.map {
                ColumnPlace(group: group, column: $0)
            }
        }
    }

    /// Hands over one column of a group, decoding no other where only a bucket holds it.
    func forEachColumn(
        _ place: ColumnPlace, from: Timestamp, to: Timestamp,
        _ body: (ColumnPart) throws(StoreError) -> Bool
    ) async throws(StoreError) {
        guard from < to else { return }
        let group = place.group.id
        // The head first: what is sealed after this look is met in its bucket too, and said once.
        let head = try await head()
        let entry = head.groups[group]
        let mark = min(
            to.milliseconds, max(from.milliseconds, head.sealed[group]?.until ?? .min))
        // As a rule no bucket reaches beyond the mark, so one column is all that is decoded.
        var fresh = entry?.column(place.column, from: mark, to: to.milliseconds)
        var open = Scan.inOrder(
            entry?.scans(
                of: group, from: from.milliseconds, to: fresh == nil ? to.milliseconds : mark,
                upTo: .max) ?? [])[...]
        var start = from.milliseconds
        while true {
            let begin = start
            let page = try await read("read the buckets of group \(group)") { db in
                try BucketTable.page(
                    group, from: begin, to: to.milliseconds, limit: Self.sealedPerPage, db)
            }
            for stored in page {
                if let first = fresh?.first, first.time.milliseconds < stored.end {
                    fresh = nil
                    open += Scan.inOrder(
                        entry?.scans(of: group, from: mark, to: to.milliseconds, upTo: .max) ?? [])
                }
                let before = open.prefix { $0.time.milliseconds < stored.start }
                open = open.dropFirst(before.count)
                if !before.isEmpty,
                    try body(.open(Array(before), column: place.column)) == false
                {
                    return
                }
                let late = open.prefix { $0.time.milliseconds < stored.end }
                open = open.dropFirst(late.count)
                let part: ColumnPart?
                if late.isEmpty {
                    part = sealed(stored, place, from, to)
                } else {
                    let scans = decoded(stored, group).filter { from <= $0.time && $0.time < to }
                    part = .open(Scan.inOrder(scans + late), column: place.column)
                }
                if let part, try body(part) == false { return }
                start = max(start, stored.end)
            }
            if page.count < Self.sealedPerPage { break }
        }
        if !open.isEmpty, try body(.open(Array(open), column: place.column)) == false { return }
        if let fresh, !fresh.isEmpty { _ = try body(.fresh(fresh)) }
    }

    private func sealed(
        _ stored: BucketTable.Stored, _ place: ColumnPlace, _ from: Timestamp, _ to: Timestamp
    ) -> ColumnPart? {
        do throws(Damage) {
            let rows = try BucketCodec.decode(stored.data, columns: [place.column])
            let first = rows.times.firstIndex { $0 >= from } ?? rows.times.count
            let last = rows.times.lastIndex { $0 < to } ?? -1
            guard first <= last else { return nil }
            return .sealed(rows, column: place.column, rows: first..<last + 1)
        } catch {
            note(error, in: stored, of: place.group.id)
            return nil
        }
    }
}
