import GRDB
import Telemetry

/// Reads the store while the writer goes on; every transaction is short, every answer limited.
package struct StoreReader: Sendable {
    let shared: SharedState
    /// Whether columns are kept for the next question; a test that compares asks without.
    var keepsColumns = true

    init(shared: SharedState) { self.shared = shared }

    func read<T: Sendable>(
        _ what: String, _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(StoreError) -> T {
        let file = shared.file
        do {
            return try await file.pool.read(body)
        } catch {
            let error = StoreError(what, error)
            shared.markIfDamaged(error)
            // The file was opened anew under this read (`StoreWriter.reopen`).
            guard file.pool !== shared.file.pool else { throw error }
        }
        do { return try await shared.file.pool.read(body) } catch { throw StoreError(what, error) }
    }

    /// The scan groups and series that are registered.
    package func registry() async throws(StoreError) -> Registry { shared.registry.value }

    /// The newest reading of each series by its number, from memory.
    ///
    /// After a start it holds what the newest rows of the journal held.
    package func latest() -> [Int: LatestReading] {
        shared.latest.value.bySeries(shared.registry.value)
    }

    /// The sequence of the newest commit; 0 before the first.
    package func newestSequence() -> Int64 { shared.commits.newest }

    /// How much of the file system under the store is taken, 0 to 1, as an ordinary process sees it.
    ///
    /// - Returns: nil when the system does not say.
    package func diskShare() -> Double? {
        FileSystemSpace.read(shared.file.path).map(\.share)
    }

    /// Waits for a commit above `sequence`.
    ///
    /// - Returns: the newest sequence; not above `sequence` when the task was cancelled or the
    ///   store closed.
    package func waitForCommit(after sequence: Int64) async -> Int64 {
        await shared.commits.wait(above: sequence)
    }

    /// The newest sequence after each commit from now on; a slow reader misses some, not the last.
    package func commits() -> AsyncStream<Int64> { shared.commits.stream() }

    /// How many times effects were applied since the store was opened.
    package var effectsGeneration: Int64 { shared.effects.newest }

    /// Waits until effects (rollups, transitions, owed items) have been applied more than
    /// `generation` times; returns early as `waitForCommit(after:)` does.
    package func waitForEffects(after generation: Int64) async -> Int64 {
        await shared.effects.wait(above: generation)
    }

    /// As `waitForEffects(after:)`, but no longer than `limit` by the clock.
    package func waitForEffects(
        after generation: Int64, within limit: Duration, on clock: any Clock<Duration>
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await waitForEffects(after: generation) }
            group.addTask { try? await clock.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// The generation after each application of effects from now on.
    package func effects() -> AsyncStream<Int64> { shared.effects.stream() }

    /// The evaluation's state and cursor; nil before the first.
    package func checkpoint() async throws(StoreError) -> EvaluationCheckpoint? {
        try await read("read the checkpoint") { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT e.version, c.seq, e.state
                    FROM evaluation_state e JOIN cursor c ON c.reader = e.reader
                    WHERE e.reader = ?
                    """, arguments: [evaluationReader])
            return row.map {
                EvaluationCheckpoint(version: $0[0], cursor: $0[1], state: $0.bytes(2))
            }
        }
    }

    /// The damaged journal rows met since the store was opened; at most 1,000 are listed.
    package func damagedRows() -> [DamagedRow] { shared.damage.value.rows }

    /// The damaged buckets met since the store was opened; at most 1,000 are listed.
    package func damagedBuckets() -> [DamagedBucket] {
        shared.damage.value.buckets.values.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
    }

    /// Sizes and counts; cheap enough for every scrape.
    package func statistics() async throws(StoreError) -> StoreStatistics {
        let path = shared.file.path
        var statistics = try await read("read the statistics") { db in
            var statistics = StoreStatistics()
            let oldest = try Int64.fetchOne(db, sql: "SELECT min(seq) FROM journal")
            let newest = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM journal")
            if let oldest, let newest { statistics.journalRows = newest - oldest + 1 }
            statistics.evaluationCursor =
                try Int64.fetchOne(
                    db, sql: "SELECT seq FROM cursor WHERE reader = ?",
                    arguments: [evaluationReader]) ?? 0
            statistics.usedBytes = try UsedPages.read(db).used
            statistics.removed = try RemovedTotals.load(db)
            statistics.quarantinedBuckets =
                try Int.fetchOne(db, sql: "SELECT count(*) FROM bucket_quarantine") ?? 0
            return statistics
        }
        statistics.newestSequence = shared.commits.newest
        statistics.fileBytes = StoreFile.size(path)
        statistics.walBytes = StoreFile.size(path + "-wal")
        let damage = shared.damage.value
        statistics.damagedRows = damage.causes.count
        statistics.damagedBuckets = damage.buckets.count
        let room = shared.room.state.value
        statistics.budgetBytes = room.budget
        statistics.isFull = room.isFull
        statistics.damagedPacks = room.damagedPacks.count
        statistics.ballastBytes = shared.room.ballast.bytes
        statistics.usedBytes += statistics.walBytes + statistics.ballastBytes
        return statistics
    }
}
