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
        /// Messages, those of them that are to be acknowledged, and their bytes, that are not
        /// committed.
        var count = 0
        var awaited = 0
        var bytes = 0
        /// When the oldest of them came; nil when all is committed.
        var since: Duration?
        /// Why the connection has to end.
        var failure: String?

        mutating func add(_ other: Self) {
            count += other.count
            awaited += other.awaited
            bytes += other.bytes
            since = since ?? other.since
        }
    }

    private struct State {
        var waiting = MQTTBatch([])
        var waitingFigures = Figures()
        /// What is taken over, in the order of arrival.
        var taken: [Figures] = []
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
            var figures = Figures(failure: state.failure)
            for part in state.taken { figures.add(part) }
            figures.add(state.waitingFigures)
            return figures
        }
    }

    /// Adds messages to what waits to be taken over.
    ///
    /// - Parameters:
    ///   - awaited: how many of them are to be acknowledged.
    ///   - bytes: of their payloads.
    func add(_ batch: MQTTBatch, awaited: Int, bytes: Int, at now: Duration) {
        state.withLock { state in
            state.waiting.messages += batch.messages
            state.waiting.fillsWindow = batch.fillsWindow
            state.waitingFigures.add(
                Figures(count: batch.messages.count, awaited: awaited, bytes: bytes, since: now))
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
            guard state.failure == nil, state.waitingFigures.count > 0 else { return nil }
            state.taken.append(state.waitingFigures)
            defer { (state.waiting, state.waitingFigures) = (MQTTBatch([]), Figures()) }
            return state.waiting
        }
    }

    private func settleFirst() {
        state.withLock { state in _ = state.taken.removeFirst() }
        onChange()
    }

    private func fail(_ error: any Error) {
        state.withLock { state in
            if state.failure == nil { state.failure = "\(error)" }
        }
        onChange()
    }
}
