import Logging
import Store
import Synchronization
import Telemetry

/// The clock that everybody in the gateway is given: the machine's, judged by `TrustedClock`.
package final class TrustedWallClock: WallClock {
    private let machine: any WallClock
    private let logger: Logger
    // A mutex, because every link reads the time from a thread of its own.
    private let clock: Mutex<TrustedClock>

    /// - Parameter machine: its `isTrusted` says whether the kernel is synchronised.
    package init(_ machine: any WallClock, rules: TrustedClock.Rules, logger: Logger) {
        self.machine = machine
        self.logger = logger
        clock = Mutex(TrustedClock(rules))
    }

    /// Both clocks now, as they are judged.
    package func read() -> ClockReading {
        told(clock.withLock { look(&$0) })
    }

    /// As `read`; nil when another thread is reading.
    package func readIfFree() -> ClockReading? {
        clock.withLockIfAvailable { look(&$0) }.map(told)
    }

    private typealias Look = (
        raw: ClockReading, judged: (reading: ClockReading, events: [TrustedClock.Event])
    )

    /// Reads under the lock, so that readings are judged in the order in which they were made.
    private func look(_ clock: inout TrustedClock) -> Look {
        let raw = machine.read()
        return (raw, clock.read(raw))
    }

    /// Logs what a look has brought to light, outside of the lock.
    private func told(_ look: Look) -> ClockReading {
        for event in look.judged.events { log(event, raw: look.raw, look.judged.reading) }
        return look.judged.reading
    }

    /// How the time of day stands now.
    package var status: ClockStatus {
        _ = read()
        return clock.withLock { $0.status }
    }

    private func log(_ event: TrustedClock.Event, raw: ClockReading, _ reading: ClockReading) {
        var facts: Logger.Metadata = [
            "clock": "\(raw.wall.rfc3339())", "used": "\(reading.wall.rfc3339())",
            "synchronised": "\(raw.isTrusted)",
        ]
        switch event {
        case .anchored:
            logger.notice("the time of day is known", metadata: facts)
        case .estimated:
            logger.error(
                "nobody confirms the time of day; it is estimated (check the time server)",
                metadata: facts)
        case .stepDisbelieved(let step):
            facts["step_seconds"] = "\(Double(step.milliseconds) / 1000)"
            logger.error("the clock has stepped and is not followed", metadata: facts)
        case .stepBelieved(let step):
            facts["step_seconds"] = "\(Double(step.milliseconds) / 1000)"
            logger.warning("the step of the clock is confirmed", metadata: facts)
        case .agrees:
            logger.notice("the clock agrees again", metadata: facts)
        }
    }
}

extension TrustedWallClock {
    /// The clock of a start: stamps the boots that ended before they had a time of day, and goes on
    /// from what the store holds.
    ///
    /// - Parameter rules: without what the store tells.
    package static func starting(
        _ machine: any WallClock, rules: TrustedClock.Rules, store: Store, groups: [ScanGroup],
        logger: Logger
    ) async throws(StoreError) -> TrustedWallClock {
        let present = machine.read().bootID
        let left = try await store.writer.unstampedBoots().filter { $0.bootID != present }
        for boot in Stamping.estimates(left, notBefore: rules.notBefore) {
            try await store.writer.stamp(
                bootID: boot.bootID, offset: boot.offset, isEstimated: true)
            logger.warning(
                "readings of a boot without a time of day got an estimated one",
                metadata: [
                    "boot": "\(boot.bootID)",
                    "booted": "\(Timestamp(milliseconds: boot.offset).rfc3339())",
                ])
        }
        var rules = rules
        let memory = try await ClockMemory(store.reader, groups: groups)
        rules.newestStored = memory.newestStored
        rules.previous = memory.previous
        return TrustedWallClock(machine, rules: rules, logger: logger)
    }
}

extension SiteConfiguration {
    /// The rules by which the clock is judged, without what the store tells.
    func clockRules(notBefore: Timestamp) -> TrustedClock.Rules {
        var rules = TrustedClock.Rules(
            trust: clockTrust == .kernel ? .kernel : .system, confirmation: clockConfirmation)
        rules.notBefore = notBefore
        return rules
    }
}

/// What the store tells of the time before this start.
package struct ClockMemory: Hashable, Sendable {
    /// The newest time of day that a commit bears; nil in a new store.
    package var newestStored: Timestamp?
    /// What the process before this one went by; of use only in the same boot.
    package var previous: TrustedClock.Previous?

    package init(newestStored: Timestamp? = nil, previous: TrustedClock.Previous? = nil) {
        self.newestStored = newestStored
        self.previous = previous
    }

    /// Reads it from the store, after the boots before this one have been stamped.
    package init(_ store: StoreReader, groups: [ScanGroup]) async throws(StoreError) {
        var (newest, flags): (JournalRow?, ScanFlags) = (nil, [])
        let last = store.newestSequence()
        for row in try await store.journal(after: max(0, last - Self.rows)) {
            guard row.clock.isTrusted else { continue }
            newest = row
            if let scan = row.scans.last { flags = scan.flags }
        }
        if let newest {
            newestStored = newest.clock.wall
            previous = TrustedClock.Previous(
                bootID: newest.clock.bootID,
                offset: newest.clock.wall.milliseconds &- newest.clock.monotonic,
                isEstimated: flags.contains(.timeEstimated),
                monotonic: newest.clock.monotonic)
        }
        // Scans tell when the rows are gone, or when their boot was stamped only afterwards. Polled
        // ones: the time of a message may run ahead, and the clock must not wait for a device.
        for group in groups where group.isPolled {
            let scan = try await store.lastScans(
                group: group.id, before: Timestamp(milliseconds: .max), limit: 1
            ).last
            if let time = scan?.time { newestStored = max(newestStored ?? time, time) }
        }
    }

    /// As many rows as an idle or busy gateway writes in a few minutes.
    private static let rows: Int64 = 200
}
