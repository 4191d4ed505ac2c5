/// A number that only grows, and the tasks that wait for it to grow.
///
/// The writer lights it after each commit; the evaluation and the event streams follow it instead
/// of polling. A waiter that comes late sees the newest number at once.
final class Beacon: Sendable {
    private struct State: Sendable {
        var newest: Int64
        var isClosed = false
        var nextID = 0
        var waiters: [Int: (after: Int64, continuation: CheckedContinuation<Int64, Never>)] = [:]
        var streams: [Int: AsyncStream<Int64>.Continuation] = [:]
    }

    private let state: Published<State>

    init(newest: Int64) { state = Published(State(newest: newest)) }

    var newest: Int64 { state.value.newest }

    /// Publishes a number; one that is not above the newest changes nothing.
    func light(_ number: Int64) {
        let (waiters, streams) = state.withValue { state in
            guard number > state.newest else {
                return ([CheckedContinuation<Int64, Never>](), [AsyncStream<Int64>.Continuation]())
            }
            state.newest = number
            let ready = state.waiters.filter { $0.value.after < number }
            for id in ready.keys { state.waiters[id] = nil }
            return (ready.values.map(\.continuation), Array(state.streams.values))
        }
        for waiter in waiters { waiter.resume(returning: number) }
        for stream in streams { stream.yield(number) }
    }

    /// Wakes everyone who waits although the number stays.
    func ring() {
        let (newest, waiters, streams) = state.withValue { state in
            defer { state.waiters = [:] }
            return (
                state.newest, state.waiters.values.map(\.continuation), Array(state.streams.values)
            )
        }
        for waiter in waiters { waiter.resume(returning: newest) }
        for stream in streams { stream.yield(newest) }
    }

    /// Releases everyone who waits; later waits return at once.
    func close() {
        let (newest, waiters, streams) = state.withValue { state in
            state.isClosed = true
            defer {
                state.waiters = [:]
                state.streams = [:]
            }
            return (
                state.newest, state.waiters.values.map(\.continuation), Array(state.streams.values)
            )
        }
        for waiter in waiters { waiter.resume(returning: newest) }
        for stream in streams { stream.finish() }
    }

    /// The newest number, as soon as it is above `number`; earlier when cancelled or closed.
    func wait(above number: Int64) async -> Int64 {
        let id = state.withValue { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Int64? = state.withValue { state in
                    // A cancellation before this point found no waiter to release.
                    if state.newest > number || state.isClosed || Task.isCancelled {
                        return state.newest
                    }
                    state.waiters[id] = (number, continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let (waiter, newest) = state.withValue { state in
                (state.waiters.removeValue(forKey: id)?.continuation, state.newest)
            }
            waiter?.resume(returning: newest)
        }
    }

    /// The numbers from now on; a slow reader gets only the newest of those it missed.
    func stream() -> AsyncStream<Int64> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Int64.self, bufferingPolicy: .bufferingNewest(1))
        let id: Int? = state.withValue { state in
            if state.isClosed { return nil }
            state.nextID += 1
            state.streams[state.nextID] = continuation
            return state.nextID
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withValue { $0.streams.removeValue(forKey: id) }
        }
        return stream
    }
}
