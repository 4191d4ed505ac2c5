import Synchronization

/// The calls of `publish` that wait, and the way to the thread that serves them.
final class PublishMailbox: Sendable {
    /// Names one call.
    struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    /// A message that was not handed to the library yet.
    struct Request: Sendable {
        let ticket: Ticket
        let topic: String
        let payload: [UInt8]
        /// Whether the broker keeps it for who subscribes later.
        let isRetained: Bool
    }

    private struct State {
        var isConnected = false
        var connections = 0
        var isStopped = false
        var nextTicket: UInt64 = 0
        var requests: [Request] = []
        var waiting: [Ticket: CheckedContinuation<Void, any Error>] = [:]
        var suspects: Set<Ticket> = []
    }

    private let state = Mutex(State())

    var isConnected: Bool { state.withLock { $0.isConnected } }

    /// How many connections there have been.
    var connections: Int { state.withLock { $0.connections } }

    func setConnected(_ isConnected: Bool) {
        state.withLock { state in
            state.isConnected = isConnected
            if isConnected { state.connections += 1 }
            // Suspicion is about one connection.
            state.suspects = []
        }
    }

    func ticket() -> Ticket {
        state.withLock { state in
            state.nextTicket &+= 1
            return Ticket(number: state.nextTicket)
        }
    }

    /// Waits until somebody settles `ticket`; cancelling settles it with a `CancellationError`.
    func submit(
        _ ticket: Ticket, _ topic: String, _ payload: [UInt8], isRetained: Bool = false,
        ring: @Sendable () -> Void
    ) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refusal: (any Error)? = state.withLock { state in
                    if state.isStopped { return MQTTError(code: .stopped, cause: "stopped") }
                    // The handler below needs this lock, so it either set the flag before or
                    // finds the continuation.
                    if Task.isCancelled { return CancellationError() }
                    state.waiting[ticket] = continuation
                    state.requests.append(
                        Request(
                            ticket: ticket, topic: topic, payload: payload, isRetained: isRetained))
                    return nil
                }
                if let refusal { continuation.resume(throwing: refusal) } else { ring() }
            }
        } onCancel: {
            settle(ticket, .failure(CancellationError()))
        }
    }

    /// Takes the oldest request.
    func next() -> Request? {
        state.withLock { $0.requests.isEmpty ? nil : $0.requests.removeFirst() }
    }

    /// Answers a caller, once; later answers find nobody.
    func settle(_ ticket: Ticket, _ result: Result<Void, any Error>) {
        let continuation = state.withLock { state in
            // Nobody waits for it any more; kept, it would be sent for nobody, or during an outage
            // pile up.
            if let index = state.requests.firstIndex(where: { $0.ticket == ticket }) {
                state.requests.remove(at: index)
            }
            return state.waiting.removeValue(forKey: ticket)
        }
        continuation?.resume(with: result)
    }

    /// Notes that the caller of `ticket` gave up waiting.
    func suspect(_ ticket: Ticket) {
        state.withLock { state in
            if state.isConnected { state.suspects.insert(ticket) }
        }
    }

    /// Whether a caller gave up on one of these.
    func isSuspected(_ tickets: some Sequence<Ticket>) -> Bool {
        state.withLock { state in
            guard !state.suspects.isEmpty else { return false }
            let isHit = tickets.contains { state.suspects.contains($0) }
            state.suspects = []
            return isHit
        }
    }

    /// Refuses those who wait and those who come.
    func stop() {
        let waiting = state.withLock { state in
            state.isStopped = true
            state.isConnected = false
            state.requests = []
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in waiting {
            continuation.resume(throwing: MQTTError(code: .stopped, cause: "stopped"))
        }
    }
}
