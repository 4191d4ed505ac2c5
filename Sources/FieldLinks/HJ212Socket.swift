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
    /// Whether the last caller could not be taken for want of descriptors: it still waits, and would
    /// be news again and again.
    private(set) var isShort = false

    init(host: String, port: Int) throws(HJ212ListenError) {
        do {
            (descriptor, self.port) = try listenTCP(host: host, port: port)
        } catch {
            throw HJ212ListenError(
                description: "\(host):\(port) cannot be listened on: \(error.cause)")
        }
    }

    deinit { close(descriptor) }

    /// A caller and where it calls from; nil when nobody waits, or nobody can be taken.
    func accept() -> (descriptor: Int32, peer: String)? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                let caller = Glibc.accept(descriptor, generic, &size)
                isShort = caller < 0 && (errno == EMFILE || errno == ENFILE)
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
