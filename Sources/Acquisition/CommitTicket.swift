import Synchronization

/// A claim to hear when an admission is committed; may be kept, shared or let go.
package struct CommitTicket: Sendable {
    fileprivate let outcome: CommitOutcome

    /// Returns when the admission is committed.
    ///
    /// - Returns: the sequence number of the journal row.
    /// - Throws: what kept it from being committed; `CancellationError` for the waiting task only.
    @discardableResult
    package func committed() async throws -> Int64 { try await outcome.value() }
}

/// The other end of a `CommitTicket`: whoever commits says so, once.
///
/// A promise that is let go without a word fails its waiters, so that nobody waits for ever.
package final class CommitPromise: Sendable {
    /// Nobody said what became of the admission.
    package struct Abandoned: Error, CustomStringConvertible {
        package let description = "the admission was dropped without a commit"
    }

    private let outcome = CommitOutcome()

    package init() {}

    deinit { outcome.settle(.failure(Abandoned())) }

    /// The ticket to hand to the one who admitted.
    package var ticket: CommitTicket { CommitTicket(outcome: outcome) }

    /// The journal row `sequence` holds the admission. Later answers are ignored.
    package func succeed(sequence: Int64) { outcome.settle(.success(sequence)) }

    /// The admission was not committed. Later answers are ignored.
    package func fail(_ error: any Error) { outcome.settle(.failure(error)) }
}

/// What the two ends share.
private final class CommitOutcome: Sendable {
    private struct State {
        var result: Result<Int64, any Error>?
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Int64, any Error>] = [:]
    }

    private let state = Mutex(State())

    func settle(_ result: Result<Int64, any Error>) {
        let waiters = state.withLock { state in
            guard state.result == nil else { return [CheckedContinuation<Int64, any Error>]() }
            state.result = result
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    func value() async throws -> Int64 {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Int64, any Error>? = state.withLock { state in
                    if let result = state.result { return result }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[number] = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
            waiter?.resume(throwing: CancellationError())
        }
    }
}
