import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Store
import Telemetry
import Testing

@testable import WebAPI

@Suite("The API over real connections")
struct LiveTests {
    @Test("a real server answers over a real connection")
    func answers() async throws {
        try await TestSite.with { site in
            try await running(site.context) { port, _ in
                let text = try await converse(
                    port, host: "localhost:\(port)", path: "/api/v1/site"
                ) { $0.hasSuffix("}") ? .leave : .goOn }
                #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(text.lowercased().contains("content-type: application/json; charset=utf-8"))
            }
        }
    }

    @Test("requests are served on the thread of their connection")
    func oneThread() async throws {
        try await TestSite.with { site in
            let (threads, served) = AsyncStream.makeStream(of: Bool.self)
            var context = site.context
            context.metrics = {
                served.yield(MultiThreadedEventLoopGroup.currentEventLoop != nil)
                return []
            }
            try await running(context) { port, _ in
                _ = try await converse(port, host: "localhost:\(port)", path: "/metrics") { _ in
                    .leave
                }
                #expect(await threads.first { _ in true } == true)
            }
        }
    }

    @Test("a foreign Host header is refused over the wire")
    func foreignHost() async throws {
        try await TestSite.with { site in
            try await running(site.context) { port, _ in
                let text = try await converse(port, host: "evil.example:\(port)", path: "/") { _ in
                    .goOn
                }
                #expect(text.hasPrefix("HTTP/1.1 421 "))
                #expect(text.contains("\"code\":\"foreign_host\""))
            }
        }
    }

    @Test("an event stream tells of commits and alarms, and ends when the gateway stops")
    func events() async throws {
        try await TestSite.with { site in
            try await running(site.context) { port, stop in
                var step = 0
                let text = try await converse(
                    port, host: "localhost:\(port)", path: "/api/v1/events"
                ) {
                    text in
                    if step == 0, text.contains("event: commit\ndata: {\"sequence\":0") {
                        step = 1
                        try await site.commit([
                            site.dust("2026-11-21T14:23:00+08:00", .number(42))
                        ])
                    } else if step == 1, text.contains("\"sequence\":1,") {
                        step = 2
                        let onset = "2026-11-21T14:00:00+08:00"
                        try await site.store.writer.apply(
                            EvaluationEffects(transitions: [
                                site.transition(
                                    onset: onset, from: .normal, to: .pending, at: onset, value: 160
                                ),
                                site.transition(
                                    onset: onset, from: .pending, to: .activeUnacknowledged,
                                    at: "2026-11-21T14:01:00+08:00", value: 161),
                            ]))
                    } else if step == 2, text.contains("event: alarm\n") {
                        step = 3
                        await stop()
                    }
                    return .goOn
                }
                // The stream came to its end by itself: the client has not closed it.
                #expect(step == 3)
                #expect(text.contains("\"state\":\"active_unacknowledged\""))
                #expect(text.hasSuffix("0\r\n\r\n"), "the body ends in order")
            }
        }
    }

    @Test("the gateway stops promptly although a client keeps its stream open")
    func promptStop() async throws {
        try await TestSite.with { site in
            let clock = ContinuousClock()
            var asked = clock.now
            try await running(site.context) { port, stop in
                _ = try await converse(port, host: "localhost", path: "/api/v1/events") { text in
                    if text.contains("event: commit") {
                        asked = clock.now
                        await stop()
                    }
                    return .goOn
                }
            }
            // A stream that ignored the stop would hold it for as long as the client stays.
            #expect(asked.duration(to: clock.now) < .seconds(5))
        }
    }

    // MARK: a server and a client

    /// Runs the server, then the body with its port; the body may stop it early.
    private func running(
        _ context: WebAPIContext, _ body: (Int, @Sendable () async -> Void) async throws -> Void
    ) async throws {
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let logger = Logger(label: "test")
        let app = try makeApplication(
            context: context, host: "127.0.0.1", port: 0, logger: logger,
            onListening: { listening.yield($0) })
        let services = ServiceGroup(configuration: .init(services: [app], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            let port = try #require(await ports.first { _ in true })
            try await body(port) { await services.triggerGracefulShutdown() }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    private enum Step { case goOn, leave }

    /// Sends one GET and hands everything received so far to `heard`, until the server closes.
    private func converse(
        _ port: Int, host: String, path: String, heard: (String) async throws -> Step
    ) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel)
                }
            }
        let close = path == "/" ? "Connection: close\r\n" : ""
        var text = ""
        try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(
                ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\(close)\r\n"))
            for try await part in inbound {
                text += String(buffer: part)
                if try await heard(text) == .leave { break }
            }
        }
        return text
    }
}
