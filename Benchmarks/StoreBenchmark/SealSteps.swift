import Foundation
import Store
import Telemetry

extension StoreBenchmark {
    /// How long the writer is held by one step of sealing, which is how long a commit may wait for
    /// it: an hour of a busy group, and scans that come late into hours that are sealed.
    static func seals(_ options: Options) async throws {
        let directory = try options.text("data")
        let store = try Store.open(
            StoreOptions(directory: directory, durability: .process), calendar: .utc)
        var figures: [String: Any] = [:]
        let plant = UniformPlant(groups: 1, width: 25)
        let group = try await store.writer.register(plant.groups)[0]
        var noise = Noise(seed: 3)
        var fresh = Timings()
        var late = Timings()
        let before = Usage.now()
        for hour in 0..<8 {
            let seconds = Array(hour * 3600..<(hour + 1) * 3600)
            // Every seventh scan of the hours before the last is hours late.
            let isLate: (Int) -> Bool = { hour < 7 && $0 % 7 == 0 }
            try await commit(seconds.filter { !isLate($0) }, group, store, &noise)
            try await seal(store, &fresh)
        }
        try await commit(
            Array(0..<7 * 3600).filter { $0 % 7 == 0 }, group, store, &noise)
        try await seal(store, &late)
        // More than a bucket may hold, in one go, as after an outage of the evaluation.
        try await commit(Array(8 * 3600..<8 * 3600 + 12_291), group, store, &noise)
        try await seal(store, &fresh)
        figures["seal_cpu_ms"] = (Usage.now().cpuSeconds - before.cpuSeconds) * 1000
        figures["seal_step_p50_ms"] = fresh.quantile(0.5)
        figures["seal_step_worst_ms"] = fresh.quantile(1)
        figures["seal_steps"] = fresh.milliseconds.count
        figures["seal_late_step_worst_ms"] = late.quantile(1)
        figures["seal_late_steps"] = late.milliseconds.count
        try store.close()
        try report(figures)
    }

    /// Numbers with one decimal that jump about: harder to encode than those of a meter.
    private static func commit(
        _ seconds: [Int], _ group: ScanGroup, _ store: Store, _ noise: inout Noise
    ) async throws {
        for start in stride(from: 0, to: seconds.count, by: 500) {
            let scans = seconds[start..<min(start + 500, seconds.count)].map { second in
                Scan(
                    group: group.id, time: Corpus.start + .seconds(second),
                    readings: group.series.map { _ in .number(Double(noise.next() % 9_000) / 10) })
            }
            let clock = ClockReading(
                bootID: "bench", monotonic: 1, wall: scans.last?.time ?? Corpus.start,
                isTrusted: true)
            _ = try await store.writer.commit(JournalBatch(clock: clock, scans: scans))
        }
    }

    private static func seal(_ store: Store, _ timings: inout Timings) async throws {
        while true {
            let cursor = store.reader.newestSequence()
            guard
                let request = store.reader.dueSeals(
                    cursor: cursor, now: nil, everything: true
                ).first
            else { return }
            let effects = EvaluationEffects(
                checkpoint: EvaluationCheckpoint(version: 1, cursor: cursor, state: [1]),
                seals: [request])
            try await timings.measure { try await store.writer.apply(effects) }
        }
    }
}
