import Gateway
import Logging
import ServiceLifecycle
import Store
import Telemetry

/// The gateway below the wire, in virtual time: the real store and the real evaluation with its
/// seals and checkpoints, fed with scans; housekeeping once a virtual minute.
final class VirtualSite {
    let store: Store
    let groups: [ScanGroup]
    let clock: VirtualClock
    private let progress: Progress
    private let policy: HousekeepingPolicy
    private var housekeptAt: Duration = .zero
    /// The virtual time between two steps of housekeeping; the gateway takes a minute.
    var housekeeping: Duration = .seconds(60)
    /// How long each commit took, from the call to its return.
    private(set) var timings = Timings()

    /// Opens a store, registers `groups`, runs `body` with the evaluation beside it, stops the
    /// evaluation in order and closes the store.
    static func run<T: Sendable>(
        directory: String, groups: [ScanGroup], start: Timestamp, durability: Durability,
        sealsEverything: Bool, calendar: SiteCalendar = .utc,
        _ body: @Sendable @escaping (VirtualSite) async throws -> T
    ) async throws -> T {
        let clock = VirtualClock(start: start)
        let store = try Store.open(
            StoreOptions(directory: directory, durability: durability), calendar: calendar)
        let registered = try await store.writer.register(groups)
        let progress = Progress()
        var logger = Logger(label: "benchmark")
        logger.logLevel = .warning
        let evaluation = Evaluation(
            store: store,
            machine: EvaluationMachine(
                groups: registered, rules: [], calendar: calendar, selections: []),
            calendar: calendar, clock: clock, logger: logger,
            onProgress: { progress.reached($0) })
        let services = ServiceGroup(
            services: [evaluation], gracefulShutdownSignals: [], logger: logger)
        let result = try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await services.run() }
            let site = VirtualSite(store, registered, clock, progress)
            let result = try await body(site)
            await services.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return result
        }
        if sealsEverything { try await sealAll(store) }
        try store.close()
        return result
    }

    private init(
        _ store: Store, _ groups: [ScanGroup], _ clock: VirtualClock, _ progress: Progress
    ) {
        self.store = store
        self.groups = groups
        self.clock = clock
        self.progress = progress
        policy = HousekeepingPolicy(rawRetention: .seconds(400 * 86_400))
    }

    /// Lets `duration` pass, commits `scans`, and waits until the evaluation has folded them.
    func pass(_ duration: Duration, _ scans: [Scan]) async throws {
        clock.advance(by: duration)
        let batch = JournalBatch(clock: clock.read(), scans: scans)
        let sequence = try await timings.measure { try await store.writer.commit(batch) }
        await progress.wait(for: sequence)
        let elapsed = clock.now.offset
        if elapsed - housekeptAt >= housekeeping {
            housekeptAt = elapsed
            _ = try await store.writer.housekeeping(
                clock: clock.read(), policy: policy)
        }
    }

    /// Seals what is open, as if the hour had ended for every group.
    static func sealAll(_ store: Store) async throws {
        guard let checkpoint = try await store.reader.checkpoint() else { return }
        while true {
            var effects = EvaluationEffects()
            effects.seals = store.reader.dueSeals(
                cursor: checkpoint.cursor, now: nil, everything: true)
            if effects.seals.isEmpty { return }
            effects.checkpoint = checkpoint
            try await store.writer.apply(effects)
        }
    }
}

extension Corpus {
    /// The corpus' groups as the gateway would register them.
    ///
    /// - Parameter arePolled: false for devices that report by themselves.
    func scanGroups(arePolled: Bool = true) -> [ScanGroup] {
        groups.map { group in
            let device = DeviceID(group.device)
            return ScanGroup(
                device: device, interface: "rs485", name: "every-\(group.period)s",
                series: group.columns.map { column in
                    Series(
                        id: SeriesID(device: device, point: PointKey(column.name)),
                        kind: column.isCounter ? .counter : .gauge, unit: column.unit,
                        counter: column.isCounter
                            ? CounterPolicy(modulus: nil, resets: .manual) : nil)
                },
                period: .seconds(group.period), isPolled: arePolled)
        }
    }

    /// The scans of `range`, in seconds since the start.
    ///
    /// - Parameter resolution: nil stamps each scan with its slot, as a poll is stamped; else the
    ///   jittered time on this grid, as a message is stamped.
    func scans(
        in range: Range<Int>, ids: [ScanGroup.ID], resolution: Int64?
    ) -> [Scan] {
        var scans: [Scan] = []
        for second in range {
            for (group, id) in zip(groups, ids) where second % group.period == 0 {
                let row = second / group.period
                var time = group.time(row, start)
                if let resolution {
                    let late = time.milliseconds + group.jitter[row] + resolution / 2
                    time = Timestamp(milliseconds: late - late.modulo(resolution))
                }
                scans.append(
                    Scan(
                        group: id, time: time,
                        readings: group.columns.map { .number($0.value(row)) }))
            }
        }
        return scans
    }
}
