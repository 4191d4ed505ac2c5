import Store
import Synchronization
import Telemetry
import TestSeeds
import Testing

@testable import Gateway

/// Stands between the evaluation and the store, and ends the process at a write of its choice.
private final class Guillotine: Sendable {
    struct Killed: Error {}

    /// What a faulty gateway would write instead; nil is the sound one.
    enum Bug: CaseIterable {
        /// State and cursor are stored apart from the effects that belong to them.
        case checkpointAlone
        /// What was found by looking back is stored without state and cursor.
        case lookBackWithoutCheckpoint
    }

    private let store: Store
    private let bug: Bug?
    /// Whether the process dies before the write with this number.
    private let strikes: @Sendable (Int) -> Bool
    private let counts = Mutex((writes: 0, checkpoints: 0, deaths: 0))

    init(_ store: Store, bug: Bug? = nil, strikes: @escaping @Sendable (Int) -> Bool) {
        self.store = store
        self.bug = bug
        self.strikes = strikes
    }

    var writes: Int { counts.withLock { $0.writes } }
    var checkpoints: Int { counts.withLock { $0.checkpoints } }
    var deaths: Int { counts.withLock { $0.deaths } }

    func write(_ effects: EvaluationEffects) async throws {
        let number = counts.withLock { counts in
            defer { counts.writes += 1 }
            return counts.writes
        }
        let dies = strikes(number)
        var effects = effects
        switch bug {
        case .checkpointAlone where dies && effects.checkpoint != nil:
            try await store.writer.apply(EvaluationEffects(checkpoint: effects.checkpoint))
        case .lookBackWithoutCheckpoint where !effects.rollups.isEmpty:
            effects.checkpoint = nil
        default: break
        }
        if dies {
            counts.withLock { $0.deaths += 1 }
            throw Killed()
        }
        if effects.checkpoint != nil { counts.withLock { $0.checkpoints += 1 } }
        try await store.writer.apply(effects)
    }
}

@Suite("A checkpoint")
struct CheckpointTests {
    private static let start = EvaluationTests.start

    /// A stream with everything in it: failures, a reset, a gap, late and doubled scans, two groups.
    private static func rows(_ groups: [ScanGroup], seed: UInt64) -> [[Scan]] {
        var random = SeededGenerator(seed: seed)
        let count = 62
        var rows: [[Scan]] = Array(repeating: [], count: count + 12)
        let gap = Int.random(in: 100...300, using: &random)
        for group in groups {
            var energy = 500.0
            for index in 0..<count * 6 {
                if index == 250 { energy = 3 }
                energy += Double.random(in: 0...0.2, using: &random)
                energy = (energy * 100).rounded() / 100
                if (gap..<gap + 40).contains(index) { continue }
                // Some numbers are no short decimals: their sums depend on the order.
                let power =
                    Bool.random(using: &random)
                    ? Double(Int.random(in: 0...90_000, using: &random)) / 10
                    : Double.random(in: 0...9000, using: &random)
                let fails = Int.random(in: 0..<12, using: &random) == 0
                let scan = Scan(
                    group: group.id, time: start + .seconds(index * 10),
                    readings: fails
                        ? [.bad(.timeout), .bad(.timeout)] : [.number(power), .number(energy)])
                let isLate = Int.random(in: 0..<40, using: &random) == 0
                let row = index / 6 + (isLate ? Int.random(in: 1...11, using: &random) : 0)
                rows[row].append(scan)
                if Int.random(in: 0..<20, using: &random) == 0 {
                    rows[min(row + 1, rows.count - 1)].append(scan)
                }
            }
        }
        for index in rows.indices where Int.random(in: 0..<4, using: &random) == 0 {
            rows[index].shuffle(using: &random)
        }
        return rows
    }

    private static func groups() -> [ScanGroup] {
        var other = RollupsOfTheStoreTests.group()
        other.name = "messages"
        other.isPolled = false
        other.series = other.series.map {
            var series = $0
            series.id = SeriesID(device: DeviceID("n"), point: $0.id.point)
            return series
        }
        other.device = DeviceID("n")
        return [RollupsOfTheStoreTests.group(), other]
    }

    /// When scans move from the journal into buckets.
    private enum Seals: CaseIterable {
        case never
        /// Whatever is due, after every row.
        case due
        /// Everything, at random moments, also when rows wait that have not been folded.
        case everything
    }

    private struct Outcome {
        var content: [String]
        var writes: Int
        var checkpoints: Int
        var deaths: Int
        /// Scans in the journal's own bytes at the end, and rows of the journal.
        var unsealed = 0
        var journal = 0
    }

    /// Feeds a stream row by row; whenever the process is killed, a new one goes on from the store.
    private static func outcome(
        seed: UInt64, bug: Guillotine.Bug? = nil, seals: Seals = .never,
        strikes: @escaping @Sendable (Int) -> Bool = { _ in false }
    ) async throws -> Outcome {
        let folded = try await EvaluationTests.folded(groups())
        defer { folded.remove() }
        let guillotine = Guillotine(folded.store, bug: bug, strikes: strikes)
        var options = Evaluation.Options()
        // Every row is looked at when it comes, so that revisions can be compared.
        options.flushInterval = .zero
        options.lateInterval = .zero
        options.rowsPerPage = 1
        var evaluation = Evaluation(
            store: folded.store, machine: folded.machine, calendar: .utc, clock: folded.clock,
            logger: FoldedStore.quiet, options: options)
        evaluation.write = { try await guillotine.write($0) }
        var progress: Evaluation.Progress?
        func fold() async throws {
            while true {
                do {
                    if progress == nil { progress = try await evaluation.begin() }
                    guard var now = progress else { return }
                    progress = nil
                    try await evaluation.round(&now)
                    progress = now
                    return
                } catch is Guillotine.Killed {
                    progress = nil
                }
            }
        }
        func seal(_ random: inout SeededGenerator) async throws {
            do {
                if progress == nil { progress = try await evaluation.begin() }
                guard seals != .never, var now = progress else { return }
                progress = nil
                _ = try await evaluation.seal(
                    &now, atMost: seals == .due ? .max : Int.random(in: 1...3, using: &random),
                    everything: seals == .everything)
                progress = now
            } catch is Guillotine.Killed {
                progress = nil
            }
        }
        let rows = rows(folded.groups, seed: seed)
        var random = SeededGenerator(seed: seed &+ 7)
        var waiting = 0
        for (index, row) in rows.enumerated() {
            folded.clock.advance(to: start + .seconds(60 * (index + 1)))
            try await folded.commit(row)
            waiting += 1
            // The journal may be ahead of the fold when something is sealed.
            let isSealing = Int.random(in: 0..<4, using: &random) == 0
            if waiting > Int.random(in: 0..<3, using: &random) {
                if isSealing { try await seal(&random) }
                try await fold()
                waiting = 0
            } else if isSealing {
                try await seal(&random)
            }
        }
        try await folded.pass(.seconds(7200))
        try await fold()
        return Outcome(
            content: try folded.effects(), writes: guillotine.writes,
            checkpoints: guillotine.checkpoints, deaths: guillotine.deaths,
            unsealed: folded.groups.reduce(0) {
                $0 + folded.store.reader.unsealedScans(of: $1.id)
            },
            journal: try await folded.store.reader.journal(after: 0, maximumRows: 10_000).count)
    }

    @Test(
        "carries seals that change nothing of what follows, whenever they come and whoever is killed",
        arguments: UInt64(40)..<44)
    func seals(seed: UInt64) async throws {
        let sound = try await Self.outcome(seed: seed)
        for manner in [Seals.due, .everything] {
            let sealed = try await Self.outcome(seed: seed, seals: manner)
            let isEqual = sealed.content == sound.content
            #expect(isEqual, "seed \(seed), sealing \(manner)")
            if manner == .everything {
                #expect(sealed.unsealed < sound.unsealed / 2, "seed \(seed)")
                #expect(sealed.journal < sound.journal / 2, "seed \(seed)")
            }
            let killed = try await Self.outcome(seed: seed, seals: manner) { number in
                var random = SeededGenerator(seed: seed &* 1_000_003 &+ UInt64(number))
                return Int.random(in: 0..<4, using: &random) == 0
            }
            #expect(killed.deaths > 5)
            let isStillEqual = killed.content == sound.content
            #expect(isStillEqual, "seed \(seed), sealing \(manner) and killed")
        }
    }

    @Test(
        "need not be written with every effect: killed between any two writes, the store is the same",
        arguments: [UInt64(11), 12])
    func killedAnywhere(seed: UInt64) async throws {
        let sound = try await Self.outcome(seed: seed)
        for table in ["rollup", "alarm ", "alarm_transition", "outbox"] {
            let holds = sound.content.contains { $0.hasPrefix(table) }
            #expect(holds, "\(table), seed \(seed)")
        }
        #expect(sound.checkpoints * 2 < sound.writes, "most effects are stored without a state")
        // As many deaths as the sound run has room for; without an end to them a gateway whose
        // next checkpoint is further away than the next death would never get there.
        let (stride, last) = (9, sound.writes)
        for place in 0..<stride {
            let killed = try await Self.outcome(seed: seed) { number in
                number % stride == place && number < last
            }
            let isEqual = killed.content == sound.content
            #expect(isEqual, "seed \(seed), killed before each write \(place) of \(stride)")
            #expect(killed.deaths >= sound.writes / stride)
        }
    }

    @Test(
        "holds when the process is killed again and again", arguments: UInt64(20)..<26)
    func killedOften(seed: UInt64) async throws {
        let sound = try await Self.outcome(seed: seed)
        let killed = try await Self.outcome(seed: seed) { number in
            var random = SeededGenerator(seed: seed &* 1_000_003 &+ UInt64(number))
            return Int.random(in: 0..<3, using: &random) == 0
        }
        #expect(killed.deaths > 10)
        let isEqual = killed.content == sound.content
        #expect(isEqual, "seed \(seed)")
    }

    @Test(
        "that ran ahead of its effects, or stayed behind what was looked back on, is found out",
        arguments: Guillotine.Bug.allCases)
    private func planted(bug: Guillotine.Bug) async throws {
        let sound = try await Self.outcome(seed: 11)
        // The one shows at a write with a checkpoint, the other when several look-backs were stored
        // between two deaths.
        let spacing = bug == .checkpointAlone ? 3 : 11
        let strikes: @Sendable (Int) -> Bool = { $0 % spacing == 0 && (1..<133).contains($0) }
        let killed = try await Self.outcome(seed: 11, bug: bug, strikes: strikes)
        #expect(killed.deaths > 5)
        let isFound = killed.content != sound.content
        #expect(isFound)
        let healthy = try await Self.outcome(seed: 11, strikes: strikes)
        let isEqual = healthy.content == sound.content
        #expect(isEqual)
    }
}
