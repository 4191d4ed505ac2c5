import Foundation
import Glibc
import ServiceLifecycle
import Subprocess

/// A mosquitto of the demo's own: on a free port, with its files in the demo's folder.
enum PrivateBroker {
    private static let paths = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"]

    /// Starts the broker, runs `body` with its port and ends the broker, whatever happens.
    ///
    /// - Throws: `Failure` when there is no broker or it does not come up.
    static func run(
        in folder: String, _ body: @Sendable (Int) async throws -> Void
    ) async throws {
        guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) })
        else {
            throw Failure.unreachable(
                say(
                    "mosquitto is not installed; run scripts/setup",
                    "未安装 mosquitto；请先运行 scripts/setup"))
        }
        guard let port = PortProbe.free() else {
            throw Failure.unreachable(say("no free port on 127.0.0.1", "127.0.0.1 没有空闲端口"))
        }
        let configuration = folder + "/mosquitto.conf"
        try text(port, folder).write(toFile: configuration, atomically: true, encoding: .utf8)
        var options = PlatformOptions()
        // A session of its own: Ctrl-C reaches the demo first, and the demo ends the broker last.
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(3))]
        let outcome = try await Subprocess.run(
            .path(.init(path)), arguments: ["-c", configuration], platformOptions: options,
            input: .none, output: .discarded, error: .discarded
        ) { execution -> Result<Void, any Error> in
            do {
                try await cancelWhenGracefulShutdown { try await waitUntilListening(port) }
                try await body(port)
                try execution.send(signal: .terminate)
                return .success(())
            } catch {
                try? execution.send(signal: .terminate)
                return .failure(error)
            }
        }
        switch outcome.closureResult {
        case .success: return
        case .failure(let error): throw error
        }
    }

    /// What the design asks of a broker: nothing dropped, everything kept, only this machine.
    private static func text(_ port: Int, _ folder: String) -> String {
        """
        listener \(port) 127.0.0.1
        allow_anonymous true
        persistence true
        persistence_location \(folder)/
        max_queued_messages 0
        max_queued_bytes 0
        max_inflight_messages 200
        \(getuid() == 0 ? "user root" : "")

        """
    }

    private static func waitUntilListening(_ port: Int) async throws {
        for _ in 0..<200 {
            if PortProbe.isTaken(port) { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw Failure.unreachable(say("the broker does not come up", "MQTT 代理未能启动"))
    }
}

/// Looks at ports of 127.0.0.1.
enum PortProbe {
    /// A port that nobody listened on a moment ago.
    static func free() -> Int? {
        withSocket { descriptor in
            var address = loopback(0)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withGeneric(&address) { generic in
                bind(descriptor, generic, length) == 0
                    ? getsockname(descriptor, generic, &length) : -1
            }
            return result == 0 ? Int(UInt16(bigEndian: address.sin_port)) : nil
        }
    }

    /// Whether somebody accepts connections there.
    static func isTaken(_ port: Int) -> Bool {
        withSocket { descriptor in
            var address = loopback(port)
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            return withGeneric(&address) { connect(descriptor, $0, length) } == 0 ? true : nil
        } ?? false
    }

    private static func withSocket<R>(_ body: (Int32) -> R?) -> R? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return body(descriptor)
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func withGeneric(
        _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Int32
    ) -> Int32 {
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }
}
