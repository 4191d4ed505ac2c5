import FieldLinks
import Synchronization

/// The request to finish, heard between two requests and while waiting for the next slot.
///
/// It is not cancellation: an admission that is under way is carried through.
package final class StopSignal: Sendable {
    private struct State {
        var isStopped = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Asks everybody who listens to finish, for good.
    package func stop() {
        let waiters = state.withLock { state in
            state.isStopped = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for `duration`, less when asked to stop or cancelled.
    package func wait(_ duration: Duration, on clock: LinkClock) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await clock.sleep(duration) }
            group.addTask { await self.stopped() }
            await group.next()
            group.cancelAll()
        }
    }

    private func stopped() async {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isStopped || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }
}
