import Logging
import ServiceLifecycle
import Store
import Telemetry

/// Keeps the store within its bounds, in small steps: the last of the four loops.
package struct Housekeeping: Service {
    private let store: Store
    private let policy: HousekeepingPolicy
    private let interval: Duration
    private let clock: any Clock<Duration> & Sendable
    private let wallClock: any WallClock
    private let logger: Logger
    private let verification: BackgroundVerification?
    private let rawUplinks: [String]

    /// - Parameters:
    ///   - verification: runs beside it; nil for none.
    ///   - rawUplinks: the uplinks that are told readings one by one: what they are still owed goes
    ///     last when there is no room.
    package init(
        store: Store, policy: HousekeepingPolicy, interval: Duration = .seconds(60),
        clock: any Clock<Duration> & Sendable, wallClock: any WallClock, logger: Logger,
        verification: BackgroundVerification? = nil, rawUplinks: [String] = []
    ) {
        self.rawUplinks = rawUplinks
        self.store = store
        self.policy = policy
        self.interval = interval
        self.clock = clock
        self.wallClock = wallClock
        self.logger = logger
        self.verification = verification
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.keepWithinBounds() }
                group.addTask { await self.keepLogShort() }
                if let verification { group.addTask { await verification.run() } }
            }
        }
    }

    private func keepWithinBounds() async {
        var first = Self.firstPauses[...]
        var pause = min(first.removeFirst(), interval)
        var wasFull = false
        var seen = store.reader.diskFullCount
        while !Task.isCancelled {
            await rest(pause, seen)
            if Task.isCancelled { return }
            seen = store.reader.diskFullCount
            let hasMore = await step(&wasFull)
            pause =
                hasMore
                ? Self.shortPause : wasFull ? Self.fullPause : first.popFirst() ?? interval
            pause = min(pause, interval)
        }
    }

    /// Moves a long log into the file a little after the commit that has made it so: those who wait
    /// for that commit have it by then, and the next one is not there yet.
    private func keepLogShort() async {
        while !Task.isCancelled {
            let seen = store.reader.longLogCount
            await store.writer.moveLongLog()
            await store.reader.waitForLongLog(after: seen)
            try? await clock.sleep(for: Self.quiet)
        }
    }

    private static let quiet = Duration.milliseconds(100)

    /// The first steps come soon after the start, but not into it: after the first the byte budget
    /// is known, by the second the devices have spoken and their newest readings reach the file.
    private static let firstPauses = [Duration.seconds(1), .seconds(10)]

    /// Between two steps while there is more to do: the writer has others to serve.
    private static let shortPause = Duration.milliseconds(250)

    /// While nothing may be admitted: only the next step finds that there is room again.
    private static let fullPause = Duration.seconds(1)

    /// Waits, but not while the disk is full: then room has to be made at once.
    private func rest(_ pause: Duration, _ seen: Int64) async {
        let (reader, clock) = (store.reader, clock)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await clock.sleep(for: pause) }
            group.addTask {
                _ = await reader.waitForFullDisk(after: seen)
                // A disk that stays full is no reason to do nothing else.
                try? await clock.sleep(for: Self.shortPause)
            }
            await group.next()
            group.cancelAll()
        }
    }

    /// Does one bounded step.
    ///
    /// - Returns: whether there is more to do.
    private func step(_ wasFull: inout Bool) async -> Bool {
        do {
            var now = wallClock.read()
            // Nothing goes by the age that a guessed time would give it.
            if now.isEstimated { now.isTrusted = false }
            var policy = policy
            for uplink in rawUplinks {
                let oldest = try await store.reader.uplinkStatus(uplink: uplink).oldestOwed
                policy.rawAcknowledgedUntil = min(
                    policy.rawAcknowledgedUntil ?? now.wall, oldest ?? now.wall)
            }
            let report = try await store.writer.housekeeping(clock: now, policy: policy)
            tell(report, &wasFull)
            return report.hasMore
        } catch {
            logger.warning("housekeeping failed", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func tell(_ report: HousekeepingReport, _ wasFull: inout Bool) {
        for removal in report.removed {
            var metadata: Logger.Metadata = [
                "class": "\(removal.kind.rawValue)", "reason": "\(removal.reason.rawValue)",
                "items": "\(removal.items)",
            ]
            if let first = removal.first, let last = removal.last {
                metadata["from"] = "\(first.rfc3339(offset: 0))"
                metadata["to"] = "\(last.rfc3339(offset: 0))"
            }
            if removal.owed > 0 { metadata["unacknowledged"] = "\(removal.owed)" }
            // What goes for want of room goes earlier than the owner has asked for.
            logger.log(
                level: removal.reason == .budget ? .warning : .info, "removed from the store",
                metadata: metadata)
        }
        if report.isFull != wasFull {
            wasFull = report.isFull
            let metadata: Logger.Metadata = [
                "used_bytes": "\(report.usedBytes)", "budget_bytes": "\(report.budgetBytes)",
            ]
            if wasFull {
                logger.error(
                    "the byte budget is used up and nothing may be removed", metadata: metadata)
            } else {
                logger.notice("there is room in the byte budget again", metadata: metadata)
            }
        }
        logger.debug("housekeeping", metadata: ["report": "\(report)"])
    }
}
