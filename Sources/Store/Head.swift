import Telemetry

/// The committed scans that no bucket holds yet, in memory.
///
///     journal row ──▶ head ──seal──▶ bucket
///
/// Scans lie here as the journal's own bytes, about three a reading. What is sealed leaves; the
/// rest is rebuilt from the journal at a start. Scans of a clock without a mapping wait apart.
struct Head: Sendable {
    private(set) var groups: [ScanGroup.ID: HeadGroup] = [:]
    /// By boot: scans in monotonic time, until the boot's mapping is known.
    private(set) var unstamped: [Int64: [Unstamped]] = [:]
    /// A scan without its readings, and these as the journal wrote them.
    struct Unstamped: Sendable {
        var sequence: Int64
        var scan: Scan
        var body: [UInt8]
    }

    /// How far each group is sealed.
    private(set) var sealed: [ScanGroup.ID: SealMark] = [:]
    private(set) var bytes = 0
    /// The number of the last change that could void what was decoded before it. It never goes
    /// back, not even when the file is opened anew, so a number stands for one state for ever.
    private(set) var changes: Int64
    /// The change after which all buckets count as new, and the later ones of single groups.
    private var bucketChange: Int64
    private var bucketChanges: [ScanGroup.ID: Int64] = [:]

    /// - Parameter changes: that of the head which this one follows.
    init(sealed: [ScanGroup.ID: SealMark] = [:], after changes: Int64 = 0) {
        self.sealed = sealed
        self.changes = changes + 1
        bucketChange = changes + 1
    }

    /// What a reader needs of one group: taken in one piece, because scans leave the head in the
    /// same instant in which the revision of the buckets says that these hold them.
    struct Look: Sendable {
        var entry: HeadGroup?
        var sealedUntil: Int64
        var bucketRevision: Int64
    }

    func look(at group: ScanGroup.ID) -> Look {
        Look(
            entry: groups[group], sealedUntil: sealed[group]?.until ?? .min,
            bucketRevision: bucketChanges[group] ?? bucketChange)
    }

    /// Notes that buckets of a group, or any buckets, are not what they were.
    mutating func bucketsChanged(of group: ScanGroup.ID? = nil) {
        changes += 1
        if let group {
            bucketChanges[group] = changes
        } else {
            (bucketChange, bucketChanges) = (changes, [:])
        }
    }

    /// Whether a bucket holds what journal row `sequence` said of `time`.
    func isSealed(_ group: ScanGroup.ID, time: Int64, sequence: Int64) -> Bool {
        sealed[group].map { sequence <= $0.sequence && time < $0.until } ?? false
    }

    /// Notes that everything up to a mark is in buckets.
    mutating func mark(_ group: ScanGroup.ID, _ mark: SealMark) { sealed[group] = mark }

    /// Takes in one committed scan.
    mutating func add(_ scan: Scan, sequence: Int64, body: ArraySlice<UInt8>) {
        var group = groups.removeValue(forKey: scan.group) ?? HeadGroup()
        let before = group.bytes
        let isNext = group.add(scan, sequence: sequence, body: body)
        if !isNext || group.lineage == 0 {
            changes += 1
            group.lineage = changes
        }
        bytes += group.bytes - before
        groups[scan.group] = group
    }

    /// Keeps a scan of an untrusted clock until its boot is mapped.
    mutating func hold(_ scan: Scan, sequence: Int64, boot: Int64, body: [UInt8]) {
        unstamped[boot, default: []].append(
            Unstamped(sequence: sequence, scan: scan, body: body))
    }

    /// Hands over what waited for the mapping of a boot.
    mutating func takeUnstamped(boot: Int64) -> [Unstamped] {
        unstamped.removeValue(forKey: boot) ?? []
    }

    /// Lets go of what a seal has put into buckets.
    mutating func removeSealed(
        _ group: ScanGroup.ID, before: Int64, upTo sequence: Int64
    ) {
        guard var entry = groups.removeValue(forKey: group) else { return }
        let size = entry.bytes
        entry.remove(before: before, upTo: sequence)
        changes += 1
        entry.lineage = changes
        bytes += entry.bytes - size
        if !entry.isEmpty { groups[group] = entry }
    }

    /// Those of some journal rows that are still needed here.
    func neededSequences(in rows: ClosedRange<Int64>) -> Set<Int64> {
        var needed: Set<Int64> = []
        for scans in unstamped.values {
            for scan in scans where rows.contains(scan.sequence) { needed.insert(scan.sequence) }
        }
        for group in groups.values {
            for entry in group.entries where rows.contains(entry.sequence) {
                needed.insert(entry.sequence)
            }
        }
        return needed
    }
}

/// How far a group is sealed: rows up to `sequence`, of times before `until`.
struct SealMark: Hashable, Sendable {
    var sequence: Int64
    /// Milliseconds since 1970.
    var until: Int64

    /// Before the first seal.
    static let none = SealMark(sequence: 0, until: .min)
}

/// The unsealed scans of one group, in order of time; those of one instant as they came.
struct HeadGroup: Sendable {
    struct Entry: Sendable {
        var time: Int64
        var sequence: Int64
        var offset: Int32
        var length: Int32
        var order: UInt16
        var flags: ScanFlags
    }

    private(set) var entries: [Entry] = []
    /// The readings of the entries, as the journal writes them.
    private var bodies: [UInt8] = []
    /// Bytes of `bodies` whose entries are gone.
    private var unused = 0
    /// The lowest journal sequence among the entries.
    private(set) var oldestSequence: Int64?
    /// As long as it stays the same, entries have only been appended. 0 before the first.
    fileprivate(set) var lineage: Int64 = 0

    var isEmpty: Bool { entries.isEmpty }
    var bytes: Int { bodies.count - unused + entries.count * MemoryLayout<Entry>.stride }

    /// - Returns: whether the scan stands behind all others.
    mutating func add(_ scan: Scan, sequence: Int64, body: ArraySlice<UInt8>) -> Bool {
        let entry = Entry(
            time: scan.time.milliseconds, sequence: sequence, offset: Int32(bodies.count),
            length: Int32(body.count), order: scan.sequence, flags: scan.flags)
        bodies += body
        oldestSequence = min(oldestSequence ?? sequence, sequence)
        if let last = entries.last, last.time > entry.time {
            entries.insert(entry, at: place(after: entry.time))
            return false
        }
        entries.append(entry)
        return true
    }

    /// Where the first entry stands whose time is not before `time`.
    func place(of time: Int64) -> Int { search { $0 < time } }

    private func place(after time: Int64) -> Int { search { $0 <= time } }

    private func search(_ isBefore: (Int64) -> Bool) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(entries[middle].time) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func scan(_ entry: Entry, of group: ScanGroup.ID) -> Scan? {
        guard let readings = JournalCodec.readings(of: bodies, at: Int(entry.offset)) else {
            return nil
        }
        return Scan(
            group: group, time: Timestamp(milliseconds: entry.time), sequence: entry.order,
            flags: entry.flags, readings: readings)
    }

    /// The scans with `from` ≤ time < `to` from journal rows up to `sequence`.
    func scans(
        of group: ScanGroup.ID, from: Int64, to: Int64, upTo sequence: Int64
    ) -> [Scan] {
        entries[place(of: from)...].prefix { $0.time < to }
            .filter { $0.sequence <= sequence }.compactMap { scan($0, of: group) }
    }

    /// One column of all entries; nil when two scans share an instant, because their order takes
    /// all that they say.
    ///
    /// - Parameter known: what this said of the first entries in the same lineage.
    func column(_ index: Int, after known: [Sample] = []) -> [Sample]? {
        var samples = known
        samples.reserveCapacity(entries.count)
        for entry in entries.dropFirst(known.count) {
            if let last = samples.last, last.time.milliseconds == entry.time { return nil }
            guard
                let reading = JournalCodec.reading(
                    of: bodies, at: Int(entry.offset), column: index)
            else { return nil }
            samples.append(
                Sample(
                    time: Timestamp(milliseconds: entry.time), reading: reading,
                    flags: entry.flags))
        }
        return samples
    }

    /// The instant before which there are at least `count` scans, without those of the instant;
    /// nil when all scans before `to` are no more.
    func time(after count: Int, before to: Int64, upTo sequence: Int64) -> Int64? {
        var left = count
        var first: Int64?
        for entry in entries where entry.sequence <= sequence {
            if entry.time >= to { return nil }
            if left <= 0, let first, entry.time > first { return entry.time }
            left -= 1
            first = first ?? entry.time
        }
        return nil
    }

    mutating func remove(before: Int64, upTo sequence: Int64) {
        var kept: [Entry] = []
        var oldest: Int64?
        kept.reserveCapacity(entries.count)
        for entry in entries {
            if entry.time >= before || entry.sequence > sequence {
                oldest = min(oldest ?? entry.sequence, entry.sequence)
                kept.append(entry)
            } else {
                unused += Int(entry.length)
            }
        }
        (entries, oldestSequence) = (kept, oldest)
        // Moved together only when half of it is gone: a long journal leaves in many steps.
        if unused > bodies.count / 2 { compact() }
    }

    private mutating func compact() {
        var kept: [UInt8] = []
        kept.reserveCapacity(bodies.count - unused)
        for index in entries.indices {
            let begin = Int(entries[index].offset)
            entries[index].offset = Int32(kept.count)
            kept += bodies[begin..<begin + Int(entries[index].length)]
        }
        (bodies, unused) = (kept, 0)
    }
}
