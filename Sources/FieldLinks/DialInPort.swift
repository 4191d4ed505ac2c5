import Glibc
import OwnThread
import Synchronization
import Telemetry

/// A TCP port that serial servers and cellular units (DTU) call, each for the bus behind it.
///
/// A unit that calls again replaces its old connection: behind a mobile network the old one is
/// half-open as a rule, and the unit knows better.
///
///     accept → [registration text, within 10 s] → waits for its link → taken by `BusLink.connect`
///
/// `DTU-1` and `DTU-10` may share a port: as long as a longer name is possible it is waited for.
package actor DialInPort {
    /// Who is expected to call, and how it is known.
    package struct Caller: Hashable, Sendable, CustomStringConvertible {
        /// The address to listen on.
        package var host: String
        package var port: Int
        /// What the unit sends first to say who it is; nil takes whoever calls.
        package var registration: String?

        package init(host: String, port: Int, registration: String? = nil) {
            self.host = host
            self.port = port
            self.registration = registration
        }

        package var description: String {
            "calls to \(host):\(port)" + (registration.map { " as '\($0)'" } ?? "")
        }
    }

    private struct Newcomer {
        var descriptor: Int32
        var text: [UInt8] = []
        var until: Int64
    }

    private static let patience = Duration.seconds(10)
    /// Whoever has said a whole name gets so long to go on to a longer one.
    private static let patienceForMore = Duration.seconds(1)
    private static let waitingLimit = 64

    /// The port that is listened on.
    package nonisolated let port: Int
    private let thread: OwnThread
    private let listener: Int32
    private let wakeUp: WakeUp
    /// The registrations that are expected, the longest first; none takes whoever calls.
    private let names: [[UInt8]]
    private let onRefusal: @Sendable (String) -> Void
    private var told: Set<String> = []
    /// Sockets that wait for their links, by registration; "" is whoever calls.
    private nonisolated let waiting = Mutex<[String: Int32]>([:])
    private nonisolated let strangers = Atomic(0)

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// Calls that no link expects, or that said nothing in time.
    package nonisolated var refusals: Int { strangers.load(ordering: .relaxed) }

    /// Listens; calls wait until `run` answers them.
    ///
    /// - Parameters:
    ///   - callers: all that are expected on this address and port; those with a registration first
    ///     say it, so a port with several of them takes nobody without.
    ///   - onRefusal: hears once what a caller said that nobody expects, made printable; must not
    ///     block.
    /// - Throws: `BusError` when the port cannot be listened on.
    package init(
        host: String, port: Int, callers: [Caller],
        onRefusal: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(BusError) {
        names = callers.compactMap { $0.registration.map { Array($0.utf8) } }
            .sorted { $0.count > $1.count }
        self.onRefusal = onRefusal
        do throws(DescriptorBudgetError) {
            wakeUp = try WakeUp(for: .modbus)
        } catch {
            throw BusError(
                code: .descriptors, request: "listen on \(host):\(port)", cause: "\(error)")
        }
        do throws(TCPConnectionError) {
            (listener, self.port) = try listenTCP(host: host, port: port)
        } catch {
            throw BusError(
                code: error.isDescriptorShortage ? .descriptors : .connectFailed,
                request: "listen on \(host):\(port)", cause: error.cause)
        }
        thread = OwnThread(name: "dial-in \(port)")
    }

    deinit {
        close(listener)
        for socket in waiting.withLock({ $0.values }) { close(socket) }
    }

    /// Asks `run` to finish.
    package nonisolated func stop() { wakeUp.stop() }

    /// The newest connection of `caller`, which the taker closes; nil while there is none.
    nonisolated func take(_ caller: Caller) -> Int32? {
        waiting.withLock { $0.removeValue(forKey: caller.registration ?? "") }
    }

    /// Whether `caller` has called again since its connection was taken.
    nonisolated func isWaiting(_ caller: Caller) -> Bool {
        waiting.withLock { $0[caller.registration ?? ""] != nil }
    }

    /// Answers calls until `stop`; holds the port's thread.
    package func run() async {
        var newcomers: [Newcomer] = []
        var isFull = false
        while !wakeUp.isStopped {
            // A caller that cannot be taken would be news again and again.
            let heard = (isFull ? [] : [listener]) + newcomers.map(\.descriptor)
            var entries = heard.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            wakeUp.wait(polling: &entries, limit: .seconds(1))
            isFull = !accept(&newcomers)
            let now = monotonicNanoseconds()
            for index in newcomers.indices.reversed() where settle(&newcomers[index], now) {
                newcomers.remove(at: index)
            }
        }
        for newcomer in newcomers { close(newcomer.descriptor) }
    }

    /// Takes all that call; false when there is no room for more.
    private func accept(_ newcomers: inout [Newcomer]) -> Bool {
        while newcomers.count < Self.waitingLimit {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else { return errno != EMFILE && errno != ENFILE }
            guard descriptor < DescriptorBudget.cap else {
                close(descriptor)
                continue
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            setSocketOptions(descriptor)
            newcomers.append(
                Newcomer(
                    descriptor: descriptor,
                    until: monotonicNanoseconds() + Self.patience.nanoseconds))
        }
        return false
    }

    /// Hands the newcomer to its link, or turns it away; true when it is no newcomer any more.
    private func settle(_ newcomer: inout Newcomer, _ now: Int64) -> Bool {
        guard let longest = names.first?.count else {
            handOver(newcomer.descriptor, to: "")
            return true
        }
        let before = newcomer.text.count
        // No more than a name: what follows it belongs to the line.
        var buffer = [UInt8](repeating: 0, count: max(1, longest - before))
        let count = recv(newcomer.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 { newcomer.text += buffer[..<count] }
        let text = newcomer.text
        let name = names.first { text.starts(with: $0) }
        if name != nil, text.count > before {
            newcomer.until = min(newcomer.until, now + Self.patienceForMore.nanoseconds)
        }
        let mayGoOn = names.contains { $0.count > text.count && $0.starts(with: text) }
        if mayGoOn, count != 0, now < newcomer.until { return false }
        if let name {
            handOver(newcomer.descriptor, to: String(decoding: name, as: UTF8.self))
        } else {
            close(newcomer.descriptor)
            turnAway(text)
        }
        return true
    }

    /// Counts a stranger, and tells of each once.
    private func turnAway(_ text: [UInt8]) {
        strangers.add(1, ordering: .relaxed)
        let said = String(
            text.prefix(40).map { byte -> Character in
                (0x20..<0x7F).contains(byte) ? Character(Unicode.Scalar(byte)) : "?"
            })
        guard told.count < Self.waitingLimit, told.insert(said).inserted else { return }
        onRefusal(said)
    }

    private func handOver(_ descriptor: Int32, to name: String) {
        let old = waiting.withLock { $0.updateValue(descriptor, forKey: name) }
        if let old { close(old) }
    }
}
