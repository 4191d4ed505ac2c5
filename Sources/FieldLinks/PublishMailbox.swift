import Synchronization

/// What is to be published and who waits for it, on the way to the thread that serves them.
///
/// What is handed in first leaves first, whether somebody waits for it or not.
final class PublishMailbox: Sendable {
    /// Names one call.
    struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    /// What was not handed to the library yet.
    struct Request: Sendable {
        enum Content: Sendable {
            case message(MQTTPublication)
            /// Proof that the broker has taken all that was handed in before.
            case fence
        }

        /// Who waits for it; nil: nobody.
        let ticket: Ticket?
        /// The only connection on which it makes sense; nil: any.
        let connection: Int?
        let content: Content
    }

    private struct State {
        var isConnected = false
        var connections = 0
        /// The connection that is to be left.
        var leaving: Int?
        var isStopped = false
        var nextTicket: UInt64 = 0
        var requests: [Request] = []
        var waiting: [Ticket: CheckedContinuation<Void, any Error>] = [:]
        var suspects: Set<Ticket> = []
    }

    private let state = Mutex(State())

    var isConnected: Bool { state.withLock { $0.isConnected } }

    /// The number of the newest connection that stood.
    var connections: Int { state.withLock { $0.connections } }

    /// The connection of this number stands.
    func connected(_ number: Int) {
        state.withLock { state in
            state.isConnected = true
            state.connections = number
            // Suspicion is about one connection.
            state.suspects = []
        }
    }

    /// No connection stands; what was meant for one is nobody's any more.
    func disconnected(_ error: MQTTError) {
        let waiting = state.withLock { state in
            state.isConnected = false
            state.suspects = []
            let tickets = state.requests.filter { $0.connection != nil }.compactMap(\.ticket)
            state.requests.removeAll { $0.connection != nil }
            return tickets.compactMap { state.waiting.removeValue(forKey: $0) }
        }
        for continuation in waiting { continuation.resume(throwing: error) }
    }

    /// Messages for which nobody waits, more of which are a sign that nothing leaves any more.
    private static let mostRequests = 100_000

    /// Hands in messages for the connection of this number.
    func post(_ publications: [MQTTPublication], on number: Int) {
        state.withLock { state in
            guard state.isConnected, state.connections == number, !state.isStopped else { return }
            guard state.requests.count + publications.count <= Self.mostRequests else {
                // A message that is left out would be missing in the middle.
                state.leaving = number
                return
            }
            state.requests += publications.map {
                Request(ticket: nil, connection: number, content: .message($0))
            }
        }
    }

    func leave(_ number: Int) { state.withLock { $0.leaving = number } }

    /// Whether somebody asked to leave this connection.
    func isLeaving(_ number: Int) -> Bool { state.withLock { $0.leaving == number } }

    func ticket() -> Ticket {
        state.withLock { state in
            state.nextTicket &+= 1
            return Ticket(number: state.nextTicket)
        }
    }

    /// Waits until somebody settles `ticket`; cancelling settles it with a `CancellationError`.
    ///
    /// - Parameter connection: where it has to happen; it fails at once when that one is over.
    func submit(
        _ ticket: Ticket, _ content: Request.Content, on connection: Int? = nil,
        ring: @Sendable () -> Void
    ) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refusal: (any Error)? = state.withLock { state in
                    if state.isStopped { return MQTTError(code: .stopped, cause: "stopped") }
                    // The handler below needs this lock, so it either set the flag before or
                    // finds the continuation.
                    if Task.isCancelled { return CancellationError() }
                    if let connection, !state.isConnected || state.connections != connection {
                        return MQTTError(code: .disconnected, cause: "the connection is over")
                    }
                    state.waiting[ticket] = continuation
                    state.requests.append(
                        Request(ticket: ticket, connection: connection, content: content))
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
