import Synchronization

/// A value that the writer's thread changes and that any task reads without waiting for an actor.
///
/// This is the only lock of the store. It is here because page and metrics ask for the latest
/// readings while a commit sits in fsync: an actor would make them wait for the disk. Nothing is
/// awaited, no file is touched and no foreign code is called while it is held.
final class Published<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }

    func withValue<R: Sendable>(_ body: (inout sending Value) -> sending R) -> R {
        mutex.withLock(body)
    }
}
