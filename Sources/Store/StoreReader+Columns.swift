import BucketCodec
import GRDB
import Telemetry

/// One series over a range of time: out of memory where it was decoded before, else out of the file
/// with no other column decoded.
extension StoreReader {
    /// Where a series stands in a group's scans.
    struct ColumnPlace: Hashable, Sendable {
        var group: ScanGroup
        var column: Int
    }

    /// One column over the time of one bucket, or of the head.
    enum ColumnPart {
        case sealed(SealedColumn, rows: Range<Int>)
        case open([Scan], column: Int)
        case fresh(ArraySlice<Sample>)

        var samples: [Sample] {
            var samples: [Sample] = []
            append(to: &samples)
            return samples
        }

        /// Adds the readings with their times and flags.
        func append(to samples: inout [Sample]) {
            switch self {
            case .sealed(let column, let rows): column.append(rows, to: &samples)
            case .fresh(let fresh): samples += fresh
            case .open(let scans, let column):
                for scan in scans {
                    samples.append(
                        Sample(time: scan.time, reading: scan.readings[column], flags: scan.flags))
                }
            }
        }

        /// Hands over the readings in order.
        func forEach(_ body: (Reading, Timestamp) -> Void) {
            switch self {
            case .sealed(let column, let rows): column.forEach(rows, body)
            case .fresh(let samples):
                for sample in samples { body(sample.reading, sample.time) }
            case .open(let scans, let column):
                for scan in scans { body(scan.readings[column], scan.time) }
            }
        }
    }

    func columns(of series: SeriesID) async throws(StoreError) -> [ColumnPlace] {
        let registry = shared.registry.value
        guard let number = registry.series(series)?.number else { return [] }
        var places: [ColumnPlace] = []
        for groups in [registry.superseded, registry.groups] {
            for group in groups where group.device == series.device {
                if let column = group.series.firstIndex(where: { $0.number == number }) {
                    places.append(ColumnPlace(group: group, column: column))
                }
            }
        }
        return places
    }

    /// Hands over one column of a group, decoding no other where only a bucket holds it.
    func forEachColumn(
        _ place: ColumnPlace, from: Timestamp, to: Timestamp,
        _ body: (ColumnPart) throws(StoreError) -> Bool
    ) async throws(StoreError) {
        guard from < to else { return }
        // The head first: what is sealed after this look is met in its bucket too, and said once.
        let look = try await look(at: place.group.id)
        guard let parts = kept(place, look, from: from, to: to) else {
            return try await forEachStoredColumn(place, look, from: from, to: to, body)
        }
        for part in parts { if try body(part) == false { return } }
    }

    /// A store that is open beside its writer learns of no seal, and a closed one answers nothing.
    private var isKeeping: Bool { keepsColumns && !shared.isReadOnly && !shared.isClosed.value }

    /// The parts of a column without a look at the file; nil where that would not do.
    private func kept(
        _ place: ColumnPlace, _ look: Head.Look, from: Timestamp, to: Timestamp
    ) -> [ColumnPart]? {
        let mark = min(to.milliseconds, max(from.milliseconds, look.sealedUntil))
        guard isKeeping,
            let sealed = shared.columns.withValue({ $0.entry(place.cached)?.sealed }),
            sealed.revision == look.bucketRevision, sealed.from <= from.milliseconds,
            to.milliseconds <= sealed.to, !look.hasScans(from: from.milliseconds, to: mark),
            let fresh = fresh(place, look, from: mark, to: to.milliseconds)
        else { return nil }
        var parts: [ColumnPart] = []
        for column in sealed.columns
        where column.start < to.milliseconds && column.end > from.milliseconds {
            // A bucket that reaches into the time of the head: their scans have to be merged.
            if let first = fresh.first, first.time.milliseconds < column.end { return nil }
            let rows = column.rows(from: from, to: to)
            if !rows.isEmpty { parts.append(.sealed(column, rows: rows)) }
        }
        if !fresh.isEmpty { parts.append(.fresh(fresh)) }
        return parts
    }

    /// One column of what lies in the head with `from` ≤ time < `to`; nil when two scans share an
    /// instant there.
    private func fresh(
        _ place: ColumnPlace, _ look: Head.Look, from: Int64, to: Int64
    ) -> ArraySlice<Sample>? {
        guard let entry = look.entry else { return [] }
        let rows = entry.place(of: from)..<max(entry.place(of: from), entry.place(of: to))
        if rows.isEmpty { return [] }
        guard isKeeping else { return entry.column(place.column)?[rows] }
        let known = shared.columns.withValue { $0.entry(place.cached)?.open }
        let isSame = known?.lineage == entry.lineage
        if isSame, let known, known.samples.count >= rows.upperBound { return known.samples[rows] }
        guard let samples = entry.column(place.column, after: isSame ? known?.samples ?? [] : [])
        else { return nil }
        if samples.allSatisfy({ if case .good(.text) = $0.reading { false } else { true } }) {
            shared.columns.withValue {
                $0.keep(.init(lineage: entry.lineage, samples: samples), of: place.cached)
            }
        }
        return samples[rows]
    }

    /// The last number of a counter among so many scans before an instant, none of them seven days
    /// older than the newest.
    func lastNumber(
        _ place: ColumnPlace, before: Timestamp, among limit: Int
    ) async throws(StoreError) -> Rollup.Timed? {
        // As a rule the scans come at intervals, and one column of a little time tells.
        if let period = place.group.period, period > .zero, period < .seconds(3600) {
            var last: [Sample] = []
            try await forEachColumn(place, from: before - period * (2 * limit), to: before) {
                last = Array((last + $0.samples.suffix(limit)).suffix(limit))
                return true
            }
            if last.count == limit {
                return last.lazy.compactMap { $0.reading.timed(at: $0.time) }.atLastInstant()
            }
        }
        return try await lastScans(group: place.group.id, before: before, limit: limit)
            .compactMap { $0.timed(place.column) }.atLastInstant()
    }

    private func forEachStoredColumn(
        _ place: ColumnPlace, _ look: Head.Look, from: Timestamp, to: Timestamp,
        _ body: (ColumnPart) throws(StoreError) -> Bool
    ) async throws(StoreError) {
        let group = place.group.id
        let mark = min(to.milliseconds, max(from.milliseconds, look.sealedUntil))
        // As a rule no bucket reaches beyond the mark, so one column is all that is decoded.
        var fresh = fresh(place, look, from: mark, to: to.milliseconds)
        var open = look.scans(
            of: group, from: from.milliseconds, to: fresh == nil ? to.milliseconds : mark)[...]
        var kept = isKeeping ? KeptColumns() : nil
        let isWhole = try await forEachBucket(
            of: group, from: from.milliseconds, to: to.milliseconds
        ) { stored throws(StoreError) in
            if let first = fresh?.first, first.time.milliseconds < stored.end {
                fresh = nil
                open += look.scans(of: group, from: mark, to: to.milliseconds)
            }
            let before = open.prefix { $0.time.milliseconds < stored.start }
            open = open.dropFirst(before.count)
            if !before.isEmpty,
                try body(.open(Array(before), column: place.column)) == false
            {
                return false
            }
            let late = open.prefix { $0.time.milliseconds < stored.end }
            open = open.dropFirst(late.count)
            if late.isEmpty {
                if let column = decoded(stored, place) {
                    kept?.add(column)
                    let rows = column.rows(from: from, to: to)
                    if !rows.isEmpty, try body(.sealed(column, rows: rows)) == false {
                        return false
                    }
                }
            } else {
                kept = nil
                let scans = Scan.inOrder(
                    decoded(stored, group).filter { from <= $0.time && $0.time < to } + late)
                if try body(.open(scans, column: place.column)) == false { return false }
            }
            return true
        }
        guard isWhole else { return }
        if !open.isEmpty, try body(.open(Array(open), column: place.column)) == false { return }
        if let fresh, !fresh.isEmpty { _ = try body(.fresh(fresh)) }
        if let columns = kept?.columns {
            await keep(columns, of: place, look, from: from.milliseconds, to: to.milliseconds)
        }
    }

    private func decoded(_ stored: BucketTable.Stored, _ place: ColumnPlace) -> SealedColumn? {
        do throws(Damage) {
            let rows = try BucketCodec.decode(stored.data, columns: [place.column])
            return SealedColumn(rows, column: place.column, start: stored.start, end: stored.end)
        } catch {
            note(error, in: stored, of: place.group.id)
            return nil
        }
    }

    /// Keeps what was decoded. Whatever was sealed since the look is met by nobody with a look of the
    /// same revision but in the head, where it was before.
    private func keep(
        _ columns: [SealedColumn], of place: ColumnPlace, _ look: Head.Look, from: Int64, to: Int64
    ) async {
        let group = place.group.id
        let next: Int64?
        do throws(StoreError) {
            next = try await read("look for buckets of group \(group)") { db in
                try BucketTable.firstStart(group, from: to, db)
            }
        } catch {
            // The answer itself has been given; it is read from the file again the next time.
            return
        }
        let sealed = ColumnCache.Sealed(
            revision: look.bucketRevision, from: min(from, columns.first?.start ?? from),
            to: next ?? .max, columns: columns)
        shared.columns.withValue { $0.keep(sealed, of: place.cached) }
    }
}

extension StoreReader.ColumnPlace {
    fileprivate var cached: ColumnCache.Place { .init(group: group.id, column: column) }
}

extension Head.Look {
    fileprivate func hasScans(from: Int64, to: Int64) -> Bool {
        entry.map { $0.place(of: from) < $0.place(of: to) } ?? false
    }

    /// The scans with `from` ≤ time < `to`, in order.
    fileprivate func scans(of group: ScanGroup.ID, from: Int64, to: Int64) -> [Scan] {
        Scan.inOrder(entry?.scans(of: group, from: from, to: to, upTo: .max) ?? [])
    }
}

/// Collects columns as long as they are few enough to be kept.
private struct KeptColumns {
    private(set) var columns: [SealedColumn]? = []
    private var bytes = 0

    mutating func add(_ column: SealedColumn) {
        bytes += column.bytes ?? ColumnCache.mostBytesEach + 1
        if bytes > ColumnCache.mostBytesEach { columns = nil } else { columns?.append(column) }
    }
}
