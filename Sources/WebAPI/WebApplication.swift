import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Why the API does not start.
package enum WebAPIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Reading needs no password, so it is for this machine only.
    case notLoopback(String)
    case badPort(Int)

    package var description: String {
        switch self {
        case .notLoopback(let host):
            "the API cannot listen on '\(host)': it answers without a password, so it listens on "
                + "this machine only; write 127.0.0.1, ::1 or localhost, and reach it from elsewhere "
                + "through a tunnel, for example ssh -L 8420:127.0.0.1:8420"
        case .badPort(let port):
            "the API cannot listen on port \(port): a port is 1 to 65535, or 0 for any free one"
        }
    }
}

/// The limits that keep the API from taking more than its share.
enum WebLimits {
    /// Connections open at one time; the next waits in the kernel's queue.
    static let connections = 128
    /// Event streams among them.
    static let eventStreams = 32
    /// A connection without a request for so long is closed.
    static let idleTimeout = TimeAmount.seconds(60)
    /// Bytes of one header field, and of all of them.
    static let headerBytes = 16 * 1024
    static let headerCount = 64
}

/// The HTTP server, ready to run as a service; it binds when it runs.
///
/// - Parameters:
///   - host: `127.0.0.1`, another 127/8 address, `::1` or `localhost`.
///   - port: 0 takes any free one.
///   - onListening: called once with the port that was bound.
/// - Throws: `WebAPIError` for an address that is not of this machine's own loop.
package func makeApplication(
    context: WebAPIContext, host: String, port: Int, logger: Logger,
    onListening: @escaping @Sendable (Int) async -> Void
) throws(WebAPIError) -> some Service {
    guard (0...65_535).contains(port) else { throw .badPort(port) }
    guard let address = Loopback.address(of: host) else { throw .notLoopback(host) }
    let channel = HTTP1Channel.Configuration(
        idleTimeout: WebLimits.idleTimeout,
        httpDecoderConfiguration: .init(
            maxHeaderFieldSize: WebLimits.headerBytes, maxHeaderListSize: WebLimits.headerBytes,
            maxHeaderFieldCount: WebLimits.headerCount))
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let application = Application(
        router: makeRouter(context),
        server: .http1(configuration: channel),
        configuration: ApplicationConfiguration(
            address: .hostname(address, port: port),
            availableConnectionsDelegate: MaximumAvailableConnections(
                WebLimits.connections, logger: logger)),
        onServerRunning: { await onListening($0.localAddress?.port ?? port) },
        eventLoopGroupProvider: .shared(loop),
        logger: logger)
    return OneThreadApplication(application, loop: loop)
}

/// Which names and addresses mean this machine and no other.
enum Loopback {
    /// The address to bind for a configured host; nil when it is not a loopback one.
    static func address(of host: String) -> String? {
        switch host {
        // A name is bound by its address, so that no resolver can point it elsewhere.
        case "localhost": "127.0.0.1"
        case "::1", "[::1]": "::1"
        default: isIPv4Loopback(host) ? host : nil
        }
    }

    /// Whether a Host header (`name`, `name:port`, `[::1]:port`) names this machine.
    static func isOwn(authority: String) -> Bool {
        var host = Substring(authority)
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            let rest = host[host.index(after: end)...]
            guard isPortSuffix(rest) else { return false }
            return host[...end] == "[::1]"
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPortSuffix(host[colon...]) else { return false }
            host = host[..<colon]
        }
        return host.lowercased() == "localhost" || isIPv4Loopback(String(host))
    }

    private static func isPortSuffix(_ text: Substring) -> Bool {
        guard !text.isEmpty else { return true }
        let digits = text.dropFirst()
        return text.first == ":" && !digits.isEmpty && digits.utf8.count <= 5
            && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isIPv4Loopback(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in
                part.utf8.count <= 3 && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    && UInt8(part) != nil
            }
    }
}
