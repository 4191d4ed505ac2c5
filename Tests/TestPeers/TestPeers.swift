import Foundation
import Subprocess

/// A peer that could not be started or that refused.
package struct PeerError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// A TCP port of 127.0.0.1 that nobody listened on a moment ago.
package func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw PeerError("no socket: \(errno)") }
    defer { close(descriptor) }
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            guard bind(descriptor, generic, length) == 0 else { return Int32(-1) }
            return getsockname(descriptor, generic, &length)
        }
    }
    guard result == 0 else { throw PeerError("no free port: \(errno)") }
    return Int(UInt16(bigEndian: address.sin_port))
}

/// Makes a folder for `body` and deletes it afterwards, whatever happens.
package func withTemporaryFolder<R>(
    _ body: (_ path: String) async throws -> R
) async throws -> R {
    let path = NSTemporaryDirectory() + "plumbline-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Returns when `condition` holds.
///
/// - Throws: `PeerError` with `what` after `limit`; the limit is generous because it only ends
///   tests that have failed.
package func eventually(
    _ what: String, within limit: Duration = .seconds(30),
    _ condition: @Sendable () async throws -> Bool
) async throws {
    let start = ContinuousClock.now
    while try await !condition() {
        guard ContinuousClock.now - start < limit else {
            throw PeerError("waited \(limit) in vain: \(what)")
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// Whether something accepts connections on 127.0.0.1 at `port`.
package func isListening(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = loopback(port: port)
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

func waitUntilListening(_ port: Int) async throws {
    try await eventually("a listener on port \(port)") { isListening(port) }
}

/// Peers end within two seconds even when the test that owns them is cancelled or throws.
func endedSoon() -> PlatformOptions {
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
    return options
}

private func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}
