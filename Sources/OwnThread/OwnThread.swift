import Glibc

/// One POSIX thread that runs the jobs of the actors it serves, one at a time, in order.
///
/// Blocking calls (libmodbus, `poll`, an fsync) made on it never sit on the shared pool, whose few
/// threads everything else needs. The thread ends when the last reference goes; jobs that were
/// enqueued before still run.
package final class OwnThread: SerialExecutor, TaskExecutor, Sendable {
    private let queue = JobQueue()

    /// - Parameters:
    ///   - name: shown by `top -H` and debuggers; at most 15 bytes count.
    ///   - stackSize: bytes; 256 KiB is enough for C libraries and GRDB statements alike.
    package init(name: String, stackSize: Int = 256 * 1024) {
        queue.start(name: name, stackSize: stackSize)
    }

    deinit { queue.finish() }

    package func enqueue(_ job: consuming ExecutorJob) {
        queue.append(UnownedJob(job), for: self)
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    package var isOnThread: Bool { queue.isOnThread }

    package func checkIsolated() {
        precondition(isOnThread, "called from another thread than the actor's own")
    }
}

/// The jobs that wait for the thread; outlives the executor until the thread has left.
private final class JobQueue: @unchecked Sendable {
    // Jobs keep their executor alive until they have run, so `finish` cannot overtake them.
    private var waiting: [(job: UnownedJob, executor: OwnThread)] = []
    private var isFinished = false
    private var thread = pthread_t()
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    var isOnThread: Bool { pthread_equal(pthread_self(), thread) != 0 }

    func start(name: String, stackSize: Int) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, max(stackSize, 64 * 1024))
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let reference = Unmanaged.passRetained(self).toOpaque()
        // The mutex makes the new thread wait until `thread` is set.
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let result = pthread_create(
            &thread, &attributes,
            { reference in
                guard let reference else { return nil }
                Unmanaged<JobQueue>.fromOpaque(reference).takeRetainedValue().run()
                return nil
            }, reference)
        precondition(result == 0, "the system gave no thread for \(name): error \(result)")
    }

    func append(_ job: UnownedJob, for executor: OwnThread) {
        pthread_mutex_lock(mutex)
        waiting.append((job, executor))
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    func finish() {
        pthread_mutex_lock(mutex)
        isFinished = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    private func run() {
        while let batch = next() {
            for (job, executor) in batch {
                job.runSynchronously(
                    isolatedTo: executor.asUnownedSerialExecutor(),
                    taskExecutor: executor.asUnownedTaskExecutor())
            }
        }
    }

    private func next() -> [(job: UnownedJob, executor: OwnThread)]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while waiting.isEmpty {
            if isFinished { return nil }
            pthread_cond_wait(condition, mutex)
        }
        defer { waiting.removeAll(keepingCapacity: true) }
        return waiting
    }
}
