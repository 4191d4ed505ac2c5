import Glibc

/// What a thread of its own waits on between two pieces of work: a time, a ring, or the end.
///
/// It costs no descriptor and wakes nobody else, so a thousand links can have one each.
package final class Bell: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // Both are read and written under the mutex only.
    private var hasRung = false
    private var isOver = false

    package init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A clock that somebody sets must not lengthen a wait.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Whether `stop` was called.
    package var isStopped: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return isOver
    }

    /// Ends every wait, for good.
    package func stop() { wake { isOver = true } }

    /// Ends the wait that is under way, or the next one.
    package func ring() { wake { hasRung = true } }

    private func wake(_ change: () -> Void) {
        pthread_mutex_lock(mutex)
        change()
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Blocks the calling thread until `limit` has passed, somebody rings, or all is over.
    package func wait(_ limit: Duration) {
        let (seconds, attoseconds) = limit.components
        guard seconds > 0 || attoseconds > 0 else { return }
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let nanoseconds = end.tv_nsec + Int(attoseconds / 1_000_000_000)
        end.tv_sec += Int(min(seconds, 1_000_000_000)) + nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !hasRung, !isOver {
            if pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT { break }
        }
        hasRung = false
    }
}
