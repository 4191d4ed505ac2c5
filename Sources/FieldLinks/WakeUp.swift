import CMosquitto
import Glibc
import Synchronization
import Telemetry

/// A stop flag and a doorbell for a thread that sits in `poll()`.
package final class WakeUp: Sendable {
    private let descriptor: Int32
    private let stopped = Atomic(false)

    /// - Throws: `DescriptorBudgetError` when the system gives no descriptor.
    package init(for user: DescriptorBudget.User) throws(DescriptorBudgetError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        if descriptor < 0 { throw DescriptorBudgetError(user: user, systemError: errno) }
    }

    deinit { close(descriptor) }

    package var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// Asks the thread to end what it does, for good.
    package func stop() {
        stopped.store(true, ordering: .releasing)
        ring()
    }

    /// Wakes the thread once.
    package func ring() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// What `wait` has seen.
    struct Ready {
        var isReadable = false
        var isWritable = false
    }

    /// Sits in `poll()` until `socket` is ready, somebody rings, or the time is over.
    ///
    /// - Parameters:
    ///   - socket: -1 waits for the doorbell alone.
    ///   - limit: zero returns at once.
    func wait(socket: Int32, forWriting: Bool, limit: Duration) -> Ready {
        var entries = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: socket, events: Int16(POLLIN) | (forWriting ? Int16(POLLOUT) : 0), revents: 0),
        ]
        let milliseconds = Int32(clamping: max(0, limit.milliseconds))
        guard poll(&entries, 2, milliseconds) > 0 else { return Ready() }
        if entries[0].revents != 0 {
            var count: UInt64 = 0
            _ = read(descriptor, &count, 8)
        }
        let failed = entries[1].revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
        return Ready(
            isReadable: failed || entries[1].revents & Int16(POLLIN) != 0,
            isWritable: failed || entries[1].revents & Int16(POLLOUT) != 0)
    }
}

extension WakeUp {
    /// Sits in `poll()` until one of `entries` is ready, somebody rings, or the time is over; the
    /// entries tell what they have seen.
    func wait(polling entries: inout [pollfd], limit: Duration) {
        entries.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        defer { entries.removeLast() }
        let milliseconds = Int32(clamping: max(0, limit.milliseconds))
        guard poll(&entries, nfds_t(entries.count), milliseconds) > 0 else {
            for index in entries.indices { entries[index].revents = 0 }
            return
        }
        if entries[entries.count - 1].revents != 0 {
            var count: UInt64 = 0
            _ = read(descriptor, &count, 8)
        }
    }

    /// Whether `socket` has something to read right now.
    static func isReadable(_ socket: Int32) -> Bool {
        var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }
}
