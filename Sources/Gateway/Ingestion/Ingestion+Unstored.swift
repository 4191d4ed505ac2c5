import Acquisition
import Store
import Telemetry

/// The state `unstored`: pollers go on into a ring, messages stay with their broker.
///
///     commit fails ──────────▶ unstored ──a commit succeeds──▶ storing; the gap is stated
///     or takes 20 s,              │  ▲
///     or the budget is used up    │  │
///                                 ▼  │ fails: a longer pause; the file is opened anew if its
///                              attempt   handles are in doubt
extension Ingestion {
    /// A commit failed. What comes again is forgotten and not acknowledged, also what was admitted
    /// meanwhile, because it may repeat what has just failed; polled scans wait for the next try.
    func giveBack(_ batch: ScanBuffer, _ error: any Error) {
        counters.commitFailed()
        let meanwhile = waiting
        waiting = ScanBuffer()
        waiting.since = batch.since ?? meanwhile.since
        keepPolled(batch.entries + meanwhile.entries)
        if outage == nil {
            begin(cause: "\(error)")
            outage?.note(error)
            outage?.unheard = waiting.scans
        } else {
            outage?.failed(
                error, now: watch.elapsed, longestPause: options.longestRetryInterval)
        }
        shed()
        batch.promise.fail(error)
        meanwhile.promise.fail(error)
        // Whoever waits for room may go on: the buffer is a ring now.
        room.ring()
        if let outage, outage.timesDamaged >= options.attemptsOnDamage {
            fatal = .damaged("\(error)")
            doorbell.ring()
        }
    }

    /// The commit under way has taken too long; what becomes of it is not known.
    ///
    /// Its own promise stays open. The link hangs up by itself after the same time and does not
    /// acknowledge; only the outcome tells it which of the messages that come again are stored.
    func becomeLate() {
        guard let late = underWay else { return }
        underWay?.isLate = true
        counters.commitFailed()
        let meanwhile = waiting
        waiting = ScanBuffer()
        waiting.since = meanwhile.since
        keepPolled(meanwhile.entries)
        if outage == nil {
            begin(cause: "a commit has not returned within \(options.commitLimit)")
            outage?.unheard =
                late.batch.entries.filter { !$0.comesAgain }.map(\.scan) + waiting.scans
        }
        shed()
        meanwhile.promise.fail(IngestionError.unstored)
        room.ring()
    }

    private func begin(cause: String) {
        outage = Outage(
            cause: cause, began: wallClock.read().wall, now: watch.elapsed,
            pause: options.retryInterval)
        logger.error(
            "readings cannot be stored; the gateway goes on from memory",
            metadata: ["error": "\(cause)"])
        observer.onChange(cause)
    }

    /// Puts back what nobody sends again; messages are forgotten, so that they may come again.
    private func keepPolled(_ entries: [ScanBuffer.Entry]) {
        for entry in entries {
            if entry.comesAgain { forget(entry.scan) } else { waiting.append(entry) }
        }
    }

    /// While nothing can be written the buffer is a ring: the oldest scans go, counted.
    func shed() {
        guard waiting.readings > options.capacity else { return }
        // A sixteenth at once, because making room moves all that stays.
        for scan in waiting.shed(to: options.capacity - options.capacity / 16) {
            forget(scan)
            outage?.lost.add(scan)
            counters.dropped(.unstored, readings: scan.readings.count)
        }
    }

    /// Hands what was admitted since the last round to whoever judges it meanwhile.
    func tellScans() {
        guard let scans = outage?.unheard else { return }
        outage?.unheard = []
        observer.onScans(wallClock.read(), scans)
    }

    /// A commit has succeeded.
    func recovered(_ sequence: Int64) {
        guard let outage else { return }
        self.outage = nil
        observer.onChange(nil)
        let statement = outage.statement(until: wallClock.read().wall)
        unstated.append(statement)
        logger.notice(
            "the store writes again",
            metadata: ["sequence": "\(sequence)", "gap": "\(statement)"])
    }

    /// Writes what the outages have cost into the audit chain; tried again after the next commit.
    func stateGaps() async {
        while let statement = unstated.first {
            do {
                try await store.writer.appendAudit(
                    actor: "gateway", action: "store.unstored", detail: statement,
                    at: wallClock.read().wall)
            } catch {
                logger.warning("the gap cannot be stated yet", metadata: ["error": "\(error)"])
                return
            }
            unstated.removeFirst()
        }
    }
}
