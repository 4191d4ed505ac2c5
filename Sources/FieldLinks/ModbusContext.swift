import CModbus
import Glibc
import Telemetry

/// A libmodbus context with its open serial port; both are closed once, when this goes.
///
/// A descriptor that `select()` cannot take is refused before the library waits on it.
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
    private var timeout = Duration.zero

    /// Opens a serial port; books a descriptor.
    init(_ line: SerialLine) throws {
        try DescriptorBudget.acquire(.modbus)
        do {
            context = try Self.open(line)
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

    private static func open(_ line: SerialLine) throws(SerialPortError) -> OpaquePointer {
        let parity: [SerialLine.Parity: UInt8] = [
            .none: UInt8(ascii: "N"), .even: UInt8(ascii: "E"), .odd: UInt8(ascii: "O"),
        ]
        // The library would silently fall back to 9600 baud for a rate that it does not know.
        guard SerialLine.bauds.contains(line.baud),
            let context = modbus_new_rtu(
                line.path, Int32(clamping: line.baud), CChar(parity[line.parity] ?? 0x4E),
                Int32(line.dataBits), Int32(line.stopBits))
        else {
            throw SerialPortError(cause: "\(line.path): \(line.settings) cannot be set")
        }
        do throws(SerialPortError) {
            guard modbus_connect(context) == 0 else {
                let number = errno
                throw SerialPortError(
                    cause: openFailure(line.path, number),
                    isDescriptorShortage: number == EMFILE || number == ENFILE)
            }
            let descriptor = modbus_get_socket(context)
            guard descriptor < DescriptorBudget.cap else {
                throw SerialPortError(
                    cause: "descriptor \(descriptor) is too high for select()",
                    isDescriptorShortage: true)
            }
            try lockSerialPort(descriptor, line)
            var settings = termios()
            if tcgetattr(descriptor, &settings) == 0 {
                clearFlowControl(&settings)
                tcsetattr(descriptor, TCSANOW, &settings)
            }
            try direct(context, line)
            return context
        } catch {
            modbus_close(context)
            modbus_free(context)
            throw error
        }
    }

    /// Asks for the direction control that the line names; a driver that refuses is no use then.
    private static func direct(
        _ context: OpaquePointer, _ line: SerialLine
    ) throws(SerialPortError) {
        let result: Int32
        switch line.direction {
        case .adapter: return
        case .driver: result = modbus_rtu_set_serial_mode(context, MODBUS_RTU_RS485)
        case .rts: result = modbus_rtu_set_rts(context, MODBUS_RTU_RTS_UP)
        }
        guard result != 0 else { return }
        throw SerialPortError(
            cause: "\(line.path): the driver cannot turn the RS-485 direction "
                + "(\(systemText(errno))); leave 'rs485' out if the adapter turns it by itself, "
                + "as USB adapters do, or write 'rs485=rts' if RTS is wired to it")
    }

    /// Makes one request; nil means that `count` items were read.
    func ask(
        unit: UInt8, count: Int32, timeout: Duration, _ read: (OpaquePointer) -> Int32
    ) -> Failure? {
        wait(atMost: timeout)
        modbus_set_slave(context, Int32(unit))
        // What a silent line has still brought belongs to nobody.
        modbus_flush(context)
        let result = read(context)
        if result == count { return nil }
        return failure(number: errno, result: result)
    }

    private func wait(atMost timeout: Duration) {
        guard timeout != self.timeout else { return }
        self.timeout = timeout
        let (seconds, attoseconds) = timeout.components
        let microseconds = UInt32(clamping: attoseconds / 1_000_000_000_000)
        modbus_set_response_timeout(context, UInt32(clamping: seconds), microseconds)
        // The rest of an answer that has begun comes at once or not at all.
        let rest = timeout < .milliseconds(500) ? microseconds : 500_000
        modbus_set_byte_timeout(context, 0, rest)
    }

    private func failure(number: Int32, result: Int32) -> Failure {
        if result >= 0 {
            discard(for: timeout)
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
            let text = String(cString: modbus_strerror(number))
            // What came was the answer to an earlier request, so the one to this request is still
            // to come. Without waiting for it every later answer would be taken for the one after.
            discard(for: timeout)
            return .foreign(text)
        default:
            return .lost(systemText(number))
        }
    }

    /// Throws away what has come, and the first thing that comes within `limit`.
    func discard(for limit: Duration) {
        modbus_flush(context)
        var entry = pollfd(fd: modbus_get_socket(context), events: Int16(POLLIN), revents: 0)
        var patience = Int32(clamping: max(1, limit.milliseconds))
        var bursts = 0
        while bursts < 64, poll(&entry, 1, patience) > 0 {
            modbus_flush(context)
            // One that comes byte by byte is one.
            patience = 20
            bursts += 1
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
