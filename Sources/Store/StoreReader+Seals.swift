import Telemetry

extension StoreReader {
    /// Bytes of unsealed scans in memory, beyond which the largest group is sealed before its hour.
    static let headBudget = 8 << 20
    /// Small groups are sealed together up to so many bytes of scans: each transaction carries the
    /// evaluation's state, and a commit may have to wait for it.
    static let bytesPerStep = 512 << 10
    /// Late scans of one group that are worth opening their buckets for.
    private static let manyLate = 1024
    /// Rows of the journal beyond which the group that holds the oldest is sealed.
    private static let longestJournal: Int64 = 30_000

    /// What should move from the journal into buckets now, in the order in which it should.
    ///
    /// - Parameters:
    ///   - cursor: the evaluation's; scans of later rows stay.
    ///   - now: a trusted instant; nil judges every group by its own newest scan.
    ///   - everything: also what is not due, for a compaction or a test.
    package func dueSeals(
        cursor: Int64, now: Timestamp?, everything: Bool = false
    ) -> [SealRequest] {
        let head = shared.head.value
        let registry = shared.registry.value
        var due: [(request: SealRequest, bytes: Int)] = []
        for (id, entry) in head.groups {
            guard let times = registry.times(of: id), let newest = entry.entries.last?.time else {
                continue
            }
            let mark = head.sealed[id]?.until ?? .min
            let now = now.map { ($0 - times.lateness).milliseconds } ?? .min
            var until = windowEnd(entry, times.period, mark: mark, limit: max(newest, now))
            let late = entry.place(of: mark)
            if everything {
                until = newest &+ 1
            } else if until == nil, entry.entries.count - late >= BucketWindow.longestBucket {
                until = newest
            } else if until == nil, late >= Self.manyLate {
                until = mark
            }
            if until == nil,
                entry.oldestSequence.map({
                    shared.commits.newest - $0 > Self.longestJournal
                }) ?? false
            {
                until = newest
            }
            if let until, hasSealable(entry, before: max(until, mark), cursor) {
                due.append((request(id, until, mark), entry.bytes))
            }
        }
        if due.isEmpty, head.bytes > Self.headBudget {
            for (id, entry) in head.groups.sorted(by: { $0.value.bytes > $1.value.bytes }) {
                guard due.isEmpty || entry.bytes <= Self.bytesPerStep,
                    let newest = entry.entries.last?.time,
                    hasSealable(entry, before: newest, cursor)
                else { break }
                due.append((request(id, newest, head.sealed[id]?.until ?? .min), entry.bytes))
                if due.reduce(0, { $0 + $1.bytes }) >= Self.bytesPerStep { break }
            }
        }
        // Small buckets first: they fill what the last large one has left of its page. Where memory
        // is short, the largest goes first.
        let isShort = head.bytes > Self.headBudget
        return due.sorted {
            if $0.bytes == $1.bytes { return $0.request.group.number < $1.request.group.number }
            return isShort ? $0.bytes > $1.bytes : $0.bytes < $1.bytes
        }.map(\.request)
    }

    /// As many of the first requests as one transaction should carry out, at least one.
    package func step(of requests: [SealRequest]) -> [SealRequest] {
        let head = shared.head.value
        var bytes = 0
        return Array(
            requests.enumerated().prefix { number, request in
                bytes += head.groups[request.group]?.bytes ?? 0
                return number == 0 || bytes <= Self.bytesPerStep
            }.map(\.element))
    }

    /// How many scans of a group no bucket holds.
    package func unsealedScans(of group: ScanGroup.ID) -> Int {
        shared.head.value.groups[group]?.entries.count ?? 0
    }

    private func request(_ id: ScanGroup.ID, _ until: Int64, _ mark: Int64) -> SealRequest {
        SealRequest(group: id, until: Timestamp(milliseconds: max(until, mark)))
    }

    /// The end of the newest window that is over, if the group has scans in one.
    private func windowEnd(
        _ entry: HeadGroup, _ period: Duration?, mark: Int64, limit: Int64
    ) -> Int64? {
        let length = BucketWindow.length(period: period)
        let end = BucketWindow.start(of: limit, length: length)
        let place = entry.place(of: mark)
        guard entry.entries.indices.contains(place), entry.entries[place].time < end else {
            return nil
        }
        return end
    }

    private func hasSealable(_ entry: HeadGroup, before: Int64, _ cursor: Int64) -> Bool {
        entry.entries.contains { $0.time < before && $0.sequence <= cursor }
    }
}
