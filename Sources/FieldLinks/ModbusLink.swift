import CModbus
import Glibc
import OwnThread
import Telemetry

/// One connection to a Modbus TCP server, on a thread of its own.
///
/// libmodbus blocks, so every call runs on the link's thread. Whoever polls loops inside `perform`,
/// because an `await` for each read doubles its cost. The link asks; it never writes to a device.
package actor ModbusLink {
    /// The tables of the Modbus data model that hold registers.
    package enum RegisterFunction: String, Hashable, Sendable {
        case holding, input
    }

    /// The tables of the Modbus data model that hold bits.
    package enum BitFunction: String, Hashable, Sendable {
        case coil, discrete
    }

    package nonisolated let host: String
    package nonisolated let port: Int
    private let thread: OwnThread
    private let responseTimeout: Duration
    private let connectTimeout: Duration
    private var context: ModbusContext?

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// - Parameters:
    ///   - host: a name or an address.
    ///   - responseTimeout: how long one request may take; from 1 ms.
    ///   - connectTimeout: how long connecting to one address may take.
    package init(
        host: String, port: Int, responseTimeout: Duration = .seconds(1),
        connectTimeout: Duration = .seconds(3)
    ) {
        self.host = host
        self.port = port
        self.responseTimeout = max(.milliseconds(1), responseTimeout)
        self.connectTimeout = connectTimeout
        thread = OwnThread(name: "modbus \(port)")
    }

    /// Runs `body` on the link's thread.
    package func perform<R: Sendable>(
        _ body: @Sendable (isolated ModbusLink) async throws -> R
    ) async rethrows -> R {
        try await body(self)
    }

    package var isConnected: Bool { context != nil }

    /// Connects unless the link is connected.
    ///
    /// - Throws: `connectFailed`, or `descriptors` when the budget is used up.
    package func connect() throws(ModbusError) {
        if context != nil { return }
        do {
            context = try ModbusContext(
                host: host, port: port, responseTimeout: responseTimeout,
                connectTimeout: connectTimeout)
        } catch let error as TCPConnectionError {
            throw ModbusError(
                code: error.isDescriptorShortage ? .descriptors : .connectFailed,
                request: "connect to \(host):\(port)", cause: error.cause)
        } catch {
            throw ModbusError(
                code: .descriptors, request: "connect to \(host):\(port)", cause: "\(error)")
        }
    }

    /// Closes the connection; the next `connect` makes a new one.
    package func close() { context = nil }

    /// Reads `count` registers, at most 125, from `address`, which counts from 0.
    package func readRegisters(
        unit: UInt8, function: RegisterFunction, address: Int, count: Int
    ) throws(ModbusError) -> [UInt16] {
        var values = [UInt16](repeating: 0, count: max(0, min(count, 125)))
        try ask(unit, function.rawValue, address, count, limit: 125) { context in
            switch function {
            case .holding:
                modbus_read_registers(context, Int32(address), Int32(count), &values)
            case .input:
                modbus_read_input_registers(context, Int32(address), Int32(count), &values)
            }
        }
        return values
    }

    /// Reads `count` bits, at most 2,000, from `address`, which counts from 0.
    package func readBits(
        unit: UInt8, function: BitFunction, address: Int, count: Int
    ) throws(ModbusError) -> [Bool] {
        var values = [UInt8](repeating: 0, count: max(0, min(count, 2000)))
        try ask(unit, function.rawValue, address, count, limit: 2000) { context in
            switch function {
            case .coil: modbus_read_bits(context, Int32(address), Int32(count), &values)
            case .discrete:
                modbus_read_input_bits(context, Int32(address), Int32(count), &values)
            }
        }
        return values.map { $0 != 0 }
    }

    private func ask(
        _ unit: UInt8, _ table: String, _ address: Int, _ count: Int, limit: Int,
        _ read: (OpaquePointer) -> Int32
    ) throws(ModbusError) {
        func error(_ code: ModbusError.Code, _ cause: String) -> ModbusError {
            ModbusError(
                code: code, request: "unit \(unit) \(table) \(address)+\(count) at \(host):\(port)",
                cause: cause)
        }
        guard (1...limit).contains(count), address >= 0, address <= 65_536 - count else {
            throw error(.invalidRequest, "a request is for 1 to \(limit) of 65,536")
        }
        guard let context else { throw error(.disconnected, "not connected") }
        switch context.ask(unit: unit, count: Int32(count), read) {
        case nil: return
        case .timeout: throw error(.timeout, "no complete answer in \(responseTimeout)")
        case .exception(let number):
            throw error(.exception(number), ModbusContext.text(exception: number))
        case .foreign(let text): throw error(.foreignAnswer, text)
        case .lost(let text):
            close()
            throw error(.disconnected, text)
        }
    }
}
