import CModbus
import Glibc
import Telemetry

/// A libmodbus TCP context with its connected socket; both are closed once, when this goes.
///
/// The socket is connected here and handed over, so that connecting has its own time-out and a
/// descriptor that `select()` cannot take never reaches the library.
final class ModbusContext {
    /// How a request failed.
    enum Failure {
        case timeout
        case exception(UInt8)
        case foreign(String)
        case lost(String)
    }

    // MODBUS_ENOBASE and the codes after it are arithmetic macros, which are not imported.
    private static let errorBase: Int32 = 112_345_678
    private static let lastException = errorBase + 11
    private static let badCRC = lastException + 1
    private static let badData = lastException + 2
    private static let badException = lastException + 3
    private static let unknownException = lastException + 4
    private static let tooMuchData = lastException + 5
    private static let badUnit = lastException + 6

    private let context: OpaquePointer
    private let responseTimeout: Duration

    init(
        host: String, port: Int, responseTimeout: Duration, connectTimeout: Duration
    ) throws {
        try DescriptorBudget.acquire(.modbus)
        do {
            guard let context = modbus_new_tcp(nil, Int32(clamping: port)) else {
                throw TCPConnectionError(cause: systemText(errno))
            }
            do {
                let socket = try connectTCP(host: host, port: port, timeout: connectTimeout)
                modbus_set_socket(context, socket)
            } catch {
                modbus_free(context)
                throw error
            }
            let (seconds, attoseconds) = responseTimeout.components
            let microseconds = UInt32(clamping: attoseconds / 1_000_000_000_000)
            modbus_set_response_timeout(context, UInt32(clamping: seconds), microseconds)
            // The rest of an answer that has begun comes at once or not at all.
            if responseTimeout < .milliseconds(500) {
                modbus_set_byte_timeout(context, 0, microseconds)
            }
            self.context = context
            self.responseTimeout = responseTimeout
        } catch {
            DescriptorBudget.release(.modbus)
            throw error
        }
    }

    deinit {
        modbus_close(context)
        modbus_free(context)
        DescriptorBudget.release(.modbus)
    }

    /// Makes one request; nil means that `count` items were read.
    func ask(unit: UInt8, count: Int32, _ read: (OpaquePointer) -> Int32) -> Failure? {
        modbus_set_slave(context, Int32(unit))
        let result = read(context)
        if result == count { return nil }
        return failure(number: errno, result: result)
    }

    private func failure(number: Int32, result: Int32) -> Failure {
        if result >= 0 {
            drain()
            return .foreign("\(result) items came instead of those asked for")
        }
        switch number {
        case ETIMEDOUT, EAGAIN, EINTR:
            modbus_flush(context)
            return .timeout
        case Self.errorBase + 1..<Self.badCRC:
            return .exception(UInt8(clamping: number - Self.errorBase))
        case Self.badCRC, Self.badData, Self.badException, Self.unknownException,
            Self.tooMuchData, Self.badUnit:
            drain()
            return .foreign(String(cString: modbus_strerror(number)))
        default:
            return .lost(
                number == ECONNRESET ? "the device closed the connection" : systemText(number))
        }
    }

    /// Throws away the late answers that are on their way.
    ///
    /// What came was the answer to an earlier request, so the one to this request is still to come.
    /// Without waiting for it every later answer would be taken for the one after it.
    private func drain() {
        modbus_flush(context)
        let socket = modbus_get_socket(context)
        var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        if poll(&entry, 1, Int32(clamping: max(1, responseTimeout.milliseconds))) > 0 {
            modbus_flush(context)
        }
    }

    /// The name of an exception in the application protocol.
    static func text(exception number: UInt8) -> String {
        let name =
            switch number {
            case 1: "illegal function"
            case 2: "illegal data address"
            case 3: "illegal data value"
            case 4: "device failure"
            case 5: "acknowledged, not ready"
            case 6: "device busy"
            case 7: "negative acknowledge"
            case 8: "memory parity error"
            case 10: "gateway path unavailable"
            case 11: "gateway target did not respond"
            default: "not in the protocol"
            }
        return "exception \(number), \(name)"
    }
}
