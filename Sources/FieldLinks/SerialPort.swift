import Glibc
import Telemetry

/// Why a serial port is not usable; `cause` says what to do.
struct SerialPortError: Error {
    let cause: String
    var isDescriptorShortage = false
}

/// Opens a serial port for bytes as they are: no echo, no translation, no signals.
///
/// - Returns: a non-blocking descriptor below 1,024 that nobody else has locked; the caller closes it.
func openSerialPort(_ line: SerialLine) throws(SerialPortError) -> Int32 {
    let descriptor = open(line.path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
        let number = errno
        throw SerialPortError(
            cause: openFailure(line.path, number),
            isDescriptorShortage: number == EMFILE || number == ENFILE)
    }
    do throws(SerialPortError) {
        guard descriptor < DescriptorBudget.cap else {
            throw SerialPortError(
                cause: "descriptor \(descriptor) is too high for select()",
                isDescriptorShortage: true)
        }
        try lockSerialPort(descriptor, line)
        try setUp(descriptor, line)
        if line.direction != .adapter {
            throw SerialPortError(
                cause: "\(line.path): 'rs485=\(line.direction.rawValue)' is for lines that speak "
                    + "Modbus alone; give the meters of other protocols a line of their own")
        }
        return descriptor
    } catch {
        close(descriptor)
        throw error
    }
}

/// What keeps a port from being opened, and what helps.
func openFailure(_ path: String, _ number: Int32) -> String {
    switch number {
    case ENOENT, ENXIO, ENODEV:
        "\(path): \(systemText(number)); is the adapter plugged in? "
            + "'ls -l /dev/serial/by-path' lists those that are"
    case EACCES, EPERM:
        "\(path): \(systemText(number)); the service's user must be in the group 'dialout', and "
            + "the unit's DeviceAllow must name the port"
    case EBUSY: "\(path): another program holds the port"
    default: "\(path): \(systemText(number))"
    }
}

/// Two masters on one line answer each other's questions; the second one is turned away.
func lockSerialPort(_ descriptor: Int32, _ line: SerialLine) throws(SerialPortError) {
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        throw SerialPortError(
            cause: "\(line.path): another program or link holds the port; a line has one master")
    }
}

private func setUp(_ descriptor: Int32, _ line: SerialLine) throws(SerialPortError) {
    var settings = termios()
    guard tcgetattr(descriptor, &settings) == 0 else {
        throw SerialPortError(cause: "\(line.path) is no serial port: \(systemText(errno))")
    }
    guard let speed = speed(of: line.baud) else {
        throw SerialPortError(cause: "\(line.path): \(line.baud) baud cannot be set")
    }
    cfmakeraw(&settings)
    cfsetispeed(&settings, speed)
    cfsetospeed(&settings, speed)
    clearFlowControl(&settings)
    settings.c_cflag &= ~tcflag_t(CSIZE | CSTOPB | PARENB | PARODD)
    settings.c_cflag |= tcflag_t(CREAD | CLOCAL) | tcflag_t(line.dataBits == 7 ? CS7 : CS8)
    if line.stopBits == 2 { settings.c_cflag |= tcflag_t(CSTOPB) }
    if line.parity != .none { settings.c_cflag |= tcflag_t(PARENB) }
    if line.parity == .odd { settings.c_cflag |= tcflag_t(PARODD) }
    guard tcsetattr(descriptor, TCSANOW, &settings) == 0 else {
        throw SerialPortError(
            cause: "\(line.path): the driver refuses \(line.settings): \(systemText(errno))")
    }
    tcflush(descriptor, TCIOFLUSH)
}

/// Clears what another program has left set, and neither `cfmakeraw` nor libmodbus clears: a line of
/// three wires has nobody who would lift CTS, and every request would wait for it.
func clearFlowControl(_ settings: inout termios) {
    settings.c_iflag &= ~tcflag_t(IXOFF | IXANY)
    settings.c_cflag &= ~tcflag_t(CRTSCTS)
    settings.c_cflag &= ~markSpaceParity
}

/// CMSPAR, a parity bit that never changes; the macro is not imported.
private let markSpaceParity: tcflag_t = 0o10000000000

private func speed(of baud: Int) -> speed_t? {
    let speeds: [Int: Int32] = [
        110: B110, 300: B300, 600: B600, 1200: B1200, 2400: B2400, 4800: B4800, 9600: B9600,
        19_200: B19200, 38_400: B38400, 57_600: B57600, 115_200: B115200, 230_400: B230400,
        460_800: B460800, 921_600: B921600,
    ]
    return speeds[baud].map { speed_t($0) }
}
