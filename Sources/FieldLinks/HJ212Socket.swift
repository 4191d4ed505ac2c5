import Frames
import Glibc
import Telemetry

/// Why the listener does not listen.
package struct HJ212ListenError: Error, Hashable, CustomStringConvertible {
    package let description: String
}

/// The socket on which stations call.
final class HJ212Socket {
    let descriptor: Int32
    let port: Int

    init(host: String, port: Int) throws(HJ212ListenError) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0, let address = list?.pointee else {
            throw HJ212ListenError(description: "'\(host)' is no address of this machine")
        }
        defer { freeaddrinfo(list) }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.ai_family, type, 0)
        guard descriptor >= 0 else { throw HJ212ListenError(description: systemText(errno)) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, address.ai_addr, address.ai_addrlen) == 0,
            listen(descriptor, 64) == 0
        else {
            let error = errno
            close(descriptor)
            throw HJ212ListenError(
                description: "\(host):\(port) cannot be listened on: \(systemText(error))")
        }
        self.descriptor = descriptor
        self.port = Self.boundPort(of: descriptor) ?? port
    }

    deinit { close(descriptor) }

    private static func boundPort(of descriptor: Int32) -> Int? {
        var own = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &own) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &size)
            }
        }
        guard result == 0 else { return nil }
        // The port stands at the same place for both families.
        let port = withUnsafeBytes(of: &own) { $0.load(fromByteOffset: 2, as: UInt16.self) }
        return Int(UInt16(bigEndian: port))
    }

    /// A caller and where it calls from; nil when nobody waits, or nobody can be taken.
    func accept() -> (descriptor: Int32, peer: String)? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                let caller = Glibc.accept(descriptor, generic, &size)
                guard caller >= 0 else { return nil }
                _ = fcntl(caller, F_SETFD, FD_CLOEXEC)
                _ = fcntl(caller, F_SETFL, fcntl(caller, F_GETFL) | O_NONBLOCK)
                return (caller, Self.name(generic, size))
            }
        }
    }

    private static func name(_ address: UnsafeMutablePointer<sockaddr>, _ size: socklen_t) -> String
    {
        var host = [CChar](repeating: 0, count: 64)
        var port = [CChar](repeating: 0, count: 16)
        let result = getnameinfo(
            address, size, &host, socklen_t(host.count), &port, socklen_t(port.count),
            Int32(NI_NUMERICHOST | NI_NUMERICSERV))
        guard result == 0 else { return "?" }
        func text(_ bytes: [CChar]) -> String {
            String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return "\(text(host)):\(text(port))"
    }
}
