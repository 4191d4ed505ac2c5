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

    /// As `wait()`, but for no longer than `duration`.
    func wait(atMost duration: Duration, clock: any Clock<Duration>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await clock.sleep(for: duration) }
            await group.next()
            group.cancelAll()
        }
    }
}

/// Measures elapsed time on an injected clock.
struct Stopwatch: Sendable {
    private let reading: @Sendable () -> Duration

    /// Starts at zero now.
    init(_ clock: any Clock<Duration>) { reading = Self.reading(clock) }

    var elapsed: Duration { reading() }

    private static func reading<C: Clock>(_ clock: C) -> @Sendable () -> Duration
    where C.Duration == Duration {
        let origin = clock.now
        return { origin.duration(to: clock.now) }
    }
}
