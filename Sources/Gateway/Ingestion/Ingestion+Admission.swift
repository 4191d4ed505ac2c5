import Logging
import Store
import Telemetry

/// What is taken in and what is refused, each refusal counted by its reason.
extension Ingestion {
    typealias Place = ScanBuffer.Place

    /// What is admitted and not committed yet: nobody finds it in the store.
    private func uncommitted(at place: Place) -> [Scan] {
        waiting.scans(at: place) + (underWay?.batch.scans(at: place) ?? [])
    }

    func take(
        _ entry: ScanBuffer.Entry, _ now: ClockReading, _ stored: [Place: [Scan]]
    ) {
        var entry = entry
        entry.scan = stamping.admitted(entry.scan, now)
        let scan = entry.scan
        let readings = scan.readings.count
        guard let group = groups[scan.group], readings == group.series.count else {
            return counters.dropped(.malformed, readings: readings)
        }
        if scan.flags.contains(.monotonicTime) { return takeUntimed(entry) }
        // A clock that nobody trusts must refuse nothing.
        if now.isTrusted, scan.time < now.wall - options.rawRetention {
            return counters.dropped(.lateBeyondRetention, readings: readings)
        }
        if now.isTrusted, scan.time > now.wall + options.futureTolerance {
            return counters.dropped(.fromTheFuture, readings: readings)
        }
        var verdict = filter.judge(scan)
        if verdict == .unknown {
            let place = Place(scan)
            let held = (stored[place] ?? []) + uncommitted(at: place)
            verdict = DuplicateFilter.judge(scan, among: held)
            // A duplicate takes no place in the memory: a long message that is repeated would drive
            // out of it what it repeats next.
            if case .new = verdict { filter.recall(scan.group, time: scan.time, stored: held) }
        }
        guard let sequence = sequence(verdict, of: scan) else { return }
        entry.scan.sequence = sequence
        filter.admit(entry.scan)
        waiting.append(entry)
        noteUrgent(scan)
        if isUnstored {
            outage?.unheard.append(entry.scan)
            shed()
        }
    }

    /// The sequence of a new scan; nil for one that is not taken, which is counted.
    private func sequence(_ verdict: DuplicateFilter.Verdict, of scan: Scan) -> UInt16? {
        switch verdict {
        case .new(let sequence): return sequence
        case .duplicate, .unknown: counters.dropped(.duplicate, readings: scan.readings.count)
        case .crowded:
            counters.dropped(.stuckClock, readings: scan.readings.count)
            if crowded.insert(scan.group).inserted {
                logger.warning(
                    "a device's clock stands still; what more it says at this instant is counted only",
                    metadata: [
                        "device": "\(groups[scan.group]?.device.text ?? "?")",
                        "time": "\(scan.time.rfc3339())",
                    ])
            }
        }
        return nil
    }

    /// Takes in what has no time of day yet.
    private func takeUntimed(_ entry: ScanBuffer.Entry) {
        var entry = entry
        let verdict = stamping.verdict(on: entry.scan) { uncommitted(at: Place(entry.scan)) }
        guard let sequence = sequence(verdict, of: entry.scan) else { return }
        entry.scan.sequence = sequence
        stamping.admit(entry.scan)
        waiting.append(entry)
        noteUrgent(entry.scan)
        if isUnstored { shed() }
    }

    func forget(_ scan: Scan) {
        forgotten &+= 1
        if scan.flags.contains(.monotonicTime) {
            stamping.forget(scan)
        } else {
            filter.forget(scan)
        }
    }

    /// Whether the store has to be asked about an admission. One that is longer than the memory may
    /// drive out of it what it repeats further on.
    func mustLookUp(_ scans: [Scan]) -> Bool {
        if scans.contains(where: { filter.judge($0) == .unknown }) { return true }
        return scans.count > DuplicateFilter.polledMemory
            && scans.contains { !filter.isNewest($0) }
    }

    /// Asks the store about every scan that the filter's memory cannot judge, or no longer when it
    /// is its turn.
    func lookUp(
        _ scans: [Scan], comesAgain: Bool
    ) async throws -> [Place: [Scan]] {
        var found: [Place: [Scan]] = [:]
        for scan in scans
        where groups[scan.group] != nil && !scan.flags.contains(.monotonicTime)
            && !filter.isNewest(scan)
        {
            let place = Place(scan)
            do {
                if !filter.knows(scan.group) {
                    let newest = try await store.reader.lastScans(
                        group: scan.group, before: Timestamp(milliseconds: .max), limit: 1,
                        upTo: nil
                    ).last?.time
                    filter.begin(scan.group, newest: newest)
                }
                if filter.isNewest(scan) || found[place] != nil { continue }
                // Before the store is asked: what is committed meanwhile is in one or the other.
                let held = uncommitted(at: place)
                found[place] =
                    try await store.reader.scansAt(group: scan.group, time: scan.time) + held
            } catch {
                // What comes again can wait until the store answers. A polled scan has no second
                // chance, and it is never told twice, so it is taken unseen.
                if comesAgain { throw error }
                if Task.isCancelled { continue }
                logger.warning("duplicates cannot be looked up", metadata: ["error": "\(error)"])
            }
        }
        return found
    }
}
