import Frames
import Glibc
import Telemetry

/// A line that carries bytes as they are: a serial port, or a socket.
///
/// An answer is searched for in everything that has come since the request left, so that echoes,
/// wake-up bytes, the heartbeat of a serial server and late answers to other questions cost nothing.
final class ByteStream {
    /// How an exchange failed.
    enum Failure: Error {
        /// Nothing came, or nothing but the request's own echo.
        case timeout
        /// Bytes came, and none of them was the answer: what to say, and the bytes.
        case foreign(String, [UInt8])
        case lost(String)
    }

    /// More bytes than this between a request and its answer are no answer any more.
    private static let longestAnswer = 4096

    private let descriptor: Int32
    private let isSerial: Bool

    /// Takes the descriptor over, and one of the budget that the caller has booked.
    init(descriptor: Int32, isSerial: Bool) {
        self.descriptor = descriptor
        self.isSerial = isSerial
    }

    deinit {
        close(descriptor)
        DescriptorBudget.release(.modbus)
    }

    /// Throws away what has come unasked; at most so much as a babbling device sends meanwhile.
    func drain() {
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
            for _ in 0..<64 where read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
        }
    }

    /// Listens for `limit` at most and throws away what comes; returns when something has come and
    /// the line is silent again.
    func discard(for limit: Duration) {
        guard wait(Int16(POLLIN), limit) else { return }
        for _ in 0..<64 {
            drain()
            // One that comes byte by byte is one.
            guard wait(Int16(POLLIN), .milliseconds(20)) else { return }
        }
    }

    /// Sends `request` and returns the first thing that `search` finds in what comes back.
    ///
    /// What came before is not thrown away: where frames bear no number, `drain` comes first.
    func exchange<Answer>(
        _ request: [UInt8], timeout: Duration, _ search: ([UInt8]) -> FrameSearch<Answer>
    ) throws(Failure) -> Answer {
        try send(request)
        var received: [UInt8] = []
        let end = monotonicNanoseconds() + timeout.nanoseconds
        while true {
            let left = end - monotonicNanoseconds()
            guard left > 0, received.count < Self.longestAnswer else {
                // A converter that echoes says nothing of the device behind it.
                if request.starts(with: received) { throw .timeout }
                throw .foreign(
                    "\(received.count) bytes came, and none of them is the answer", received)
            }
            guard wait(Int16(POLLIN), .nanoseconds(left)) else { continue }
            try receive(&received)
            if case .found(let answer) = search(received) { return answer }
        }
    }

    private func send(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { raw in
                isSerial
                    ? write(descriptor, raw.baseAddress, raw.count)
                    : Glibc.send(descriptor, raw.baseAddress, raw.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                guard wait(Int16(POLLOUT), .seconds(2)) else {
                    throw .lost("the line takes no more bytes")
                }
            } else if errno != EINTR {
                throw .lost(systemText(errno))
            }
        }
    }

    private func receive(_ bytes: inout [UInt8]) throws(Failure) {
        let (count, number) = withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) {
            buffer -> (Int, Int32) in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            let number = errno
            if count > 0 { bytes += buffer[..<count] }
            return (count, number)
        }
        if count == 0 { throw .lost(isSerial ? "the port is gone" : "the peer hung up") }
        if count < 0, number != EAGAIN, number != EINTR { throw .lost(systemText(number)) }
    }

    private func wait(_ events: Int16, _ limit: Duration) -> Bool {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        // Rounded up, so that the last fraction of a millisecond is not spent in a busy loop.
        let milliseconds = (max(0, limit.nanoseconds) + 999_999) / 1_000_000
        return poll(&entry, 1, Int32(clamping: milliseconds)) > 0
    }
}

/// The monotonic clock, for deadlines within one exchange.
func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

extension Duration {
    /// Whole nanoseconds; beyond 292 years the largest that there are.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return whole.overflow
            ? (seconds < 0 ? .min : .max) : whole.partialValue + attoseconds / 1_000_000_000
    }
}
