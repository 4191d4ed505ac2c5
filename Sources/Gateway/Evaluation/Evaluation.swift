import Acquisition
import Logging
import ServiceLifecycle
import Store
import Telemetry

/// Follows the journal and stores what follows from it: the second of the gateway's four loops.
///
/// A start restores the last checkpoint (state and cursor) and folds forward. What follows from
/// rows alone (a bucket's first close, a transition, an item owed) has a deterministic key and is
/// stored without a checkpoint: folding the same rows again repeats it, and changes nothing. What
/// follows from looking back at stored rollups, and every seal, carries the checkpoint in its own
/// transaction, so that it is never compared with what came later
/// (`docs/decisions/0006-effects-and-cursor-in-one-transaction.md`).
package struct Evaluation: Service {
    private let store: Store
    private let machine: EvaluationMachine
    private let dueFolds: DueFolds
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let options: Options
    private let onProgress: @Sendable (Int64) -> Void
    /// The only way to the disk; tests put themselves in between.
    var write: @Sendable (EvaluationEffects) async throws -> Void

    /// How the loop trades flash wear for delay.
    package struct Options: Sendable {
        /// Rollups wait this long for company; alarm transitions never wait.
        package var flushInterval: Duration = .seconds(5)
        /// Late scans are merged into closed buckets no more often than this.
        package var lateInterval: Duration = .seconds(10)
        package var rowsPerPage = 256
        /// Transactions of seals before the journal is looked at again.
        package var sealsPerRound = 4
        /// State and cursor are stored after so many rows even when nothing followed from them,
        package var rowsPerCheckpoint: Int64 = 4096
        /// and after this time: what a start has to fold again is no longer than that.
        package var checkpointInterval: Duration = .seconds(300)
        /// The time between two attempts while the store fails.
        package var retryInterval: Duration = .seconds(5)
        /// So many attempts in a row that find the file damaged end the gateway: its next start
        /// salvages the file, and rules that nobody evaluates protect nobody.
        package var attemptsOnDamage = 3
        package init() {}
    }

    /// - Parameter onProgress: told the cursor after each page; must not block.
    package init(
        store: Store, machine: EvaluationMachine, calendar: SiteCalendar,
        clock: any Clock<Duration>, logger: Logger, options: Options = Options(),
        onProgress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) {
        self.store = store
        self.machine = machine
        dueFolds = DueFolds(reader: store.reader, calendar: calendar)
        self.clock = clock
        self.logger = logger
        self.options = options
        self.onProgress = onProgress
        let writer = store.writer
        write = { try await writer.apply($0) }
    }

    /// - Throws: what the store reported when it is beyond repair or found damaged again and again,
    ///   or when the task is cancelled.
    package func run() async throws {
        // Ingestion stops first, so the last rows are in the journal when this loop is asked to
        // stop: it folds them, writes its state and leaves nothing to repeat.
        let stops = StopSignal()
        var reported: String?
        var damage = (attempts: 0, cursor: Int64(-1))
        try await withGracefulShutdownHandler {
            while !stops.isStopped {
                do {
                    try await follow(until: stops)
                } catch let error as StoreError where error.disposition != .stop {
                    try Task.checkCancellation()
                    // While the file waits to be opened anew every write is refused unseen.
                    if error.code == .corrupt, await !store.writer.needsReopening {
                        let cursor = (try? await store.reader.checkpoint())??.cursor ?? 0
                        damage = (cursor == damage.cursor ? damage.attempts + 1 : 1, cursor)
                        if damage.attempts >= options.attemptsOnDamage { throw error }
                    }
                    // What was taken from the machine may not be stored: the fold goes back to the
                    // last checkpoint, as after a restart.
                    if reported != error.description {
                        reported = error.description
                        logger.error(
                            "evaluation waits for the store", metadata: ["error": "\(error)"])
                    }
                    await cancelWhenGracefulShutdown {
                        try? await clock.sleep(for: options.retryInterval)
                    }
                }
            }
        } onGracefulShutdown: {
            stops.stop()
        }
    }

    /// Restores the machine and follows the journal until asked to stop.
    private func follow(until stops: StopSignal) async throws {
        var progress = try await begin()
        while !stops.isStopped {
            try await step(&progress)
            // A backlog (an older version's journal) is worked off a little in each round.
            if try await seal(&progress, atMost: options.sealsPerRound) { continue }
            await waitForWork(progress)
        }
        try await step(&progress)
        // What is due from before stays due: the next start works it off.
        if progress.machine.hasEffects || progress.machine.cursor > progress.storedCursor {
            try await apply(&progress, withState: true)
        }
    }

    /// Folds all that the journal holds, stores it and writes the state: one round of the loop.
    func catchUp() async throws {
        var progress = try await begin()
        try await catchUp(&progress)
    }

    /// Where a start begins: at the last checkpoint.
    func begin() async throws -> Progress {
        Progress(machine: try await restored(), clock: clock)
    }

    func catchUp(_ progress: inout Progress) async throws {
        try await step(&progress)
        try await flush(&progress, force: true)
        _ = try await seal(&progress, atMost: .max)
    }

    /// Moves what is due from the journal into buckets, a few groups a transaction, so that commits
    /// pass in between. Each carries the checkpoint: what is sealed lies below every restart.
    ///
    /// - Parameter everything: also what is not due, for a test.
    /// - Returns: whether more is due.
    func seal(
        _ progress: inout Progress, atMost limit: Int, everything: Bool = false
    ) async throws -> Bool {
        var count = 0
        // A group whose seal takes nothing out of the head must not keep the loop busy.
        var stuck: Set<ScanGroup.ID> = []
        while true {
            let due = store.reader.dueSeals(
                cursor: progress.machine.cursor, now: progress.machine.trustedWall,
                everything: everything
            ).filter { !stuck.contains($0.group) }
            if due.isEmpty { return false }
            if count >= limit { return true }
            count += 1
            let step = store.reader.step(of: due)
            let before = step.map { store.reader.unsealedScans(of: $0.group) }
            try await apply(&progress, withState: true, seals: step)
            for (request, before) in zip(step, before)
            where store.reader.unsealedScans(of: request.group) >= before {
                stuck.insert(request.group)
            }
        }
    }

    /// One round of the loop without waiting: what the journal holds now.
    func round(_ progress: inout Progress) async throws { try await step(&progress) }

    /// Waits for the next commit, a stop, or until waiting effects are due.
    private func waitForWork(_ progress: Progress) async {
        let seen = progress.seen
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = await store.reader.waitForCommit(after: seen) }
                group.addTask { try? await clock.sleep(for: options.flushInterval) }
                await group.next()
                group.cancelAll()
            }
        }
    }

    /// What the loop knows besides the machine: when it wrote and looked back last.
    struct Progress {
        var machine: EvaluationMachine
        private let elapsed: () -> Duration
        var flushedAt: Duration
        var lateAt: Duration
        /// The newest row that was looked for; above the cursor when the last rows are damaged.
        var seen: Int64
        /// Where a restart would begin, and when that was stored.
        var storedCursor: Int64
        var checkpointedAt: Duration

        init(machine: EvaluationMachine, clock: any Clock<Duration>) {
            self.machine = machine
            elapsed = Self.stopwatch(clock)
            flushedAt = .zero
            lateAt = .seconds(-3600)
            seen = machine.cursor
            storedCursor = machine.cursor
            checkpointedAt = .zero
        }

        var now: Duration { elapsed() }

        private static func stopwatch<C: Clock>(_ clock: C) -> () -> Duration
        where C.Duration == Duration {
            let start = clock.now
            return { start.duration(to: clock.now) }
        }
    }

    private func restored() async throws -> EvaluationMachine {
        var machine = machine
        guard let checkpoint = try await store.reader.checkpoint() else { return machine }
        do {
            let unfit = machine.restore(try Self.state(of: checkpoint), cursor: checkpoint.cursor)
            if !unfit.isEmpty {
                logger.error(
                    "open buckets of some groups do not fit their series and begin anew",
                    metadata: ["groups": "\(unfit)"])
            }
        } catch {
            // The journal below the cursor may be gone, so the fold goes on from there: what was
            // open is lost to the rollups of one bucket, and that is said.
            logger.error(
                "the evaluation checkpoint cannot be read; open buckets begin anew",
                metadata: ["cursor": "\(checkpoint.cursor)", "error": "\(error)"])
            machine.skip(to: checkpoint.cursor)
        }
        return machine
    }

    /// Folds what the journal holds beyond the cursor, page by page.
    private func step(_ progress: inout Progress) async throws {
        while true {
            let newest = store.reader.newestSequence()
            let rows = try await store.reader.journal(
                after: progress.machine.cursor, maximumRows: options.rowsPerPage,
                maximumBytes: 4 << 20, withDeliveries: false)
            for row in rows {
                progress.machine.handle(row)
                if progress.machine.isFull { try await flush(&progress, force: true) }
            }
            try await flush(&progress, force: false)
            onProgress(progress.machine.cursor)
            if rows.isEmpty {
                progress.seen = max(newest, progress.machine.cursor)
                return
            }
        }
    }

    private func flush(_ progress: inout Progress, force: Bool) async throws {
        let now = progress.now
        let isUrgent = progress.machine.isUrgent
        let isDue = now - progress.flushedAt >= options.flushInterval
        guard force || isUrgent || isDue else { return }
        let looksForLate =
            !progress.machine.late.isEmpty
            && (force || now - progress.lateAt >= options.lateInterval)
        let needsState = needsCheckpoint(progress, now, force: force)
        // With something due behind it, the state waits for that transaction.
        let looksBack = looksForLate || !progress.machine.due.isEmpty
        if progress.machine.hasEffects || (needsState && !looksBack) {
            try await apply(&progress, withState: needsState && !looksBack)
        }
        if looksBack { try await lookBack(&progress, late: looksForLate, now) }
        if looksBack, needsState, progress.machine.cursor > progress.storedCursor {
            try await apply(&progress, withState: true)
        }
        progress.flushedAt = now
    }

    private func needsCheckpoint(_ progress: Progress, _ now: Duration, force: Bool) -> Bool {
        let rows = progress.machine.cursor - progress.storedCursor
        return rows >= options.rowsPerCheckpoint
            || (rows > 0 && (force || now - progress.checkpointedAt >= options.checkpointInterval))
    }

    /// Folds anew what late scans and gaps have changed, and merges hours and days.
    ///
    /// Its results carry the state: a fold that is repeated from an older checkpoint would compare
    /// with rollups that already hold what it is about to find.
    private func lookBack(
        _ progress: inout Progress, late: Bool, _ now: Duration
    ) async throws {
        if late {
            progress.lateAt = now
            try await dueFolds.spread(&progress.machine)
        }
        while !progress.machine.due(fromSamples: true).isEmpty {
            try await dueFolds.refold(&progress.machine)
            try await apply(&progress, withState: true)
        }
        while !progress.machine.due(fromSamples: false).isEmpty {
            try await dueFolds.merge(&progress.machine)
            try await apply(&progress, withState: true)
        }
    }

    /// Stores the effects in one transaction, with or without the state. After an error the machine
    /// has lost its effects and must be restored.
    private func apply(
        _ progress: inout Progress, withState: Bool, seals: [SealRequest] = []
    ) async throws {
        var effects = progress.machine.takeEffects()
        effects.seals = seals
        if withState { effects.checkpoint = checkpoint(of: progress.machine) }
        try await write(effects)
        if withState {
            progress.storedCursor = progress.machine.cursor
            progress.checkpointedAt = progress.now
        }
    }
}
