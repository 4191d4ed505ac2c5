import Glibc

/// What a piece of work costs on the thread that does it; other work of the machine does not count.
package enum ProcessorTime {
    /// The processor's time that `work` takes; it must not suspend.
    package static func of(_ work: () -> Void) -> Duration {
        let start = now
        work()
        return now - start
    }

    private static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
