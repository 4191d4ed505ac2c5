import Frames
import Glibc
import OwnThread
import Synchronization
import Telemetry

/// Listens for stations that speak HJ 212, on a thread of its own.
///
///     stations ──▶ poll() ──▶ HJ212Stream of each ──▶ handle(batch) ──▶ replies at once
///                    ▲                                      └▶ replies later (after a commit)
///                    └──────────────── mailbox ◀───────────────┘
///
/// What comes in is handed on in order, and the thread waits while it is taken over; replies that
/// come later are written when they are there, so that no station waits for another's commit.
package actor HJ212Listener {
    /// The bounds of the listener.
    package struct Options: Hashable, Sendable {
        package var rules = HJ212Stream.Rules()
        /// Stations at the same time; a further one takes the place of one that never sent a packet.
        package var connections = 32
        /// A connection that brings nothing for this long is closed; stations may report hourly.
        package var idleClose: Duration = .seconds(7200)
        /// Bytes without a packet after which a connection is closed.
        package var garbage = 65_536
        /// How long answers are waited for when the listener stops; then their commits are given up.
        package var drain: Duration = .seconds(10)
        package init() {}
    }

    /// What happened, in order.
    package enum Event: Hashable, Sendable {
        /// - peer: the address and port of the station.
        case opened(connection: Int, peer: String)
        case received(connection: Int, HJ212Stream.Event)
        case closed(connection: Int, cause: String)
        /// A caller for whom there was no room.
        case turnedAway(peer: String, cause: String)
    }

    /// Bytes for one connection.
    package struct Reply: Hashable, Sendable {
        package var connection: Int
        package var bytes: [UInt8]
        /// Whether the connection is closed afterwards.
        package var closes: Bool

        package init(connection: Int, bytes: [UInt8], closes: Bool = false) {
            self.connection = connection
            self.bytes = bytes
            self.closes = closes
        }
    }

    /// What comes of a batch.
    package struct Handling: Sendable {
        package var replies: [Reply]
        /// Waits for what has to happen before the rest is answered.
        package var later: (@Sendable () async -> [Reply])?

        package init(
            replies: [Reply] = [], later: (@Sendable () async -> [Reply])? = nil
        ) {
            self.replies = replies
            self.later = later
        }
    }

    private struct Mail {
        var replies: [Reply] = []
        var settled = 0
    }

    /// Batches whose answers are still to come; beyond this nothing more is read.
    private static let mostOutstanding = 64

    private let host: String
    private let port: Int
    private let options: Options
    private let clock: LinkClock
    private let thread: OwnThread
    private let wake: WakeUp
    private let mail: MailBox
    private var socket: HJ212Socket?
    private var connections: [Int: HJ212Connection] = [:]
    private var nextConnection = 1
    private var outstanding = 0

    /// Holds the mutex, which no closure may capture by itself.
    private final class MailBox: Sendable {
        let state = Mutex(Mail())
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// - Parameters:
    ///   - host: the address to listen on; 0.0.0.0 takes all of IPv4.
    ///   - port: 0 takes a free one, which `run` tells.
    /// - Throws: `DescriptorBudgetError` when the system gives no descriptor.
    package init(
        host: String, port: Int, options: Options = .init(), clock: LinkClock
    ) throws(DescriptorBudgetError) {
        self.host = host
        self.port = port
        self.options = options
        self.clock = clock
        thread = OwnThread(name: "hj212 \(port)")
        wake = try WakeUp(for: .hj212)
        mail = MailBox()
    }

    /// Asks `run` to finish: answers that are on their way are still sent.
    package nonisolated func stop() { wake.stop() }

    /// Serves stations until `stop`.
    ///
    /// - Parameters:
    ///   - onListening: told the port, or why there is none; attempts go on every few seconds.
    ///   - handle: takes a batch over; called about once a second even with nothing in it.
    package func run(
        onListening: @Sendable (Result<Int, HJ212ListenError>) -> Void,
        _ handle: @escaping @Sendable ([Event]) async -> Handling
    ) async {
        var isReported = false
        while !isStopping {
            do {
                let socket = try HJ212Socket(host: host, port: port)
                self.socket = socket
                isReported = false
                onListening(.success(socket.port))
                await serve(socket, handle)
            } catch {
                if !isReported { onListening(.failure(error)) }
                isReported = true
                _ = wake.wait(socket: -1, forWriting: false, limit: .seconds(2))
            }
        }
        socket = nil
    }

    private var isStopping: Bool { wake.isStopped || Task.isCancelled }

    private func serve(
        _ socket: HJ212Socket, _ handle: @escaping @Sendable ([Event]) async -> Handling
    ) async {
        var stopsAt: Duration?
        await withDiscardingTaskGroup { group in
            while stopsAt == nil || (outstanding > 0 && clock.elapsed() < stopsAt ?? .zero) {
                if isStopping, stopsAt == nil { stopsAt = clock.elapsed() + options.drain }
                let isPaused = stopsAt != nil || outstanding >= Self.mostOutstanding
                let events = round(socket, isPaused: isPaused)
                takeMail()
                if stopsAt != nil { continue }
                let handling = await handle(events)
                for reply in handling.replies { send(reply) }
                guard let later = handling.later else { continue }
                outstanding += 1
                let (mail, wake) = (mail, wake)
                group.addTask {
                    let replies = await later()
                    mail.state.withLock { mail in
                        mail.replies += replies
                        mail.settled += 1
                    }
                    wake.ring()
                }
            }
            takeMail()
            connections = [:]
            // What is not acknowledged by now comes again; a commit that hangs must not keep us.
            group.cancelAll()
        }
    }

    private func takeMail() {
        let mail = mail.state.withLock { mail in
            defer { mail = Mail() }
            return mail
        }
        outstanding -= mail.settled
        for reply in mail.replies { send(reply) }
    }

    private func send(_ reply: Reply) {
        guard var connection = connections[reply.connection] else { return }
        connection.send(reply.bytes)
        connections[reply.connection] = reply.closes ? nil : connection
    }

    /// Waits for something to happen and takes it in.
    private func round(_ socket: HJ212Socket, isPaused: Bool) -> [Event] {
        let ids = connections.keys.sorted()
        var entries = [
            pollfd(
                fd: isPaused || socket.isShort ? -1 : socket.descriptor, events: Int16(POLLIN),
                revents: 0)
        ]
        for id in ids {
            guard let connection = connections[id] else { continue }
            let wanted =
                (isPaused ? 0 : POLLIN) | (connection.hasMoreToSend ? POLLOUT : 0)
            entries.append(
                pollfd(fd: connection.descriptor, events: Int16(wanted), revents: 0))
        }
        wake.wait(polling: &entries, limit: .seconds(1))
        var events: [Event] = []
        let now = clock.elapsed()
        for (id, entry) in zip(ids, entries.dropFirst()) {
            serve(id, Int32(entry.revents), isPaused: isPaused, now: now, &events)
        }
        if entries[0].revents != 0 || socket.isShort { accept(socket, now: now, &events) }
        return events
    }

    private func serve(
        _ id: Int, _ ready: Int32, isPaused: Bool, now: Duration, _ events: inout [Event]
    ) {
        guard var connection = connections[id] else { return }
        var end: String?
        if ready & POLLOUT != 0 { connection.send([]) }
        if !isPaused, ready & (POLLIN | POLLHUP | POLLERR) != 0 {
            end = connection.receive(now: now) { events.append(.received(connection: id, $0)) }
        } else if ready & (POLLHUP | POLLERR) != 0 {
            end = "the station has gone"
        }
        if end == nil { end = connection.overdue(now: now, options) }
        connections[id] = connection
        if let end { leave(id, end, &events) }
    }

    private func leave(_ id: Int, _ cause: String, _ events: inout [Event]) {
        guard var connection = connections.removeValue(forKey: id) else { return }
        if let dirt = connection.end() { events.append(.received(connection: id, dirt)) }
        events.append(.closed(connection: id, cause: cause))
    }

    private func accept(_ socket: HJ212Socket, now: Duration, _ events: inout [Event]) {
        while let (descriptor, peer) = socket.accept() {
            if connections.count >= options.connections {
                // One that has proved to be a station is worth more than a newcomer.
                let idle = connections.filter { $0.value.packets == 0 }.keys.min()
                guard let idle else {
                    close(descriptor)
                    events.append(
                        .turnedAway(
                            peer: peer, cause: "\(connections.count) stations are connected"))
                    continue
                }
                leave(idle, "made room for another", &events)
            }
            do {
                let connection = try HJ212Connection(
                    descriptor: descriptor, rules: options.rules, now: now)
                let id = nextConnection
                nextConnection += 1
                connections[id] = connection
                events.append(.opened(connection: id, peer: peer))
            } catch {
                events.append(.turnedAway(peer: peer, cause: "\(error)"))
            }
        }
    }
}
