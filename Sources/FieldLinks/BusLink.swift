import CModbus
import Frames
import Glibc
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
    private enum Wire {
        case library(ModbusContext)
        case stream(ByteStream)
    }

    package nonisolated let place: BusPlace
    /// Hears what was sent and what came, for recordings and `probe`; nil in service.
    private let thread: OwnThread
    private let responseTimeout: Duration
    private let connectTimeout: Duration
    private let isShared: Bool
    private let grants: Set<WriteGrant>
    private let dialIn: DialInPort?
    private var wire: Wire?
    private var unanswered = UnansweredRequests()

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// - Parameters:
    ///   - responseTimeout: how long a request may take that names no time of its own; from 1 ms.
    ///   - connectTimeout: how long connecting to one address may take.
    ///   - isShared: meters of other protocols are on the line too, so that frames are told apart
    ///     here and not by libmodbus.
    ///   - grants: all that may ever be written.
    ///   - dialIn: where the serial server of a `dialIn` place calls.
    ///   - stackSize: bytes for the link's thread; many links do with less.
    package init(
        _ place: BusPlace, responseTimeout: Duration = .seconds(1),
        connectTimeout: Duration = .seconds(3), isShared: Bool = false,
        grants: Set<WriteGrant> = [], dialIn: DialInPort? = nil, stackSize: Int = 256 * 1024
    ) {
        self.place = place
        self.responseTimeout = max(.milliseconds(1), responseTimeout)
        self.connectTimeout = connectTimeout
        self.isShared = isShared
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
        case .modbusTCP(let host, let port):
            return .library(
                try ModbusContext(host: host, port: port, connectTimeout: connectTimeout))
        case .serial(let line) where !isShared: return .library(try ModbusContext(line))
        case .serial(let line):
            return .stream(try stream(isSerial: true) { try openSerialPort(line) })
        case .serialServer(let host, let port):
            return .stream(
                try stream(isSerial: false) {
                    try connectTCP(host: host, port: port, timeout: connectTimeout)
                })
        case .dialIn(let caller):
            return .stream(
                try stream(isSerial: false) {
                    guard let socket = dialIn?.take(caller) else {
                        throw TCPConnectionError(cause: "nobody has called yet")
                    }
                    return socket
                })
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

    /// Reads `count` registers, at most 125, from `address`, which counts from 0.
    ///
    /// - Parameter timeout: nil takes the link's.
    package func readRegisters(
        unit: UInt8, function: RegisterFunction, address: Int, count: Int,
        timeout: Duration? = nil
    ) throws(BusError) -> [UInt16] {
        var values = [UInt16](repeating: 0, count: max(0, min(count, 125)))
        let request = "\(function.rawValue) \(address)+\(count)"
        guard (1...125).contains(count), address >= 0, address <= 65_536 - count else {
            throw outOfBounds(unit, request, 125)
        }
        let question = Question(unit: unit, function: function.code, address: address, count: count)
        switch try ready(question, request) {
        case .library(let context):
            let limit = timeout ?? responseTimeout
            try settle(
                question, request,
                context.ask(unit: unit, count: Int32(count), timeout: limit) { context in
                    function == .holding
                        ? modbus_read_registers(context, Int32(address), Int32(count), &values)
                        : modbus_read_input_registers(
                            context, Int32(address), Int32(count), &values)
                })
        case .stream(let stream):
            let data = try ask(question, 2 * count, request, timeout, stream)
            for index in values.indices {
                values[index] = UInt16(data[2 * index]) << 8 | UInt16(data[2 * index + 1])
            }
        }
        return values
    }

    /// Reads `count` bits, at most 2,000, from `address`, which counts from 0.
    ///
    /// - Parameter timeout: nil takes the link's.
    package func readBits(
        unit: UInt8, function: BitFunction, address: Int, count: Int, timeout: Duration? = nil
    ) throws(BusError) -> [Bool] {
        var values = [UInt8](repeating: 0, count: max(0, min(count, 2000)))
        let request = "\(function.rawValue) \(address)+\(count)"
        guard (1...2000).contains(count), address >= 0, address <= 65_536 - count else {
            throw outOfBounds(unit, request, 2000)
        }
        let question = Question(unit: unit, function: function.code, address: address, count: count)
        switch try ready(question, request) {
        case .library(let context):
            let limit = timeout ?? responseTimeout
            try settle(
                question, request,
                context.ask(unit: unit, count: Int32(count), timeout: limit) { context in
                    function == .coil
                        ? modbus_read_bits(context, Int32(address), Int32(count), &values)
                        : modbus_read_input_bits(context, Int32(address), Int32(count), &values)
                })
            return values.map { $0 != 0 }
        case .stream(let stream):
            let data = try ask(question, (count + 7) / 8, request, timeout, stream)
            return (0..<count).map { data[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
        }
    }
}

// MARK: Asking

extension BusLink {
    /// Writes what was granted.
    ///
    /// - Throws: `notGranted` before a byte has left, else as a read.
    package func write(_ request: WriteRequest, timeout: Duration? = nil) throws(BusError) {
        guard request.isGranted(by: grants) else {
            throw BusError(
                code: .notGranted, request: "\(request) at \(place)",
                cause: "the configuration grants no such write")
        }
        let count = request.values.count
        guard (1...(request.function.isBits ? 1968 : 123)).contains(count), request.address >= 0,
            request.address <= 65_536 - count
        else { throw outOfBounds(request.unit, "\(request)", request.function.isBits ? 1968 : 123) }
        let question = Question(
            unit: request.unit, function: request.function.rawValue, address: request.address,
            count: count)
        let limit = timeout ?? responseTimeout
        switch try ready(question, "\(request)") {
        case .library(let context):
            try settle(
                question, "\(request)",
                context.ask(unit: request.unit, count: Int32(count), timeout: limit) {
                    request.send(through: $0)
                })
        case .stream(let stream):
            _ = try ask(request.pdu, question, nil, "\(request)", timeout, stream)
        }
    }

    /// Sends a frame of another protocol and returns what `search` finds in the answer.
    ///
    /// - Parameters:
    ///   - request: the frame; its protocol allows reads alone.
    ///   - name: what is asked, for messages.
    /// - Throws: `invalidRequest` where libmodbus owns the line.
    package func exchange<Answer>(
        _ request: [UInt8], name: String, timeout: Duration? = nil,
        _ search: ([UInt8]) -> FrameSearch<Answer>
    ) throws(BusError) -> Answer {
        guard case .stream(let stream) = wire else {
            throw BusError(
                code: wire == nil ? .disconnected : .invalidRequest, request: "\(name) at \(place)",
                cause: wire == nil ? "not connected" : "the line speaks Modbus alone")
        }
        do throws(ByteStream.Failure) {
            return try stream.exchange(request, timeout: timeout ?? responseTimeout, search)
        } catch {
            throw failure(error, "\(name) at \(place)", timeout)
        }
    }

    private func outOfBounds(_ unit: UInt8, _ request: String, _ limit: Int) -> BusError {
        BusError(
            code: .invalidRequest, request: "unit \(unit) \(request) at \(place)",
            cause: "a request is for 1 to \(limit) of 65,536")
    }

    /// The wire, once no late answer can be taken for the one to `question`.
    private func ready(_ question: Question, _ request: String) throws(BusError) -> Wire {
        guard let wire else {
            throw BusError(
                code: .disconnected, request: "unit \(question.unit) \(request) at \(place)",
                cause: "not connected")
        }
        // Modbus TCP numbers its requests; on a line only time tells.
        if case .library = wire, case .modbusTCP = place { return wire }
        if let pause = unanswered.pause(before: question, now: monotonicNanoseconds()) {
            switch wire {
            case .library(let context): context.discard(for: pause)
            case .stream(let stream): stream.discard(for: pause)
            }
            unanswered.forget(question)
        }
        return wire
    }

    /// Turns the library's failure into an error, and remembers what was left unanswered.
    private func settle(
        _ question: Question, _ request: String, _ failure: ModbusContext.Failure?
    ) throws(BusError) {
        guard let failure else { return }
        func error(_ code: BusError.Code, _ cause: String) -> BusError {
            BusError(
                code: code, request: "unit \(question.unit) \(request) at \(place)", cause: cause)
        }
        switch failure {
        case .timeout:
            unanswered.add(question, now: monotonicNanoseconds(), timeout: responseTimeout)
            throw error(.timeout, "no complete answer in time")
        case .exception(let number):
            throw error(.exception(number), ModbusContext.text(exception: number))
        case .foreign(let text): throw error(.foreignAnswer, text)
        case .lost(let text):
            close()
            throw error(.disconnected, text)
        }
    }

    /// Reads over a stream; the bytes that were asked for.
    private func ask(
        _ question: Question, _ bytes: Int, _ request: String, _ timeout: Duration?,
        _ stream: ByteStream
    ) throws(BusError) -> [UInt8] {
        let (address, count) = (question.address, question.count)
        let pdu: [UInt8] = [
            question.function, UInt8(address >> 8), UInt8(address & 0xFF), UInt8(count >> 8),
            UInt8(count & 0xFF),
        ]
        return try ask(pdu, question, bytes, request, timeout, stream)
    }

    private func ask(
        _ pdu: [UInt8], _ question: Question, _ bytes: Int?, _ request: String,
        _ timeout: Duration?, _ stream: ByteStream
    ) throws(BusError) -> [UInt8] {
        let name = "unit \(question.unit) \(request) at \(place)"
        let answer: ModbusRTUFrame.Answer
        do throws(ByteStream.Failure) {
            answer = try stream.exchange(
                ModbusRTUFrame.frame(unit: question.unit, pdu: pdu),
                timeout: timeout ?? responseTimeout
            ) {
                ModbusRTUFrame.search($0, unit: question.unit, pdu: pdu, count: bytes)
            }
        } catch {
            unanswered.add(
                question, now: monotonicNanoseconds(), timeout: timeout ?? responseTimeout)
            throw failure(error, name, timeout)
        }
        switch answer {
        case .data(let data): return data
        case .exception(let number):
            throw BusError(
                code: .exception(number), request: name,
                cause: ModbusContext.text(exception: number))
        }
    }

    private func failure(
        _ failure: ByteStream.Failure, _ name: String, _ timeout: Duration?
    ) -> BusError {
        switch failure {
        case .timeout:
            return BusError(
                code: .timeout, request: name,
                cause: "no complete answer in \(timeout ?? responseTimeout)")
        case .foreign(let count):
            return BusError(
                code: .foreignAnswer, request: name,
                cause: "\(count) bytes came, and none of them is the answer")
        case .lost(let text):
            close()
            return BusError(code: .disconnected, request: name, cause: text)
        }
    }
}
