import Frames
import Glibc
import Telemetry

/// One station's connection: what is half received, and what is half sent.
struct HJ212Connection {
    /// Closes the socket when the last copy of the connection goes.
    private final class Descriptor {
        let number: Int32

        init(_ number: Int32) { self.number = number }

        deinit {
            close(number)
            DescriptorBudget.release(.hj212)
        }
    }

    /// A station that takes no more than this is not listening.
    private static let longestOutbox = 65_536
    /// Bytes taken from one connection before the others have their turn.
    private static let share = 65_536

    private let handle: Descriptor
    private var stream: HJ212Stream
    private var outbox: [UInt8] = []
    private var lastHeard: Duration
    private var isBroken = false
    /// Good packets so far.
    private(set) var packets = 0
    /// What `stream` had skipped when the last packet came.
    private var skippedBefore = 0

    var descriptor: Int32 { handle.number }
    var hasMoreToSend: Bool { !outbox.isEmpty }

    /// Takes the descriptor over; closes it and throws when the budget is used up.
    init(
        descriptor: Int32, rules: HJ212Stream.Rules, now: Duration
    ) throws(DescriptorBudgetError) {
        do {
            try DescriptorBudget.acquire(.hj212)
        } catch {
            close(descriptor)
            throw error
        }
        handle = Descriptor(descriptor)
        stream = HJ212Stream(rules)
        lastHeard = now
        // A station that lost its power says no goodbye.
        setSocketOptions(descriptor)
    }

    /// Sends what waits and then `bytes`, as far as the socket takes it.
    mutating func send(_ bytes: [UInt8]) {
        outbox += bytes
        while !outbox.isEmpty {
            let count = Glibc.send(descriptor, outbox, outbox.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else {
                isBroken = !(errno == EAGAIN || errno == EINTR)
                return
            }
            outbox.removeFirst(count)
        }
    }

    /// Reads what is there.
    ///
    /// - Returns: why the connection is over; nil while it goes on.
    mutating func receive(now: Duration, _ take: (HJ212Stream.Event) -> Void) -> String? {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        var total = 0
        while total < Self.share {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { return "the station closed" }
            guard count > 0 else {
                return errno == EAGAIN || errno == EINTR ? nil : systemText(errno)
            }
            total += count
            lastHeard = now
            for event in stream.append(buffer[..<count]) {
                if case .packet = event {
                    packets += 1
                    skippedBefore = stream.skipped
                }
                take(event)
            }
        }
        return nil
    }

    /// Tells of bytes that belonged to no packet, when the connection is over.
    mutating func end() -> HJ212Stream.Event? { stream.end() }

    /// Why the connection has to be closed by us; nil when it need not.
    func overdue(now: Duration, _ options: HJ212Listener.Options) -> String? {
        if isBroken || outbox.count > Self.longestOutbox { return "the station takes no answer" }
        if now - lastHeard > options.idleClose { return "nothing for \(options.idleClose)" }
        if stream.skipped - skippedBefore > options.garbage { return "only garbage" }
        return nil
    }
}
