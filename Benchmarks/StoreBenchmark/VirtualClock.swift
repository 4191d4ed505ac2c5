import Synchronization
import Telemetry

/// A clock that stands still until it is told to go on: a week of data in minutes.
final class VirtualClock: Clock, WallClock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    private struct State {
        var now = Instant(offset: .zero)
        var next = 0
        var sleepers: [Int: (until: Instant, wake: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())
    private let start: Timestamp

    /// - Parameter start: what the wall clock shows at the beginning.
    init(start: Timestamp) { self.start = start }

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .milliseconds(1) }

    func read() -> ClockReading {
        let offset = now.offset
        return ClockReading(
            bootID: "benchmark", monotonic: offset.milliseconds, wall: start + offset,
            isTrusted: true)
    }

    /// Lets time pass and wakes everyone whose time has come.
    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.wake)
        }
        for wake in due { wake.resume() }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (wake: CheckedContinuation<Void, any Error>) in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers[id] = (deadline, wake)
                    return nil
                }
                if let outcome { wake.resume(with: outcome) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.wake.resume(throwing: CancellationError())
        }
        state.withLock { _ = $0.cancelled.remove(id) }
    }
}

/// Waits until the evaluation has folded up to a row.
final class Progress: Sendable {
    private struct State {
        var cursor: Int64 = 0
        var waiter: (above: Int64, wake: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    func reached(_ cursor: Int64) {
        let wake = state.withLock { state in
            state.cursor = max(state.cursor, cursor)
            guard let waiter = state.waiter, waiter.above <= state.cursor else {
                return nil as CheckedContinuation<Void, Never>?
            }
            state.waiter = nil
            return waiter.wake
        }
        wake?.resume()
    }

    func wait(for cursor: Int64) async {
        await withCheckedContinuation { (wake: CheckedContinuation<Void, Never>) in
            let isThere = state.withLock { state in
                if state.cursor >= cursor { return true }
                state.waiter = (cursor, wake)
                return false
            }
            if isThere { wake.resume() }
        }
    }
}
