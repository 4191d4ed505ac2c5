import Acquisition
import Logging
import ServiceLifecycle
import Store
import Synchronization
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
        /// A row of the journal holds no more readings than this.
        package var readingsPerRow = 1_048_576
        /// An empty row is written when nothing came for so long: time passes for the rules.
        package var idleInterval: Duration = .seconds(10)
        /// Scans older than this are refused: their raw data could not be kept.
        package var rawRetention: Duration = .seconds(30 * 86_400)
        /// Scans further ahead are refused: buckets would wait for their time to come.
        package var futureTolerance: Duration = .seconds(3600)
        /// The least time between two commits for urgent changes.
        package var urgentSpacing: Duration = .milliseconds(200)
        /// The time between two rounds while nothing can be written, and before the first attempt.
        package var retryInterval: Duration = .seconds(1)
        /// The pause between two attempts doubles up to this.
        package var longestRetryInterval: Duration = .seconds(5)
        /// A commit that takes longer counts as failed until it returns (design 5).
        package var commitLimit: Duration = .seconds(20)
        /// So many attempts in a row that find the file damaged end the gateway.
        package var attemptsOnDamage = 5
        package init() {}
    }

    /// The commit that has not returned yet.
    struct UnderWay {
        var batch: ScanBuffer
        let since: Duration
        /// It has taken longer than `commitLimit`.
        var isLate = false
    }

    let store: Store
    let groups: [ScanGroup.ID: ScanGroup]
    let wallClock: any WallClock
    let options: Options
    let counters: GatewayCounters
    let logger: Logger
    private let onRound: @Sendable () -> Void
    let watch: Stopwatch
    let doorbell = Doorbell()
    let room = Doorbell()
    var filter: DuplicateFilter
    var stamping = Stamping()
    /// Groups of which it has been said that their device's clock stands still.
    var crowded: Set<ScanGroup.ID> = []
    var waiting = ScanBuffer()
    var underWay: UnderWay?
    private var latestUrgent: [Int: Reading] = [:]
    let urgentColumns: [ScanGroup.ID: [(column: Int, series: Int)]]
    let inbox = Mutex(Inbox())
    var isEmptyingInbox = false
    let emptied = Doorbell()
    let observer: UnstoredObserver
    var outage: Outage?
    /// Outages that are over and not in the audit chain yet.
    var unstated: [String] = []
    /// Why the loop gives up: only a new start can help.
    var fatal: IngestionError?
    /// Counts what was admitted and given up again before it was stored.
    var forgotten: UInt64 = 0
    // On the watch.
    private var lastCommit = Duration.zero
    private var lastRound = Duration.zero

    /// - Parameters:
    ///   - observer: told when nothing can be written, and what is admitted meanwhile.
    ///   - onRound: called after each commit, honest idle round or honest failure; feeds the
    ///     watchdog.
    package init(
        store: Store, groups: [ScanGroup], wallClock: any WallClock, clock: any Clock<Duration>,
        options: Options, counters: GatewayCounters, logger: Logger,
        observer: UnstoredObserver = .none,
        onRound: @escaping @Sendable () -> Void = {}
    ) {
        self.store = store
        self.groups = Dictionary(uniqueKeysWithValues: groups.map { ($0.id, $0) })
        self.wallClock = wallClock
        self.options = options
        self.counters = counters
        self.logger = logger
        self.observer = observer
        self.onRound = onRound
        filter = DuplicateFilter(groups)
        watch = Stopwatch(clock)
        var urgent: [ScanGroup.ID: [(column: Int, series: Int)]] = [:]
        for group in groups where group.series.contains(where: \.isUrgent) {
            urgent[group.id] = group.series.enumerated().filter { $0.element.isUrgent }
                .map { ($0.offset, $0.element.number) }
        }
        urgentColumns = urgent
    }

    /// Whether the last attempt to commit succeeded.
    package var isStoring: Bool { !isUnstored }

    var isUnstored: Bool { outage != nil }

    /// Whether a commit has begun and not returned.
    var isCommitting: Bool { underWay != nil }

    /// Whether the loop ends because only a new start can help.
    var isGivingUp: Bool { fatal != nil }

    // MARK: admission

    /// Takes an admission over; suspends only while the buffer is full.
    ///
    /// - Throws: `IngestionError.unstored` for messages while nothing can be written, and
    ///   `IngestionError.tooLarge`.
    package func admit(_ admission: sending Admission) async throws -> CommitTicket {
        let comesAgain = !admission.deliveries.isEmpty
        while true {
            if isUnstored, comesAgain { throw IngestionError.unstored }
            if waiting.readings >= options.capacity, !isUnstored {
                await room.wait()
            } else if isEmptyingInbox {
                // What was offered before keeps its place, also while the loop is taking it in.
                await emptied.wait()
            } else {
                if await emptyInbox(), let ticket = try await take(admission, since: nil) {
                    return ticket
                }
                await room.wait()
            }
            try Task.checkCancellation()
        }
    }

    /// - Parameter since: when the admission came, on the watch; nil: now.
    /// - Returns: nil, and nothing is taken, when the next row has no room for all of it; then a
    ///   commit is on its way.
    func take(
        _ admission: Admission, since: Duration?
    ) async throws -> CommitTicket? {
        let comesAgain = !admission.deliveries.isEmpty
        let readings = Self.readings(admission)
        guard readings <= options.readingsPerRow else { throw IngestionError.tooLarge(readings) }
        var now = wallClock.read()
        var stored: [Place: [Scan]] = [:]
        if now.isTrusted, mustLookUp(admission.scans) {
            let before = forgotten
            stored = try await lookUp(admission.scans, comesAgain: comesAgain)
            if isUnstored, comesAgain { throw IngestionError.unstored }
            // What was found to be waiting may have been given up meanwhile.
            if comesAgain, forgotten != before { throw IngestionError.unstored }
            now = wallClock.read()
        }
        // From here on nothing suspends, so that one commit takes all of an admission: what would
        // be in a row that fails must not be acknowledged with the rest in the next one.
        guard waiting.readings + readings <= options.readingsPerRow else {
            hasten(.now)
            return nil
        }
        for scan in admission.scans {
            take(ScanBuffer.Entry(scan: scan, comesAgain: comesAgain), now, stored)
        }
        waiting.deliveries += admission.deliveries
        if waiting.isEmpty {
            // Nothing to store: whatever the scans repeated is committed, or being committed.
            if let underWay { return underWay.batch.promise.ticket }
            let promise = CommitPromise()
            promise.succeed(sequence: store.reader.newestSequence())
            return promise.ticket
        }
        if waiting.since == nil { waiting.since = since ?? watch.elapsed }
        if admission.holdsWindow || waiting.readings >= options.readingsPerCommit {
            hasten(.now)
        }
        return waiting.promise.ticket
    }

    func noteUrgent(_ scan: Scan) {
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

    // MARK: the loop

    package func run() async throws {
        let stops = StopSignal()
        let doorbell = doorbell
        await withGracefulShutdownHandler {
            // A commit runs beside the loop: one that hangs in the disk must not stop the rounds.
            await withDiscardingTaskGroup { group in
                while !stops.isStopped, !Task.isCancelled, fatal == nil {
                    await emptyInbox()
                    let due = due
                    if due > watch.elapsed {
                        await doorbell.wait(until: due, on: watch)
                    } else if beginRound() {
                        // Begun before anything suspends: the loop goes round at once.
                        let batch = beginCommit()
                        group.addTask { await self.commitRound(batch) }
                    }
                }
            }
        } onGracefulShutdown: {
            stops.stop()
            doorbell.ring()
        }
        // Acquisition has stopped: what is buffered is all there will be.
        // More than one row may be owed: a full buffer takes nothing in before its commit.
        repeat {
            await emptyInbox()
            if waiting.isEmpty || fatal != nil { break }
            do { try await commitNow() } catch { break }
        } while true
        // After a failure all of it is in the ring, to be counted.
        await emptyInbox()
        guard waiting.isEmpty, fatal == nil else {
            counters.dropped(.unstored, readings: waiting.readings)
            waiting.promise.fail(IngestionError.unstored)
            throw fatal ?? IngestionError.unstored
        }
    }

    /// When the next round is due, on the watch.
    private var due: Duration {
        if let underWay, !underWay.isLate { return underWay.since + options.commitLimit }
        if let outage {
            let round = lastRound + options.retryInterval
            return underWay == nil ? min(outage.nextAttempt, round) : round
        }
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

    /// Does what is due besides a commit.
    ///
    /// - Returns: whether a commit is due.
    private func beginRound() -> Bool {
        let now = watch.elapsed
        lastRound = now
        room.ring()
        if underWay != nil {
            if underWay?.isLate == false { becomeLate() }
            tellScans()
            onRound()
            return false
        }
        tellScans()
        let isDue =
            if let outage {
                now >= outage.nextAttempt
            } else {
                waiting.isEmpty ? now - lastCommit >= options.idleInterval : now >= commitDue
            }
        if !isDue { onRound() }
        return isDue
    }

    private func commitRound(_ batch: ScanBuffer) async {
        try? await commit(batch)
        onRound()
        doorbell.ring()
    }

    /// Commits what is buffered, or an empty row.
    ///
    /// - Throws: what the store reported; polled scans are in the buffer again then.
    func commitNow() async throws {
        await emptyInbox()
        while let underWay { _ = try? await underWay.batch.promise.ticket.committed() }
        try await commit(beginCommit())
    }

    private func beginCommit() -> ScanBuffer {
        let batch = waiting
        waiting = ScanBuffer()
        underWay = UnderWay(batch: batch, since: watch.elapsed)
        room.ring()
        return batch
    }

    private func commit(_ batch: ScanBuffer) async throws {
        do {
            if isUnstored, await store.writer.needsReopening {
                try await store.writer.reopen()
                logger.notice("the store's file was opened anew")
            }
            // After the file is opened anew, because only housekeeping can say that there is room.
            if store.reader.isFull { throw IngestionError.full }
            let sequence = try await write(batch)
            underWay = nil
            lastCommit = watch.elapsed
            counters.committed(scans: batch.entries.count, readings: batch.readings)
            recovered(sequence)
            batch.promise.succeed(sequence: sequence)
        } catch {
            underWay = nil
            giveBack(batch, error)
            throw error
        }
        await stateGaps()
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
}

extension Ingestion: Service {}
