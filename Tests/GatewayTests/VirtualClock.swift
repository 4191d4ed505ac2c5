import Synchronization
import Telemetry

/// A clock that stands still until a test moves it, so that days pass in seconds.
///
/// It is the monotonic clock and, from a given start, the wall clock of the same world.
final class VirtualClock: Clock, WallClock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    private struct Sleeper {
        var deadline: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: Sleeper] = [:]
        var next = 0
    }

    private let state = Mutex(State())
    let start: Timestamp

    init(start: Timestamp) { self.start = start }

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .milliseconds(1) }
    var wall: Timestamp { start + now.offset }

    func read() -> ClockReading {
        ClockReading(
            bootID: "virtual", monotonic: now.offset.milliseconds, wall: wall, isTrusted: true)
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let ticket = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers[ticket] = Sleeper(
                        deadline: deadline, continuation: continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: ticket) }?.continuation
                .resume(throwing: CancellationError())
        }
    }

    /// How many tasks wait for time to pass.
    var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// Moves time forward and wakes whoever has slept long enough, earliest first.
    func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
                .sorted { $0.value.deadline < $1.value.deadline }
            for (ticket, _) in due { state.sleepers.removeValue(forKey: ticket) }
            return due.map(\.value)
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }

    func advance(to wall: Timestamp) { advance(by: wall - self.wall) }
}
