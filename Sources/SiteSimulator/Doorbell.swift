import Glibc
import Synchronization
import Telemetry

/// A stop flag that a thread in `poll()` sees at once.
final class Doorbell: Sendable {
    /// Readable for ever once the bell has rung, for nobody reads it empty.
    let descriptor: Int32
    private let writing: Int32
    private let rung = Atomic(false)

    /// - Throws: `SimulationError.system` when the process has no descriptor left.
    init() throws(SimulationError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system(doing: "making a pipe", number: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, writing) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writing)
    }

    var hasRung: Bool { rung.load(ordering: .acquiring) }

    func ring() {
        rung.store(true, ordering: .releasing)
        var byte: UInt8 = 1
        _ = write(writing, &byte, 1)
    }

    /// Waits for a time, or until the bell rings.
    func wait(_ limit: Duration) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, Int32(clamping: max(0, limit.milliseconds)))
    }
}
