import Glibc
import Telemetry

/// Why no connection came about.
struct TCPConnectionError: Error {
    let cause: String
    var isDescriptorShortage = false
}

/// Connects a non-blocking TCP socket, trying each address of `host` in turn.
///
/// - Parameter timeout: for each address.
/// - Returns: a descriptor below 1,024; the caller closes it.
func connectTCP(
    host: String, port: Int, timeout: Duration
) throws(TCPConnectionError) -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, "\(port)", &hints, &list)
    guard result == 0 else {
        throw TCPConnectionError(
            cause: "the name \(host) has no address: \(String(cString: gai_strerror(result)))")
    }
    defer { freeaddrinfo(list) }
    var last = TCPConnectionError(cause: "the name \(host) has no address")
    var next = list
    while let address = next {
        do {
            return try connectTCP(address.pointee, timeout: timeout)
        } catch {
            last = error
        }
        next = address.pointee.ai_next
    }
    throw last
}

private func connectTCP(
    _ address: addrinfo, timeout: Duration
) throws(TCPConnectionError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(address.ai_family, type, 0)
    guard descriptor >= 0 else {
        throw TCPConnectionError(
            cause: systemText(errno), isDescriptorShortage: errno == EMFILE || errno == ENFILE)
    }
    // libmodbus hands the descriptor to select(), which aborts the process from here on.
    guard descriptor < DescriptorBudget.cap else {
        close(descriptor)
        throw TCPConnectionError(
            cause: "descriptor \(descriptor) is too high for select()", isDescriptorShortage: true)
    }
    setSocketOptions(descriptor)
    if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return descriptor }
    var failure = errno
    if failure == EINPROGRESS {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        let count = poll(&entry, 1, Int32(clamping: timeout.milliseconds))
        failure = count > 0 ? socketError(descriptor) : ETIMEDOUT
        if failure == 0 { return descriptor }
    }
    close(descriptor)
    throw TCPConnectionError(cause: systemText(failure))
}

/// Listens on an address of this machine.
///
/// - Parameter port: 0 takes a free one.
/// - Returns: a non-blocking descriptor, which the caller closes, and its port.
func listenTCP(
    host: String, port: Int
) throws(TCPConnectionError) -> (descriptor: Int32, port: Int) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, "\(port)", &hints, &list)
    guard result == 0, let address = list?.pointee else {
        throw TCPConnectionError(
            cause: "the name \(host) has no address: \(String(cString: gai_strerror(result)))")
    }
    defer { freeaddrinfo(list) }
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(address.ai_family, type, 0)
    guard descriptor >= 0 else {
        throw TCPConnectionError(
            cause: systemText(errno), isDescriptorShortage: errno == EMFILE || errno == ENFILE)
    }
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, address.ai_addr, address.ai_addrlen) == 0, listen(descriptor, 64) == 0
    else {
        let number = errno
        close(descriptor)
        throw TCPConnectionError(cause: systemText(number))
    }
    var own = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let isNamed = withUnsafeMutablePointer(to: &own) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            getsockname(descriptor, $0, &size)
        }
    }
    // The port stands at the same place for both families.
    let bound = withUnsafeBytes(of: &own) { $0.load(fromByteOffset: 2, as: UInt16.self) }
    return (descriptor, isNamed == 0 ? Int(UInt16(bigEndian: bound)) : port)
}

/// Small requests leave at once, and a peer that has gone without a word is noticed in 20 s while
/// something is under way, in 25 s while nothing is.
func setSocketOptions(_ descriptor: Int32) {
    var on: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, size)
    var milliseconds: Int32 = 20_000
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, size)
    for (option, value) in [(TCP_KEEPIDLE, 10), (TCP_KEEPINTVL, 5), (TCP_KEEPCNT, 3)] {
        var value = Int32(value)
        setsockopt(descriptor, Int32(IPPROTO_TCP), option, &value, size)
    }
}

/// The pending error of a socket, 0 when there is none.
func socketError(_ descriptor: Int32) -> Int32 {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &size) == 0 ? value : errno
}
