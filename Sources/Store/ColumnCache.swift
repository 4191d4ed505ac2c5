import Telemetry

/// Columns that were decoded for a chart, kept for the next one.
///
///     bucket ──decode──▶ SealedColumn ──┐
///     journal ──▶ head ──▶ samples ─────┴──▶ ColumnCache ──▶ bars, samples, minutes
///
/// What is kept is never out of date, because it is used only by a look at the head that has the
/// same numbers: `Head.Look.bucketRevision` changes with every seal of the group and every removal,
/// in the same instant in which the scans leave the head, and `HeadGroup.lineage` with everything
/// but a scan behind all others. Numbers only: the memory of a text has no bound.
struct ColumnCache: Sendable {
    /// The memory of all columns together; the least recently used ones go.
    static let mostBytes = 2 << 20
    /// A column that takes more is not kept: it would push out all others.
    static let mostBytesEach = 1 << 20

    struct Place: Hashable, Sendable {
        var group: ScanGroup.ID
        var column: Int
    }

    /// Every bucket of a group that has a part of `[from, to)`, one column of each.
    struct Sealed: Sendable {
        var revision: Int64
        var from: Int64
        var to: Int64
        var columns: [SealedColumn]

        var bytes: Int { columns.reduce(0) { $0 + ($1.bytes ?? 0) } }

        /// Both ranges as one where they touch, if that is not too much; else `next` alone.
        ///
        /// A counter's chart looks at the time before it too, and pages follow each other.
        func joined(with next: Sealed) -> Sealed {
            guard revision == next.revision, from <= next.to, next.from <= to else { return next }
            let starts = Set(next.columns.map(\.start))
            let all = (columns.filter { !starts.contains($0.start) } + next.columns)
                .sorted { $0.start < $1.start }
            // A bucket that was cut in two between the looks at the file.
            guard zip(all, all.dropFirst()).allSatisfy({ $0.end <= $1.start }) else { return next }
            let both = Sealed(
                revision: revision, from: min(from, next.from), to: max(to, next.to), columns: all)
            return both.bytes <= ColumnCache.mostBytesEach ? both : next
        }
    }

    /// One column of the first entries of a group in the head.
    struct Open: Sendable {
        var lineage: Int64
        var samples: [Sample]

        var bytes: Int { samples.capacity * MemoryLayout<Sample>.stride }
    }

    struct Entry: Sendable {
        var sealed: Sealed?
        var open: Open?
        fileprivate var used: Int64 = 0

        fileprivate var bytes: Int { (sealed?.bytes ?? 0) + (open?.bytes ?? 0) }
    }

    private var entries: [Place: Entry] = [:]
    private var looks: Int64 = 0
    private(set) var bytes = 0

    mutating func entry(_ place: Place) -> Entry? {
        guard let index = entries.index(forKey: place) else { return nil }
        looks += 1
        entries.values[index].used = looks
        return entries.values[index]
    }

    mutating func keep(_ sealed: Sealed, of place: Place) {
        change(place) { entry in
            let sealed = entry.sealed?.joined(with: sealed) ?? sealed
            entry.sealed = sealed.bytes <= Self.mostBytesEach ? sealed : nil
        }
    }

    mutating func keep(_ open: Open, of place: Place) {
        change(place) { $0.open = open.bytes <= Self.mostBytesEach ? open : nil }
    }

    private mutating func change(_ place: Place, _ body: (inout Entry) -> Void) {
        var entry = entries.removeValue(forKey: place) ?? Entry()
        bytes -= entry.bytes
        body(&entry)
        looks += 1
        entry.used = looks
        bytes += entry.bytes
        entries[place] = entry
        while bytes > Self.mostBytes,
            let oldest = entries.min(by: { $0.value.used < $1.value.used })
        {
            bytes -= oldest.value.bytes
            entries.removeValue(forKey: oldest.key)
        }
    }
}
