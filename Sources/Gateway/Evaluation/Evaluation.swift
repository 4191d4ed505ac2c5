import Acquisition
import Foundation
import Logging
import ServiceLifecycle
import Store
import Telemetry

/// Follows the journal and stores what follows from it: the second of the gateway's four loops.
///
/// Results, volatile state and cursor go into one transaction, so that every effect happens once
/// however the process ends (`docs/decisions/0006-effects-and-cursor-in-one-transaction.md`).
package struct Evaluation: Service {
    private let store: Store
    private let machine: EvaluationMachine
    private let dueFolds: DueFolds
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let options: Options
    private let onProgress: @Sendable (Int64) -> Void

    /// How the loop trades flash wear for delay.
    package struct Options: Sendable {
        /// Rollups wait this long for company; alarm transitions never wait.
        package var flushInterval: Duration = .seconds(5)
        /// Late scans are merged into closed buckets no more often than this.
        package var lateInterval: Duration = .seconds(10)
        package var rowsPerPage = 256
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
    }

    package func run() async throws {
        var progress = Progress(machine: try await restored(), clock: clock)
        // Ingestion stops first, so the last rows are in the journal when this loop is asked to
        // stop: it folds them, writes its state and leaves nothing to repeat.
        let stops = StopSignal()
        try await withGracefulShutdownHandler {
            while !stops.isStopped {
                try await step(&progress)
                await waitForWork(progress)
            }
        } onGracefulShutdown: {
            stops.stop()
        }
        try await step(&progress)
        try await flush(&progress, force: true)
    }

    /// Folds all that the journal holds, stores it and writes the state: one round of the loop.
    func catchUp() async throws {
        var progress = Progress(machine: try await restored(), clock: clock)
        try await step(&progress)
        try await flush(&progress, force: true)
    }

    /// Waits for the next commit, a stop, or until waiting effects are due.
    private func waitForWork(_ progress: Progress) async {
        let cursor = progress.machine.cursor
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = await store.reader.waitForCommit(after: cursor) }
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

        init(machine: EvaluationMachine, clock: any Clock<Duration>) {
            self.machine = machine
            elapsed = Self.stopwatch(clock)
            flushedAt = .zero
            lateAt = .seconds(-3600)
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
            guard checkpoint.version == EvaluationMachine.stateVersion else {
                throw CheckpointError.unknownVersion(checkpoint.version)
            }
            let state = try JSONDecoder().decode(
                EvaluationMachine.State.self, from: Data(checkpoint.state))
            machine.restore(state, cursor: checkpoint.cursor)
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
            let rows = try await store.reader.journal(
                after: progress.machine.cursor, maximumRows: options.rowsPerPage,
                maximumBytes: 4 << 20)
            for row in rows {
                progress.machine.handle(row)
                if progress.machine.pending.rollups.count >= 5000 {
                    try await flush(&progress, force: true)
                }
            }
            try await flush(&progress, force: false)
            onProgress(progress.machine.cursor)
            if rows.isEmpty { return }
        }
    }

    private func flush(_ progress: inout Progress, force: Bool) async throws {
        let now = progress.now
        let isUrgent = !progress.machine.pending.transitions.isEmpty
        let mayLookBack =
            !progress.machine.late.isEmpty
            && (force || now - progress.lateAt >= options.lateInterval)
        let isDue = now - progress.flushedAt >= options.flushInterval
        guard force || isUrgent || isDue else { return }
        if progress.machine.hasEffects || force { try await apply(&progress) }
        if mayLookBack || progress.machine.due.contains(where: { $0.resolution.finer == nil }) {
            progress.lateAt = now
            try await dueFolds.resolve(&progress.machine)
            try await apply(&progress)
        }
        if progress.machine.due.contains(where: { $0.resolution.finer != nil }) {
            try await dueFolds.resolveCoarse(&progress.machine)
            try await apply(&progress)
        }
        progress.flushedAt = now
    }

    private func apply(_ progress: inout Progress) async throws {
        var effects = progress.machine.takeEffects()
        effects.checkpoint = EvaluationCheckpoint(
            version: EvaluationMachine.stateVersion, cursor: progress.machine.cursor,
            state: [UInt8](try JSONEncoder().encode(progress.machine.state)))
        try await store.writer.apply(effects)
    }
}

/// Why a checkpoint could not be used.
enum CheckpointError: Error {
    case unknownVersion(Int)
}
