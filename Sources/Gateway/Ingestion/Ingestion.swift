import Acquisition
import Logging
import ServiceLifecycle
import Store
import Telemetry

/// Admits scans into a bounded buffer and commits them in groups: the first of the four loops.
///
///     admit ──▶ duplicate? too late? ──▶ buffer ──commit──▶ one journal row ──▶ tickets fulfilled
///
/// A commit happens when the oldest buffered scan has waited for `commitInterval`, at
/// `readingsPerCommit`, when a link holds its window of unacknowledged messages, or when an urgent
/// series changes; for no other reason, because every commit costs flash.
package actor Ingestion: ScanSink {
    /// The bounds of the buffer and the reasons for a commit.
    package struct Options: Sendable {
        package var commitInterval: Duration = .seconds(1)
        package var readingsPerCommit = 8192
        /// Pollers wait when this many readings are buffered.
        package var capacity = 65_536
        /// An empty row is written when nothing came for so long: time passes for the rules.
        package var idleInterval: Duration = .seconds(10)
        /// Scans older than this are refused: their raw data could not be kept.
        package var rawRetention: Duration = .seconds(30 * 86_400)
        /// Scans further ahead are refused: buckets would wait for their time to come.
        package var futureTolerance: Duration = .seconds(3600)
        /// The least time between two commits for urgent changes.
        package var urgentSpacing: Duration = .milliseconds(200)
        /// The time between two attempts while nothing can be written.
        package var retryInterval: Duration = .seconds(1)
        package init() {}
    }

    private struct Place: Hashable {
        var group: ScanGroup.ID
        var time: Timestamp
    }

    private let store: Store
    private let groups: [ScanGroup.ID: ScanGroup]
    private let wallClock: any WallClock
    private let options: Options
    private let counters: GatewayCounters
    private let logger: Logger
    private let onRound: @Sendable () -> Void
    private let watch: Stopwatch
    private let doorbell = Doorbell()
    private let room = Doorbell()
    private var filter = DuplicateFilter()
    private var stamping = Stamping()
    private var waiting = ScanBuffer()
    private var committing: CommitPromise?
    private var latestUrgent: [Int: Reading] = [:]
    private var urgentColumns: [ScanGroup.ID: [(column: Int, series: Int)]] = [:]
    private var isUnstored = false
    // On the watch.
    private var lastCommit = Duration.zero
    private var lastAttempt = Duration.zero
    private var lastRound = Duration.zero

    /// - Parameter onRound: called after each commit, honest idle round or honest failure; feeds
    ///   the watchdog.
    package init(
        store: Store, groups: [ScanGroup], wallClock: any WallClock, clock: any Clock<Duration>,
        options: Options, counters: GatewayCounters, logger: Logger,
        onRound: @escaping @Sendable () -> Void = {}
    ) {
        self.store = store
        self.groups = Dictionary(uniqueKeysWithValues: groups.map { ($0.id, $0) })
        self.wallClock = wallClock
        self.options = options
        self.counters = counters
        self.logger = logger
        self.onRound = onRound
        watch = Stopwatch(clock)
        for group in groups {
            urgentColumns[group.id] = group.series.enumerated().filter { $0.element.isUrgent }
                .map { ($0.offset, $0.element.number) }
        }
    }

    /// Whether the last attempt to commit succeeded.
    package var isStoring: Bool { !isUnstored }

    // MARK: admission

    /// Takes an admission over; suspends only while the buffer is full.
    ///
    /// - Throws: `IngestionError.unstored` for messages while nothing can be written.
    package func admit(_ admission: sending Admission) async throws -> CommitTicket {
        let comesAgain = !admission.deliveries.isEmpty
        if isUnstored, comesAgain { throw IngestionError.unstored }
        while waiting.readings >= options.capacity, !isUnstored {
            await room.wait()
            try Task.checkCancellation()
        }
        let stored = try await lookUp(admission.scans, comesAgain: comesAgain)
        if isUnstored, comesAgain { throw IngestionError.unstored }
        // From here on nothing suspends, so that one commit takes all of an admission: what would
        // be in a row that fails must not be acknowledged with the rest in the next one.
        let now = wallClock.read()
        for scan in admission.scans {
            take(ScanBuffer.Entry(scan: scan, comesAgain: comesAgain), now, stored)
        }
        waiting.deliveries += admission.deliveries
        if waiting.isEmpty {
            // Nothing to store: whatever the scans repeated is committed, or being committed.
            if let committing { return committing.ticket }
            let promise = CommitPromise()
            promise.succeed(sequence: store.reader.newestSequence())
            return promise.ticket
        }
        if waiting.since == nil { waiting.since = watch.elapsed }
        if admission.holdsWindow || waiting.readings >= options.readingsPerCommit {
            hasten(.now)
        }
        return waiting.promise.ticket
    }

    private func take(
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
        if filter.judge(scan) == .unknown {
            let place = Place(group: scan.group, time: scan.time)
            filter.recall(scan.group, time: scan.time, stored: stored[place] ?? [])
        }
        guard case .new(let sequence) = filter.judge(scan) else {
            return counters.dropped(.duplicate, readings: readings)
        }
        entry.scan.sequence = sequence
        filter.admit(entry.scan)
        waiting.append(entry)
        noteUrgent(scan)
        if isUnstored { shed() }
    }

    /// Takes in what has no time of day yet.
    private func takeUntimed(_ entry: ScanBuffer.Entry) {
        var entry = entry
        guard let sequence = stamping.sequence(of: entry.scan) else {
            return counters.dropped(.duplicate, readings: entry.scan.readings.count)
        }
        entry.scan.sequence = sequence
        stamping.admit(entry.scan)
        waiting.append(entry)
        noteUrgent(entry.scan)
        if isUnstored { shed() }
    }

    private func forget(_ scan: Scan) {
        if scan.flags.contains(.monotonicTime) {
            stamping.forget(scan)
        } else {
            filter.forget(scan)
        }
    }

    /// Asks the store about every scan that the filter's memory cannot judge.
    private func lookUp(
        _ scans: [Scan], comesAgain: Bool
    ) async throws -> [Place: [Scan]] {
        var found: [Place: [Scan]] = [:]
        guard wallClock.read().isTrusted else { return found }
        for scan in scans
        where groups[scan.group] != nil && !scan.flags.contains(.monotonicTime)
            && filter.judge(scan) == .unknown
        {
            let place = Place(group: scan.group, time: scan.time)
            do {
                if !filter.knows(scan.group) {
                    let newest = try await store.reader.lastScans(
                        group: scan.group, before: Timestamp(milliseconds: .max), limit: 1,
                        upTo: nil
                    ).last?.time
                    filter.begin(scan.group, newest: newest)
                }
                if filter.judge(scan) != .unknown || found[place] != nil { continue }
                found[place] = try await store.reader.scansAt(
                    group: scan.group, time: scan.time)
            } catch {
                // What comes again can wait until the store answers. A polled scan has no second
                // chance, and it is never told twice, so it is taken unseen.
                if comesAgain { throw error }
                logger.warning("duplicates cannot be looked up", metadata: ["error": "\(error)"])
            }
        }
        return found
    }

    private func noteUrgent(_ scan: Scan) {
        for (column, series) in urgentColumns[scan.group] ?? [] {
            let reading = scan.readings[column]
            if let before = latestUrgent[series], before != reading { hasten(.urgent) }
            latestUrgent[series] = reading
        }
    }

    private func hasten(_ haste: ScanBuffer.Haste) {
        guard waiting.haste < haste else { return }
        waiting.haste = haste
        doorbell.ring()
    }

    /// While nothing can be written the buffer is a ring: the oldest scans go, counted.
    private func shed() {
        guard waiting.readings > options.capacity else { return }
        // A sixteenth at once, because making room moves all that stays.
        for scan in waiting.shed(to: options.capacity - options.capacity / 16) {
            forget(scan)
            counters.dropped(.unstored, readings: scan.readings.count)
        }
    }

    // MARK: the loop

    package func run() async throws {
        let stops = StopSignal()
        let doorbell = doorbell
        await withGracefulShutdownHandler {
            while !stops.isStopped, !Task.isCancelled {
                let due = due
                if due > watch.elapsed {
                    await doorbell.wait(until: due, on: watch)
                } else {
                    await round()
                }
            }
        } onGracefulShutdown: {
            stops.stop()
            doorbell.ring()
        }
        // Acquisition has stopped: what is buffered is all there will be.
        if !waiting.isEmpty { try? await commitNow() }
        guard waiting.isEmpty else {
            counters.dropped(.unstored, readings: waiting.readings)
            waiting.promise.fail(IngestionError.unstored)
            throw IngestionError.unstored
        }
    }

    /// When the next round is due, on the watch.
    private var due: Duration {
        if isUnstored { return lastAttempt + options.retryInterval }
        // A long commit interval must not starve the watchdog.
        let round = lastRound + min(options.commitInterval, options.idleInterval)
        return waiting.isEmpty ? round : min(commitDue, lastRound + options.idleInterval)
    }

    private var commitDue: Duration {
        let patient = (waiting.since ?? .zero) + options.commitInterval
        return switch waiting.haste {
        case .now: .zero
        case .urgent: min(patient, lastCommit + options.urgentSpacing)
        case .none: patient
        }
    }

    private func round() async {
        let now = watch.elapsed
        lastRound = now
        room.ring()
        let isDue =
            isUnstored
            || (waiting.isEmpty ? now - lastCommit >= options.idleInterval : now >= commitDue)
        if isDue { try? await commitNow() }
        onRound()
    }

    /// Commits what is buffered, or an empty row.
    ///
    /// - Throws: what the store reported; polled scans are in the buffer again then.
    func commitNow() async throws {
        let batch = waiting
        waiting = ScanBuffer()
        committing = batch.promise
        defer { committing = nil }
        lastAttempt = watch.elapsed
        room.ring()
        do {
            let sequence = try await write(batch)
            lastCommit = watch.elapsed
            counters.committed(scans: batch.entries.count, readings: batch.readings)
            if isUnstored {
                isUnstored = false
                logger.notice("the store writes again", metadata: ["sequence": "\(sequence)"])
            }
            batch.promise.succeed(sequence: sequence)
        } catch {
            giveBack(batch, error)
            throw error
        }
    }

    /// Commits a batch; first says which time of day this boot's monotonic times have been.
    private func write(_ batch: ScanBuffer) async throws -> Int64 {
        let now = wallClock.read()
        if stamping.isOwed(now), let offset = now.stampOffset {
            try await store.writer.stamp(
                bootID: now.bootID, offset: offset, isEstimated: now.isEstimated)
            stamping.didStamp()
            // The store knows more now than this memory does.
            filter.raise(to: now.wall)
        }
        return try await store.writer.commit(
            Stamping.batch(
                JournalBatch(clock: now, scans: batch.scans, deliveries: batch.deliveries),
                groups: groups))
    }

    /// A commit failed. What comes again is forgotten and not acknowledged, also what was admitted
    /// meanwhile, because it may repeat what has just failed; polled scans wait for the next try.
    private func giveBack(_ batch: ScanBuffer, _ error: any Error) {
        if !isUnstored {
            isUnstored = true
            logger.error(
                "readings cannot be stored; the gateway goes on from memory",
                metadata: ["error": "\(error)"])
        }
        counters.commitFailed()
        let meanwhile = waiting
        waiting = ScanBuffer()
        waiting.since = batch.since ?? meanwhile.since
        for entry in batch.entries + meanwhile.entries {
            if entry.comesAgain { forget(entry.scan) } else { waiting.append(entry) }
        }
        shed()
        batch.promise.fail(error)
        meanwhile.promise.fail(error)
        // Whoever waits for room may go on: the buffer is a ring now.
        room.ring()
    }
}

extension Ingestion: Service {}

/// Why an admission was refused.
package enum IngestionError: Error, CustomStringConvertible {
    case unstored

    package var description: String {
        "nothing can be stored now; messages are not acknowledged until it can (check the disk)"
    }
}
