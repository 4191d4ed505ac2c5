import Telemetry

/// Remembers what each scan group has told lately, to refuse what is told twice.
///
/// Identity is (group, time, sequence): an equal scan at an equal instant is a duplicate, a
/// differing one gets the next sequence. What is older than the memory is looked up in the store.
struct DuplicateFilter: Sendable {
    /// Instants remembered for each group.
    static let memory = 512
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

    private struct Known {
        var sequence: UInt16
        var readings: [Reading]
    }

    private struct Recent {
        var newest: Timestamp
        var scans: [Timestamp: [Known]] = [:]
        var order: [Timestamp] = []
        var oldestIndex = 0
    }

    private var groups: [ScanGroup.ID: Recent] = [:]

    /// Whether anything is known of the group; nothing is, just after a start.
    func knows(_ group: ScanGroup.ID) -> Bool { groups[group] != nil }

    /// Tells the newest instant that the store holds of a group.
    mutating func begin(_ group: ScanGroup.ID, newest: Timestamp?) {
        guard groups[group] == nil else { return }
        groups[group] = Recent(newest: newest ?? Timestamp(milliseconds: .min))
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
        if let known = recent.scans[scan.time] {
            // As the store compares: bit for bit, so that −0 after 0 is no duplicate.
            if known.contains(where: { Reading.areSame($0.readings, scan.readings) }) {
                return .duplicate
            }
            if known.count >= Self.mostAtOneInstant { return .crowded }
            let next = known.map { Int($0.sequence) + 1 }.max() ?? 0
            return .new(sequence: UInt16(clamping: next))
        }
        return scan.time > recent.newest ? .new(sequence: 0) : .unknown
    }

    /// Takes note of what the store holds at an instant, so that it can be judged.
    mutating func recall(_ group: ScanGroup.ID, time: Timestamp, stored: [Scan]) {
        guard groups[group]?.scans[time] == nil else { return }
        note(group, time: time, known: stored.map(Self.known))
    }

    /// Takes note of an admitted scan.
    mutating func admit(_ scan: Scan) {
        if groups[scan.group]?.scans[scan.time] != nil {
            groups[scan.group]?.scans[scan.time]?.append(Self.known(scan))
        } else {
            note(scan.group, time: scan.time, known: [Self.known(scan)])
        }
    }

    /// Forgets a scan that was given up before it was stored, so that it may come again.
    mutating func forget(_ scan: Scan) {
        groups[scan.group]?.scans[scan.time]?.removeAll {
            $0.sequence == scan.sequence
        }
    }

    private static func known(_ scan: Scan) -> Known {
        Known(sequence: scan.sequence, readings: scan.readings)
    }

    private mutating func note(_ group: ScanGroup.ID, time: Timestamp, known: [Known]) {
        var recent = groups.removeValue(forKey: group) ?? Recent(newest: time)
        recent.newest = max(recent.newest, time)
        recent.scans[time] = known
        if recent.order.count < Self.memory {
            recent.order.append(time)
        } else {
            recent.scans.removeValue(forKey: recent.order[recent.oldestIndex])
            recent.order[recent.oldestIndex] = time
            recent.oldestIndex = (recent.oldestIndex + 1) % Self.memory
        }
        groups[group] = recent
    }
}
