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
    private static let waitingLimit = 64

    /// The port that is listened on.
    package nonisolated let port: Int
    private let thread: OwnThread
    private let listener: Int32
    private let wakeUp: WakeUp
    private let callers: [Caller]
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
    /// - Throws: `BusError` when the port cannot be listened on.
    package init(host: String, port: Int, callers: [Caller]) throws(BusError) {
        self.callers = callers
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
        while !wakeUp.isStopped {
            var entries = ([listener] + newcomers.map(\.descriptor)).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            wakeUp.wait(polling: &entries, limit: .seconds(1))
            accept(&newcomers)
            let now = monotonicNanoseconds()
            newcomers = newcomers.filter { newcomer in
                var newcomer = newcomer
                return !settle(&newcomer, now)
            }
        }
        for newcomer in newcomers { close(newcomer.descriptor) }
    }

    private func accept(_ newcomers: inout [Newcomer]) {
        while newcomers.count < Self.waitingLimit {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else { return }
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
    }

    /// Hands the newcomer to its link, or turns it away; true when it is no newcomer any more.
    private func settle(_ newcomer: inout Newcomer, _ now: Int64) -> Bool {
        let named = callers.compactMap(\.registration)
        guard !named.isEmpty else {
            handOver(newcomer.descriptor, to: "")
            return true
        }
        // The text stays in the socket: whoever takes it drains it before the first request.
        let longest = named.map(\.utf8.count).max() ?? 0
        var buffer = [UInt8](repeating: 0, count: longest + 64)
        let count = recv(
            newcomer.descriptor, &buffer, buffer.count, Int32(MSG_PEEK | MSG_DONTWAIT))
        if count > 0 { newcomer.text = Array(buffer[..<count]) }
        for name in named where newcomer.text.starts(with: Array(name.utf8)) {
            handOver(newcomer.descriptor, to: name)
            return true
        }
        guard count == 0 || now >= newcomer.until || newcomer.text.count > longest else {
            return false
        }
        strangers.add(1, ordering: .relaxed)
        close(newcomer.descriptor)
        return true
    }

    private func handOver(_ descriptor: Int32, to name: String) {
        let old = waiting.withLock { $0.updateValue(descriptor, forKey: name) }
        if let old { close(old) }
    }
}
