import Glibc

/// Cuts every connection of this process to a port of 127.0.0.1, without a word to the broker.
///
/// - Throws: when there is none.
package func hangUp(on port: Int) throws {
    var cut = 0
    for descriptor in 3..<Int32(1024) {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getpeername(descriptor, $0, &length) == 0
            }
        }
        guard isConnected, address.sin_family == AF_INET,
            UInt16(bigEndian: address.sin_port) == UInt16(port)
        else { continue }
        shutdown(descriptor, Int32(SHUT_RDWR))
        cut += 1
    }
    guard cut > 0 else { throw PeerError("no connection to port \(port)") }
}
