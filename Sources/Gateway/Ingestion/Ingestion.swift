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
    package struct Options: Sendable {
        package var commitInterval: Duration = .seconds(1)
        package var readingsPerCommit = 8192
        /// Pollers wait when this many readings are buffered.
        package var capacity = 65_536
        /// An empty row is written when nothing came for so long: time passes for the rules.
        package var idleInterval: Duration = .seconds(10)
        /// Scans older than this are refused: their raw data could not be kept.
        package var rawRetention: Duration = .seconds(30 * 86_400)
        /// The least time between two commits for urgent changes.
        package var urgentSpacing: Duration = .milliseconds(200)
        package init() {}
    }

    private struct Waiting {
        var scans: [Scan] = []
        var deliveries: [DeliveryMark] = []
        var readings = 0
        var promise = CommitPromise()
        var isUrgent = false
    }

    private let store: Store
    private let groups: [ScanGroup.ID: ScanGroup]
    private let wallClock: any WallClock
    private let clock: any Clock<Duration>
    private let options: Options
    private let counters: GatewayCounters
    private let logger: Logger
    private let onRound: @Sendable () -> Void
    private let doorbell = Doorbell()
    private let room = Doorbell()
    private var filter = DuplicateFilter()
    private var waiting = Waiting()
    private var committing: CommitPromise?
    private var latestUrgent: [Int: Reading] = [:]
    private var urgentColumns: [ScanGroup.ID: [(column: Int, series: Int)]] = [:]
    private var isUnstored = false

    /// - Parameter onRound: called after each commit and each honest idle round; feeds the watchdog.
    package init(
        store: Store, groups: [ScanGroup], wallClock: any WallClock, clock: any Clock<Duration>,
        options: Options, counters: GatewayCounters, logger: Logger,
        onRound: @escaping @Sendable () -> Void = {}
    ) {
        self.store = store
        self.groups = Dictionary(uniqueKeysWithValues: groups.map { ($0.id, $0) })
        self.wallClock = wallClock
        self.clock = clock
        self.options = options
        self.counters = counters
        self.logger = logger
        self.onRound = onRound
        for group in groups {
            urgentColumns[group.id] = group.series.enumerated().filter { $0.element.isUrgent }
                .map { ($0.offset, $0.element.number) }
        }
    }

    // MARK: admission

    package func admit(_ admission: sending Admission) async throws -> CommitTicket {
        if isUnstored, !admission.deliveries.isEmpty { throw IngestionError.unstored }
        while waiting.readings >= options.capacity, !isUnstored {
            doorbell.ring()
            await room.wait()
            try Task.checkCancellation()
        }
        let oldest = wallClock.read().wall - options.rawRetention
        for scan in admission.scans { await take(scan, oldest: oldest) }
        waiting.deliveries += admission.deliveries
        if admission.holdsWindow || waiting.isUrgent || waiting.readings >= options.readingsPerCommit
        {
            waiting.isUrgent = true
            doorbell.ring()
        }
        if waiting.scans.isEmpty, waiting.deliveries.isEmpty {
            // Nothing to store: whatever the scans repeated is committed, or being committed.
            if let committing { return committing.ticket }
            let promise = CommitPromise()
            promise.succeed(sequence: store.reader.newestSequence())
            return promise.ticket
        }
        return waiting.promise.ticket
    }

    private func take(_ scan: Scan, oldest: Timestamp) async {
        guard let group = groups[scan.group], scan.readings.count == group.series.count else {
            counters.dropped(.malformed, readings: scan.readings.count)
            return
        }
        guard scan.time >= oldest else {
            counters.dropped(.lateBeyondRetention, readings: scan.readings.count)
            return
        }
        var verdict = filter.judge(scan)
        if verdict == .unknown {
            await recall(scan)
            verdict = filter.judge(scan)
        }
        guard case .new(let sequence) = verdict else {
            counters.dropped(.duplicate, readings: scan.readings.count)
            return
        }
        var admitted = scan
        admitted.sequence = sequence
        filter.admit(admitted)
        waiting.scans.append(admitted)
        waiting.readings += admitted.readings.count
        noteUrgent(admitted)
        shedIfUnstored()
    }

    /// Asks the store what it holds of the group at the scan's instant.
    private func recall(_ scan: Scan) async {
        do {
            if !filter.knows(scan.group) {
                let newest = try await store.reader.lastScans(
                    group: scan.group, before: Timestamp(milliseconds: .max), limit: 1,
                    upTo: nil
                ).last?.time
                filter.begin(scan.group, newest: newest)
                if filter.judge(scan) != .unknown { return }
            }
            let stored = try await store.reader.scansAt(group: scan.group, time: scan.time)
            filter.recall(scan.group, time: scan.time, stored: stored)
        } catch {
            // A reader that fails must not cost the scan: it is admitted, and a duplicate is the
            // lesser evil, because evaluation folds equal scans of one instant by sequence.
            logger.warning("duplicates cannot be looked up", metadata: ["error": "\(error)"])
            filter.recall(scan.group, time: scan.time, stored: [])
        }
    }

    private func noteUrgent(_ scan: Scan) {
        for (column, series) in urgentColumns[scan.group] ?? [] {
            let reading = scan.readings[column]
            if let before = latestUrgent[series], before != reading { waiting.isUrgent = true }
            latestUrgent[series] = reading
        }
    }

    /// While nothing can be written the buffer is a ring: the oldest scans go, counted.
    private func shedIfUnstored() {
        guard isUnstored else { return }
        var shed = 0
        while waiting.readings > options.capacity, shed < waiting.scans.count {
            let readings = waiting.scans[shed].readings.count
            waiting.readings -= readings
            filter.forget(waiting.scans[shed])
            counters.dropped(.unstored, readings: readings)
            shed += 1
        }
        waiting.scans.removeFirst(shed)
    }

    // MARK: the loop

    package func run() async throws {
        let stops = StopSignal()
        let doorbell = doorbell
        let lastCommit = Stopwatch(clock)
        await withGracefulShutdownHandler {
            while !stops.isStopped {
                await waitForWork(lastCommit)
                if stops.isStopped { break }
                await commit(lastCommit)
            }
        } onGracefulShutdown: {
            stops.stop()
            doorbell.ring()
        }
        // Acquisition has stopped: what is buffered is all there will be.
        await commit(lastCommit)
        if isUnstored {
            waiting.promise.fail(IngestionError.unstored)
            throw IngestionError.unstored
        }
    }

    /// Waits until a commit is due: a full interval, unless somebody rings.
    private func waitForWork(_ lastCommit: Stopwatch) async {
        if waiting.isUrgent, lastCommit.elapsed < options.urgentSpacing {
            try? await clock.sleep(for: options.urgentSpacing - lastCommit.elapsed)
        }
        if waiting.isUrgent { return }
        await doorbell.wait(atMost: options.commitInterval, clock: clock)
    }

    /// Commits what is buffered, or an empty row: a round of the loop, for tests that step it.
    func commitNow() async throws {
        let batch = waiting
        waiting = Waiting()
        let sequence = try await store.writer.commit(
            JournalBatch(
                clock: wallClock.read(), scans: batch.scans, deliveries: batch.deliveries))
        batch.promise.succeed(sequence: sequence)
    }

    private func commit(_ lastCommit: Stopwatch) async {
        let isIdle = waiting.scans.isEmpty && waiting.deliveries.isEmpty
        if isIdle, lastCommit.elapsed < options.idleInterval, !isUnstored {
            onRound()
            return
        }
        let batch = waiting
        waiting = Waiting()
        committing = batch.promise
        defer { committing = nil }
        room.ring()
        let row = JournalBatch(
            clock: wallClock.read(), scans: batch.scans, deliveries: batch.deliveries)
        do {
            let sequence = try await store.writer.commit(row)
            lastCommit.restart()
            counters.committed(scans: batch.scans.count, readings: batch.readings)
            if isUnstored {
                isUnstored = false
                logger.notice("the store writes again", metadata: ["sequence": "\(sequence)"])
            }
            batch.promise.succeed(sequence: sequence)
            onRound()
        } catch {
            giveBack(batch, error)
        }
    }

    /// A commit failed: MQTT learns it at once and does not acknowledge; polled scans wait in the
    /// ring for the next try.
    private func giveBack(_ batch: Waiting, _ error: any Error) {
        if !isUnstored {
            isUnstored = true
            logger.error(
                "readings cannot be stored; the gateway goes on from memory",
                metadata: ["error": "\(error)"])
        }
        counters.commitFailed()
        batch.promise.fail(error)
        waiting.scans = batch.scans + waiting.scans
        waiting.readings += batch.readings
        shedIfUnstored()
    }

    /// Whether the last commit failed and nothing has been stored since.
    package var isStoring: Bool { !isUnstored }
}

extension Ingestion: Service {}

/// Why an admission was refused.
package enum IngestionError: Error, CustomStringConvertible {
    case unstored

    package var description: String {
        "nothing can be stored now; messages are not acknowledged until it can (check the disk)"
    }
}
