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
            while !Task.isCancelled {
                do { try await clock.sleep(for: interval) } catch { return }
                let now = wallClock.read()
                // Age is judged by a trusted clock only: one that jumps must delete nothing.
                guard now.isTrusted else { continue }
                do {
                    let report = try await store.writer.housekeeping(now: now.wall, policy: policy)
                    logger.debug("housekeeping", metadata: ["report": "\(report)"])
                } catch {
                    logger.warning("housekeeping failed", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
