import Acquisition
import Logging
import ServiceLifecycle
import Store
import Synchronization
import Telemetry

/// Writes who switched what, and what came of it, into the audit chain.
///
/// Links tell it on their own threads and must not wait; a loop writes. It ends after the links, so
/// what they take back on a stop is written too.
final class OrderAudit: Service, Sendable {
    private struct Entry: Sendable {
        var order: DeviceOrder
        var outcome: DeviceOrder.Outcome
        var time: Timestamp
    }

    private struct State {
        var entries: [Entry] = []
        var dropped = 0
    }

    /// More entries than this do not wait for a store that cannot write; the rest is counted.
    private static let mostWaiting = 256
    /// A store that could not write is asked again after this time.
    private static let secondAttempt = Duration.seconds(5)

    private let store: Store
    private let wallClock: any WallClock
    private let watch: Stopwatch
    private let logger: Logger
    private let doorbell = Doorbell()
    private let state = Mutex(State())

    init(
        store: Store, clock: any Clock<Duration>, wallClock: any WallClock, logger: Logger
    ) {
        self.store = store
        watch = Stopwatch(clock)
        self.wallClock = wallClock
        self.logger = logger
    }

    /// Takes an order and its end down.
    func note(_ event: AcquisitionEvent) {
        guard case .commanded(_, let order, let outcome) = event else { return }
        let entry = Entry(order: order, outcome: outcome, time: wallClock.read().wall)
        state.withLock { state in
            if state.entries.count < Self.mostWaiting {
                state.entries.append(entry)
            } else {
                state.dropped += 1
            }
        }
        doorbell.ring()
    }

    func run() async throws {
        let stops = StopSignal()
        await withGracefulShutdownHandler {
            while !stops.isStopped, !Task.isCancelled {
                if state.withLock({ $0.entries.isEmpty }) {
                    await doorbell.wait()
                } else {
                    await doorbell.wait(until: watch.elapsed + Self.secondAttempt, on: watch)
                }
                await write()
            }
        } onGracefulShutdown: {
            stops.stop()
            self.doorbell.ring()
        }
        await write()
    }

    private func write() async {
        while let entry = state.withLock({ $0.entries.first }) {
            do {
                try await store.writer.appendAudit(
                    actor: entry.order.actor, action: "device.commanded",
                    detail: "\(entry.order.device).\(entry.order.point) = \(entry.order.word): "
                        + "\(entry.outcome)", at: entry.time)
            } catch {
                logger.warning(
                    "an order is not in the audit chain yet", metadata: ["error": "\(error)"])
                return
            }
            state.withLock { state in
                state.entries.removeFirst()
                if state.dropped > 0, state.entries.isEmpty {
                    logger.error(
                        "orders are missing in the audit chain",
                        metadata: ["count": "\(state.dropped)"])
                    state.dropped = 0
                }
            }
        }
    }
}
