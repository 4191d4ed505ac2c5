import Synchronization
import Telemetry

/// Messages in the broker's order, as a link hands them on.
package struct MQTTBatch: Sendable {
    package var messages: [MQTTMessage]
    /// The link reads no more before all that it has handed on is committed.
    package var fillsWindow = false

    package init(_ messages: [MQTTMessage]) { self.messages = messages }

    /// Takes a batch over, in order, and returns what ends when the batch is committed.
    ///
    /// When either throws, the link acknowledges nothing that is not, and all of it comes again.
    package typealias Taking = @Sendable (MQTTBatch) async throws -> Committing
    /// Ends when what was taken over is committed; throws when it is not.
    package typealias Committing = @Sendable () async throws -> Void
}

/// What a connection has handed on and what of it is not committed yet.
///
///     link's thread ─ add ─▶ waiting ─ take, in order ─▶ taken ─ committed, in order ─▶ ring
///
/// The link's thread never waits here: it reads on while a commit is under way, up to its window.
final class OpenMessages: Sendable {
    /// What the link looks at between two steps.
    struct Figures {
        /// Messages and bytes of them that are not committed.
        var count = 0
        var bytes = 0
        /// When the oldest of them came; nil when all is committed.
        var since: Duration?
        /// Why the connection has to end.
        var failure: String?
    }

    private struct Part {
        var count: Int
        var bytes: Int
        var since: Duration
    }

    private struct State {
        var waiting = MQTTBatch([])
        var waitingPart: Part?
        /// What is taken over, in the order of arrival.
        var taken: [Part] = []
        /// Of both.
        var (count, bytes) = (0, 0)
        var failure: String?
    }

    private let state = Mutex(State())
    private let (bell, ringer) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    private let (commits, committing) = AsyncStream<MQTTBatch.Committing>.makeStream()
    private let onChange: @Sendable () -> Void

    /// - Parameter onChange: called when something was committed, or failed; must not block.
    init(onChange: @escaping @Sendable () -> Void) { self.onChange = onChange }

    var figures: Figures {
        state.withLock { state in
            Figures(
                count: state.count, bytes: state.bytes,
                since: state.taken.first?.since ?? state.waitingPart?.since,
                failure: state.failure)
        }
    }

    /// Adds messages to what waits to be taken over.
    func add(_ batch: MQTTBatch, bytes: Int, at now: Duration) {
        state.withLock { state in
            state.waiting.messages += batch.messages
            state.waiting.fillsWindow = batch.fillsWindow
            var part = state.waitingPart ?? Part(count: 0, bytes: 0, since: now)
            part.count += batch.messages.count
            part.bytes += bytes
            state.waitingPart = part
            state.count += batch.messages.count
            state.bytes += bytes
        }
        ringer.yield()
    }

    /// Nothing more is added.
    func finish() { ringer.finish() }

    /// Takes over and waits for commits until `finish` and all is committed, a failure, or its
    /// cancellation.
    func run(_ take: @escaping MQTTBatch.Taking) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for await _ in self.bell {
                        guard let batch = self.next() else { continue }
                        self.committing.yield(try await take(batch))
                    }
                } catch {
                    self.fail(error)
                }
                self.committing.finish()
            }
            group.addTask {
                do {
                    for await committed in self.commits {
                        try await committed()
                        self.settleFirst()
                    }
                } catch {
                    self.fail(error)
                }
            }
        }
    }

    private func next() -> MQTTBatch? {
        state.withLock { state in
            guard state.failure == nil, let part = state.waitingPart else { return nil }
            defer { (state.waiting, state.waitingPart) = (MQTTBatch([]), nil) }
            state.taken.append(part)
            return state.waiting
        }
    }

    private func settleFirst() {
        state.withLock { state in
            let part = state.taken.removeFirst()
            state.count -= part.count
            state.bytes -= part.bytes
        }
        onChange()
    }

    private func fail(_ error: any Error) {
        state.withLock { state in
            if state.failure == nil { state.failure = "\(error)" }
        }
        onChange()
    }
}
