import Logging
import ServiceLifecycle
import Store
import Telemetry

/// Keeps the store within its bounds, in small steps: the last of the four loops.
package struct Housekeeping: Service {
    private let store: Store
    private let policy: HousekeepingPolicy
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let wallClock: any WallClock
    private let logger: Logger

    package init(
        store: Store, policy: HousekeepingPolicy, interval: Duration = .seconds(60),
        clock: any Clock<Duration>, wallClock: any WallClock, logger: Logger
    ) {
        self.store = store
        self.policy = policy
        self.interval = interval
        self.clock = clock
        self.wallClock = wallClock
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var pause = interval
            while !Task.isCancelled {
                do { try await clock.sleep(for: pause) } catch { return }
                pause = await step() ? min(interval, Self.shortPause) : interval
            }
        }
    }

    /// Between two steps while there is more to do: the writer has others to serve.
    private static let shortPause = Duration.milliseconds(250)

    /// Does one bounded step.
    ///
    /// - Returns: whether there is more to do.
    private func step() async -> Bool {
        let now = wallClock.read()
        // Age is judged by a trusted clock only: one that jumps must delete nothing.
        guard now.isTrusted else { return false }
        do {
            let report = try await store.writer.housekeeping(now: now.wall, policy: policy)
            logger.debug("housekeeping", metadata: ["report": "\(report)"])
            return report.hasMore
        } catch {
            logger.warning("housekeeping failed", metadata: ["error": "\(error)"])
            return false
        }
    }
}
