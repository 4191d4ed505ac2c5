import OwnThread
import Telemetry

/// One bus and whoever is on it, on a thread of its own.
///
/// Every call blocks, so all of them run on the link's thread. Whoever polls loops inside `perform`,
/// because an `await` for each read doubles its cost. One request is under way at a time. The link
/// asks; it writes only what it was granted when it was made.
package actor BusLink {
    /// The tables of the Modbus data model that hold registers.
    package enum RegisterFunction: String, Hashable, Sendable {
        case holding, input
        var code: UInt8 { self == .holding ? 3 : 4 }
    }

    /// The tables of the Modbus data model that hold bits.
    package enum BitFunction: String, Hashable, Sendable {
        case coil, discrete
        var code: UInt8 { self == .coil ? 1 : 2 }
    }

    /// How the bytes travel while the link is connected.
    enum Wire {
        /// A serial port that libmodbus owns.
        case library(ModbusContext)
        /// A line, or Modbus TCP, whose bytes come as they are.
        case stream(ByteStream, Framing)
    }

    /// How a Modbus frame stands in a stream.
    enum Framing {
        /// As on a serial line: with a checksum, and without a number.
        case line
        /// As over TCP: numbered.
        case packets
    }

    package nonisolated let place: BusPlace
    private let thread: OwnThread
    let responseTimeout: Duration
    private let connectTimeout: Duration
    private let isShared: Bool
    let believesAnyUnit: Bool
    let grants: Set<WriteGrant>
    private let dialIn: DialInPort?
    private(set) var wire: Wire?
    var unanswered = UnansweredRequests()
    /// The number of the last request over Modbus TCP; it runs on from connection to connection.
    var transaction: UInt16 = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// - Parameters:
    ///   - responseTimeout: how long a request may take that names no time of its own; from 1 ms.
    ///   - connectTimeout: how long connecting to one address may take.
    ///   - isShared: meters of other protocols are on the line too, so that frames are told apart
    ///     here and not by libmodbus.
    ///   - believesAnyUnit: the one device behind a Modbus TCP address answers with a unit id of
    ///     its own liking.
    ///   - grants: all that may ever be written.
    ///   - dialIn: where the serial server of a `dialIn` place calls.
    ///   - stackSize: bytes for the link's thread; many links do with less.
    package init(
        _ place: BusPlace, responseTimeout: Duration = .seconds(1),
        connectTimeout: Duration = .seconds(3), isShared: Bool = false,
        believesAnyUnit: Bool = false, grants: Set<WriteGrant> = [], dialIn: DialInPort? = nil,
        stackSize: Int = 256 * 1024
    ) {
        self.place = place
        self.responseTimeout = max(.milliseconds(1), responseTimeout)
        self.connectTimeout = connectTimeout
        self.isShared = isShared
        self.believesAnyUnit = believesAnyUnit
        self.grants = grants
        self.dialIn = dialIn
        thread = OwnThread(name: "bus \(place)", stackSize: stackSize)
    }

    /// A link to a server that speaks Modbus TCP.
    package init(
        host: String, port: Int, responseTimeout: Duration = .seconds(1),
        connectTimeout: Duration = .seconds(3)
    ) {
        self.init(
            .modbusTCP(host: host, port: port), responseTimeout: responseTimeout,
            connectTimeout: connectTimeout)
    }

    /// Runs `body` on the link's thread.
    package func perform<R: Sendable>(
        _ body: @Sendable (isolated BusLink) async throws -> R
    ) async rethrows -> R {
        try await body(self)
    }

    package var isConnected: Bool { wire != nil }

    /// Whether a serial server has called anew while its old connection still counts as open.
    package var isReplaced: Bool {
        if case .dialIn(let caller) = place { dialIn?.isWaiting(caller) ?? false } else { false }
    }

    /// Connects unless the link is connected.
    ///
    /// - Throws: `connectFailed` with what to do, or `descriptors` when the budget is used up.
    package func connect() throws(BusError) {
        if wire != nil { return }
        unanswered = UnansweredRequests()
        do {
            wire = try open()
        } catch let error as TCPConnectionError {
            throw failedToConnect(error.cause, error.isDescriptorShortage)
        } catch let error as SerialPortError {
            throw failedToConnect(error.cause, error.isDescriptorShortage)
        } catch {
            throw failedToConnect("\(error)", true)
        }
    }

    private func failedToConnect(_ cause: String, _ isShortage: Bool) -> BusError {
        BusError(
            code: isShortage ? .descriptors : .connectFailed, request: "connect to \(place)",
            cause: cause)
    }

    private func open() throws -> Wire {
        switch place {
        case .modbusTCP(let host, let port): return .stream(try connected(host, port), .packets)
        case .serial(let line) where !isShared: return .library(try ModbusContext(line))
        case .serial(let line):
            return .stream(try stream(isSerial: true) { try openSerialPort(line) }, .line)
        case .serialServer(let host, let port): return .stream(try connected(host, port), .line)
        case .dialIn(let caller):
            return .stream(
                try stream(isSerial: false) {
                    guard let socket = dialIn?.take(caller) else {
                        throw TCPConnectionError(cause: "nobody has called yet")
                    }
                    return socket
                }, .line)
        }
    }

    private func connected(_ host: String, _ port: Int) throws -> ByteStream {
        try stream(isSerial: false) {
            try connectTCP(host: host, port: port, timeout: connectTimeout)
        }
    }

    private func stream(isSerial: Bool, _ open: () throws -> Int32) throws -> ByteStream {
        try DescriptorBudget.acquire(.modbus)
        do {
            return ByteStream(descriptor: try open(), isSerial: isSerial)
        } catch {
            DescriptorBudget.release(.modbus)
            throw error
        }
    }

    /// Closes the connection; the next `connect` makes a new one.
    package func close() { wire = nil }
}
