import Acquisition
import Synchronization
import Telemetry

/// What polled links leave at the door, so that none of them waits for the loop.
extension Ingestion {
    /// What was offered since the loop last looked.
    struct Inbox {
        var admissions: [Admission] = []
        var readings = 0
        /// When the oldest came, on the watch.
        var since: Duration?
    }

    /// Takes polled scans over; the loop meets them at its next round, long before their commit is
    /// due, unless one of them may be urgent.
    package nonisolated func offer(_ admission: Admission) -> Bool {
        guard admission.deliveries.isEmpty, !admission.holdsWindow else { return false }
        let limit = min(options.readingsPerCommit, options.capacity)
        let readings = admission.scans.reduce(0) { $0 + $1.readings.count }
        let now = watch.elapsed
        let held: Int? = inbox.withLock { inbox in
            guard inbox.readings < limit else { return nil }
            if inbox.admissions.isEmpty { inbox.since = now }
            inbox.admissions.append(admission)
            inbox.readings += readings
            return inbox.readings
        }
        guard let held else { return false }
        if held >= limit || admission.scans.contains(where: { urgentColumns[$0.group] != nil }) {
            doorbell.ring()
        }
        return true
    }

    /// Takes in what was offered, as far as there is room.
    ///
    /// - Returns: whether there was room for all of it.
    @discardableResult
    func emptyInbox() async -> Bool {
        if isEmptyingInbox || (waiting.readings >= options.capacity && !isUnstored) { return false }
        let found = inbox.withLock { inbox in
            defer { inbox = Inbox() }
            return inbox
        }
        if found.admissions.isEmpty { return true }
        isEmptyingInbox = true
        defer {
            isEmptyingInbox = false
            emptied.ring()
        }
        for (index, admission) in found.admissions.enumerated() {
            do {
                if try await take(admission, since: found.since) != nil { continue }
            } catch {
                counters.dropped(.malformed, readings: Self.readings(admission))
                continue
            }
            // No room: the next row takes the rest.
            inbox.withLock { inbox in
                let rest = found.admissions[index...]
                inbox.admissions.insert(contentsOf: rest, at: 0)
                inbox.readings += rest.reduce(0) { $0 + Self.readings($1) }
                inbox.since = found.since
            }
            return false
        }
        return true
    }

    static func readings(_ admission: Admission) -> Int {
        admission.scans.reduce(0) { $0 + $1.readings.count }
    }
}
