import Store
import Telemetry

/// What a run does, and how it may misbehave to show that the proof can fail.
struct ExerciseOptions {
    var folder = ""
    /// Ends after so many batches; nil: only a signal ends it.
    var batches: Int64?
    var durability = Durability.power
    /// Effects and a checkpoint come with every so many batches.
    var effectsEvery: Int64 = 5
    /// Everything is sealed with every so many batches.
    var sealsAllEvery: Int64 = 30
    /// Housekeeping (which moves the log into the file) comes with every so many batches.
    var housekeepingEvery: Int64 = 60
    /// Planted: says `acked` before the commit.
    var acknowledgesFirst = false
    /// Planted: the checkpoint is applied apart from the effects, before them.
    var checkpointsApart = false
}

/// Commits batch after batch and tells on standard output what it may be held to.
///
///     from 17            the first batch of this life
///     acked 17 20        batch 17 is durable; 20 is the number of its scans
///     applied 20 3       so are the effects of the batches up to 20, and 3 groups were sealed
///     error full retry … the store refused
struct Exercise {
    let options: ExerciseOptions
    private var store: Store
    private var workload: Workload
    private var reopened = 0
    private var lastAcked: Int64 = 0
    /// The next batch.
    private var next: Int64

    /// Opens the store; a refusal is told, and tried once more.
    static func start(_ options: ExerciseOptions) async -> Exercise? {
        for _ in 0..<2 {
            do throws(StoreError) {
                return try await Exercise(options)
            } catch {
                say("error \(error.code.rawValue) \(error.disposition.rawValue) \(error.what)")
            }
        }
        return nil
    }

    private init(_ options: ExerciseOptions) async throws(StoreError) {
        self.options = options
        store = try Exercise.open(options)
        workload = Workload(
            groups: try await store.writer.register(Workload.unnumbered))
        next = try await workload.newestBatch(in: store) + 1
    }

    private static func open(_ options: ExerciseOptions) throws(StoreError) -> Store {
        try Store.open(
            StoreOptions(directory: options.folder, durability: options.durability),
            calendar: .utc)
    }

    /// - Returns: false when the store refused for good.
    mutating func run() async -> Bool {
        say("from \(next)")
        let end = options.batches.map { next + $0 }
        var failures = 0
        while end.map({ next < $0 }) ?? true {
            do throws(StoreError) {
                try await step(next)
                (next, failures) = (next + 1, 0)
            } catch {
                say("error \(error.code.rawValue) \(error.disposition.rawValue) \(error.what)")
                failures += 1
                if failures > 6 { return false }
                let isPassing = error.disposition == .retry || error.disposition == .skip
                if !isPassing || failures > 3 {
                    guard await reopen() else { return false }
                } else if lastAcked == next {
                    // The batch is durable; what came after it failed.
                    next += 1
                }
            }
        }
        do throws(StoreError) {
            try store.close()
        } catch {
            say("error \(error.code.rawValue) \(error.disposition.rawValue) \(error.what)")
        }
        say("closed")
        return true
    }

    private mutating func reopen() async -> Bool {
        try? store.close()
        guard reopened < 3, let fresh = await Exercise.start(options) else { return false }
        reopened += 1
        // A commit that failed may have reached the file: then its number is taken.
        (store, workload, next) = (fresh.store, fresh.workload, fresh.next)
        return true
    }

    private mutating func step(_ k: Int64) async throws(StoreError) {
        let scans = workload.scans(ofBatch: k)
        let now = Workload.time(ofSpan: k + 1)
        let clock = ClockReading(
            bootID: "boot-1", monotonic: k * 20_000, wall: now, isTrusted: true)
        if options.acknowledgesFirst { say("acked \(k) \(scans.count)") }
        let sequence = try await store.writer.commit(JournalBatch(clock: clock, scans: scans))
        lastAcked = k
        if !options.acknowledgesFirst { say("acked \(k) \(scans.count)") }
        if k % options.effectsEvery == 0 { try await apply(k, sequence) }
        if k % options.housekeepingEvery == 0 {
            _ = try await store.writer.housekeeping(
                clock: clock, policy: HousekeepingPolicy(rawRetention: .seconds(3650 * 86_400)))
        }
    }

    private func apply(_ k: Int64, _ sequence: Int64) async throws(StoreError) {
        let applied = try await store.reader.checkpoint().map { Self.batch(of: $0) } ?? 0
        var effects = effects(after: applied, upTo: k)
        let checkpoint = EvaluationCheckpoint(
            version: 1, cursor: sequence, state: Self.state(of: k))
        // What is due, and now and then all there is, so that late scans find sealed buckets.
        effects.seals = store.reader.dueSeals(
            cursor: sequence, now: Workload.time(ofSpan: k + 1),
            everything: k % options.sealsAllEvery == 0)
        if options.checkpointsApart {
            effects.checkpoint = checkpoint
            effects.rollups = []
            try await store.writer.apply(effects)
            effects = self.effects(after: applied, upTo: k)
        } else {
            effects.checkpoint = checkpoint
        }
        let seals = effects.seals.count
        try await store.writer.apply(effects)
        say("applied \(k) \(seals)")
    }

    /// A state of the usual size that says up to which batch effects were applied.
    static func state(of k: Int64) -> [UInt8] {
        (0..<900).map { UInt8(truncatingIfNeeded: k >> (8 * ($0 % 8))) }
    }

    static func batch(of checkpoint: EvaluationCheckpoint) -> Int64 {
        checkpoint.state.prefix(8).reversed().reduce(0) { $0 << 8 | Int64($1) }
    }

    /// Figures that say which batch they belong to: the examiner compares them with the cursor.
    /// What an earlier life did not come to apply is made up for.
    private func effects(after applied: Int64, upTo k: Int64) -> EvaluationEffects {
        let bucket = Bucket(.day, containing: Workload.start, calendar: .utc)
        var effects = EvaluationEffects()
        effects.rollups = workload.groups.flatMap(\.series).map {
            RollupRecord(
                series: $0.number, bucket: bucket, rollup: Rollup(count: Int(k)), revision: Int(k))
        }
        effects.owed = (applied + 1...k).filter { $0 % options.effectsEvery == 0 }.map {
            OwedItem(
                uplink: "city", kind: "rollup/15min", scope: workload.groups[0].scope,
                start: Workload.time(ofSpan: $0), revision: 0, due: Workload.time(ofSpan: $0 + 1))
        }
        return effects
    }
}
