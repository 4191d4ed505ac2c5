import Telemetry

/// Remembers what each scan group has told lately, to refuse what is told twice.
///
/// Identity is (group, time, sequence): an equal scan at an equal instant is a duplicate, a
/// differing one gets the next sequence. What is older than the memory is looked up in the store.
struct DuplicateFilter: Sendable {
    /// Instants remembered for each group whose device reports by itself.
    static let memory = 512
    /// Instants remembered for each group that is polled: nobody sends its scans again.
    static let polledMemory = 8
    /// Differing scans of one instant that are taken: more come only from a clock that stands still.
    static let mostAtOneInstant = 1024

    enum Verdict: Equatable {
        case new(sequence: UInt16)
        case duplicate
        /// So many differing scans bear this instant that the device's clock must stand still.
        case crowded
        /// Older than the memory: the store has to be asked.
        case unknown
    }

    /// What is remembered of a scan: its readings as a digest, because they would fill the memory.
    ///
    /// Digests of 64 bits under the process's own key: that two different scans of one instant have
    /// the same one happens less often than that a disk loses one unseen.
    private struct Known {
        var sequence: UInt16
        var digest: Int
    }

    /// One instant of a group, as a rule with one scan.
    private struct Instant {
        var time: Timestamp
        var first: Known?
        var hasMore = false
    }

    private struct Recent {
        /// No remembered instant is newer.
        var newest: Timestamp
        let memory: Int
        /// In the order in which they were told, around the ring from `oldest`.
        var instants: [Instant] = []
        var oldest = 0
        /// The scans after the first of their instant.
        var more: [Timestamp: [Known]] = [:]

        /// Where an instant stands; the latest are looked at first.
        func place(of time: Timestamp) -> Int? {
            if time > newest { return nil }
            return instants[..<oldest].lastIndex { $0.time == time }
                ?? instants[oldest...].lastIndex { $0.time == time }
        }

        func known(at place: Int) -> [Known] {
            let instant = instants[place]
            let first = instant.first.map { [$0] } ?? []
            return instant.hasMore ? first + more[instant.time, default: []] : first
        }

        mutating func set(_ known: [Known], at place: Int) {
            instants[place].first = known.first
            instants[place].hasMore = known.count > 1
            more[instants[place].time] = known.count > 1 ? Array(known.dropFirst()) : nil
        }
    }

    private var groups: [ScanGroup.ID: Recent] = [:]
    private let polled: Set<ScanGroup.ID>

    /// - Parameter groups: those that are polled among them are remembered for a shorter time.
    init(_ groups: [ScanGroup] = []) {
        polled = Set(groups.filter(\.isPolled).map(\.id))
    }

    private func empty(_ group: ScanGroup.ID, newest: Timestamp) -> Recent {
        Recent(newest: newest, memory: polled.contains(group) ? Self.polledMemory : Self.memory)
    }

    /// Whether an instant is newer than all that is known of its group.
    func isNewest(_ scan: Scan) -> Bool {
        groups[scan.group].map { scan.time > $0.newest } ?? false
    }

    /// Whether anything is known of the group; nothing is, just after a start.
    func knows(_ group: ScanGroup.ID) -> Bool { groups[group] != nil }

    /// Tells the newest instant that the store holds of a group.
    mutating func begin(_ group: ScanGroup.ID, newest: Timestamp?) {
        guard groups[group] == nil else { return }
        groups[group] = empty(group, newest: newest ?? Timestamp(milliseconds: .min))
    }

    /// What is not newer than `time` has to be looked up from now on, unless it is remembered.
    mutating func raise(to time: Timestamp) {
        for group in groups.keys {
            let newest = groups[group]?.newest ?? time
            groups[group]?.newest = max(newest, time)
        }
    }

    func judge(_ scan: Scan) -> Verdict {
        guard let recent = groups[scan.group] else { return .unknown }
        guard let place = recent.place(of: scan.time) else {
            return scan.time > recent.newest ? .new(sequence: 0) : .unknown
        }
        return Self.judge(scan, among: recent.known(at: place))
    }

    /// Judges a scan by what else there is of its instant.
    static func judge(_ scan: Scan, among held: [Scan]) -> Verdict {
        judge(scan, among: held.map(known))
    }

    private static func judge(_ scan: Scan, among known: [Known]) -> Verdict {
        let digest = digest(scan.readings)
        if known.contains(where: { $0.digest == digest }) { return .duplicate }
        if known.count >= mostAtOneInstant { return .crowded }
        let next = known.map { Int($0.sequence) + 1 }.max() ?? 0
        return .new(sequence: UInt16(clamping: next))
    }

    /// Takes note of what the store holds at an instant, so that it can be judged.
    mutating func recall(_ group: ScanGroup.ID, time: Timestamp, stored: [Scan]) {
        guard groups[group]?.place(of: time) == nil else { return }
        note(group, time: time, known: stored.map(Self.known))
    }

    /// Takes note of an admitted scan.
    mutating func admit(_ scan: Scan) {
        if let place = groups[scan.group]?.place(of: scan.time) {
            var known = groups[scan.group]?.known(at: place) ?? []
            known.append(Self.known(scan))
            groups[scan.group]?.set(known, at: place)
        } else {
            note(scan.group, time: scan.time, known: [Self.known(scan)])
        }
    }

    /// Forgets a scan that was given up before it was stored, so that it may come again.
    mutating func forget(_ scan: Scan) {
        guard let place = groups[scan.group]?.place(of: scan.time) else { return }
        var known = groups[scan.group]?.known(at: place) ?? []
        known.removeAll { $0.sequence == scan.sequence }
        groups[scan.group]?.set(known, at: place)
    }

    private static func known(_ scan: Scan) -> Known {
        Known(sequence: scan.sequence, digest: digest(scan.readings))
    }

    /// As the store compares: bit for bit, so that −0 after 0 is no duplicate.
    private static func digest(_ readings: [Reading]) -> Int {
        var hasher = Hasher()
        for reading in readings {
            switch reading {
            case .good(.number(let number)): hasher.combine(number.bitPattern)
            case .good(.text(let text)):
                hasher.combine(UInt8(1))
                for byte in text.utf8 { hasher.combine(byte) }
                hasher.combine(UInt8.max)
            case .bad(let reason):
                hasher.combine(UInt8(2))
                hasher.combine(reason.rawValue)
            }
        }
        return hasher.finalize()
    }

    private mutating func note(_ group: ScanGroup.ID, time: Timestamp, known: [Known]) {
        var recent = groups.removeValue(forKey: group) ?? empty(group, newest: time)
        recent.newest = max(recent.newest, time)
        var place = recent.instants.count
        if place < recent.memory {
            recent.instants.append(Instant(time: time))
        } else {
            place = recent.oldest
            recent.more[recent.instants[place].time] = nil
            recent.instants[place] = Instant(time: time)
            recent.oldest = (place + 1) % recent.memory
        }
        recent.set(known, at: place)
        groups[group] = recent
    }
}
