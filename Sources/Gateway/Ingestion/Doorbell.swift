import Synchronization

/// Lets one task wait until another rings; a ring before the wait is not lost.
///
/// Several waiters are woken together; rings do not add up.
final class Doorbell: Sendable {
    private struct State {
        var isRung = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }

    // A mutex, because rings come from callbacks and shutdown handlers that cannot await.
    private let state = Mutex(State())

    func ring() {
        let waiters = state.withLock { state in
            if state.waiters.isEmpty { state.isRung = true }
            defer { state.waiters = [:] }
            return state.waiters.values.map(\.self)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns at the next ring, at once if one is pending, or when the task is cancelled.
    func wait() async {
        let ticket = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumesNow = state.withLock { state in
                    // One who is cancelled leaves the ring to the next.
                    if Task.isCancelled { return true }
                    if state.isRung {
                        state.isRung = false
                        return true
                    }
                    state.waiters[ticket] = continuation
                    return false
                }
                if resumesNow { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
        }
    }

    /// As `wait()`, but no longer than until the watch shows `deadline`.
    func wait(until deadline: Duration, on watch: Stopwatch) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await watch.sleep(until: deadline) }
            await group.next()
            group.cancelAll()
        }
    }
}

/// Measures elapsed time on an injected clock.
struct Stopwatch: Sendable {
    private let reading: @Sendable () -> Duration
    private let sleeping: @Sendable (Duration) async throws -> Void

    /// Starts at zero now.
    init(_ clock: any Clock<Duration>) { self.init(starting: clock) }

    private init<C: Clock>(starting clock: C) where C.Duration == Duration {
        let origin = clock.now
        reading = { origin.duration(to: clock.now) }
        sleeping = { try await clock.sleep(until: origin.advanced(by: $0), tolerance: nil) }
    }

    var elapsed: Duration { reading() }

    /// Returns when the watch shows `deadline`; throws when the task is cancelled.
    ///
    /// An instant and no span, so that time that passes before the sleep begins is not slept again.
    func sleep(until deadline: Duration) async throws { try await sleeping(deadline) }
}
