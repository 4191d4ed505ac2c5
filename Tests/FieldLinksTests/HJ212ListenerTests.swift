import FieldLinks
import Foundation
import Synchronization
import TestPeers
import Testing

@Suite("The listener for HJ 212 stations", .serialized)
struct HJ212ListenerTests {
    /// A caller that says what the test makes it say.
    private final class Caller: Sendable {
        private let descriptor: Int32

        init(_ port: Int) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else { throw PeerError("no connection: \(errno)") }
        }

        deinit { close(descriptor) }

        func send(_ text: String) {
            let bytes = Array(text.utf8)
            _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
    }

    private static let packet =
        "##0087QN=20190708113403000;ST=80;CN=1013;PW=123456;MN=0010931004HBYDTEST000002;"
        + "Flag=5;CP=&&&&EF41\r\n"

    private final class Log: Sendable {
        private let state = Mutex<[HJ212Listener.Event]>([])
        func note(_ events: [HJ212Listener.Event]) { state.withLock { $0 += events } }
        var causes: [Int: String] {
            state.withLock { events in
                var causes: [Int: String] = [:]
                for case .closed(let id, let cause) in events { causes[id] = cause }
                return causes
            }
        }
        func count(_ isWanted: (HJ212Listener.Event) -> Bool) -> Int {
            state.withLock { $0.count(where: isWanted) }
        }
        var turnedAway: [String] {
            state.withLock { events in
                events.compactMap {
                    guard case .turnedAway(let peer, let cause) = $0 else { return nil }
                    return "\(peer) \(cause)"
                }
            }
        }
        var opened: Int { count { if case .opened = $0 { true } else { false } } }
        var received: Int { count { if case .received = $0 { true } else { false } } }
    }

    private func listening(
        _ options: HJ212Listener.Options, _ body: @Sendable (Int, Log) async throws -> Void
    ) async throws {
        let log = Log()
        let port = try freePort()
        let listener = try HJ212Listener(
            host: "127.0.0.1", port: port, options: options, clock: LinkClock(ContinuousClock()))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await listener.run(onListening: { _ in }) { events in
                    log.note(events)
                    return HJ212Listener.Handling()
                }
            }
            defer { listener.stop() }
            try await eventually("a caller is let in") { (try? Caller(port)) != nil }
            try await eventually("it leaves") { !log.causes.isEmpty }
            try await body(port, log)
        }
    }

    @Test("a caller that brings nothing, or only garbage, is let go")
    func letGo() async throws {
        var options = HJ212Listener.Options()
        options.idleClose = .milliseconds(300)
        options.garbage = 1000
        try await listening(options) { port, log in
            let quiet = try Caller(port)
            try await eventually("the quiet one is let go") {
                log.causes.values.contains { $0.hasPrefix("nothing for") }
            }
            let babbler = try Caller(port)
            babbler.send(String(repeating: "GET / HTTP/1.1\r\n", count: 200))
            try await eventually("the babbler is let go") {
                log.causes.values.contains("only garbage")
            }
            withExtendedLifetime((quiet, babbler)) {}
        }
    }

    @Test("when the house is full one that never sent a packet makes room, a station does not")
    func fullHouse() async throws {
        var options = HJ212Listener.Options()
        options.connections = 2
        try await listening(options) { port, log in
            let station = try Caller(port)
            station.send(Self.packet)
            try await eventually("the packet") { log.received == 1 }
            let stranger = try Caller(port)
            try await eventually("the stranger") { log.opened == 3 }
            let second = try Caller(port)
            try await eventually("room is made") {
                log.causes.values.contains("made room for another")
            }
            second.send(Self.packet)
            try await eventually("the second packet") { log.received == 2 }
            let third = try Caller(port)
            station.send(Self.packet)
            try await eventually("the first station is still heard") { log.received == 3 }
            #expect(log.opened == 4)
            #expect(log.turnedAway.count == 1)
            #expect(log.turnedAway.allSatisfy { $0.hasPrefix("127.0.0.1:") })
            #expect(log.turnedAway.allSatisfy { $0.contains("2 stations are connected") })
            withExtendedLifetime((station, stranger, second, third)) {}
        }
    }

    @Test("a caller for whom the process has no descriptor left is told of")
    func noBudget() async throws {
        var options = HJ212Listener.Options()
        options.connections = 1000
        try await listening(options) { port, log in
            let free =
                DescriptorBudget.budget(of: .hj212) - DescriptorBudget.held(by: .hj212)
            try DescriptorBudget.acquire(.hj212, count: free)
            defer { DescriptorBudget.release(.hj212, count: free) }
            let caller = try Caller(port)
            try await eventually("it is told") {
                log.turnedAway.contains { $0.contains("file descriptors") }
            }
            withExtendedLifetime(caller) {}
        }
    }

    @Test("what a caller brought that was no packet is told when it goes")
    func dirt() async throws {
        try await listening(.init()) { port, log in
            var caller: Caller? = try Caller(port)
            caller?.send("GET / HTTP/1.1\r\n")
            caller = nil
            try await eventually("the refusal") {
                log.count { if case .received(_, .refused) = $0 { true } else { false } } == 1
            }
            #expect(caller == nil)
        }
    }

    @Test("a commit that hangs does not keep the listener from stopping")
    func hangingCommit() async throws {
        var options = HJ212Listener.Options()
        options.drain = .milliseconds(200)
        let port = try freePort()
        let listener = try HJ212Listener(
            host: "127.0.0.1", port: port, options: options, clock: LinkClock(ContinuousClock()))
        let log = Log()
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await listener.run(onListening: { _ in }) { events in
                    guard !events.isEmpty else { return HJ212Listener.Handling() }
                    log.note(events)
                    return HJ212Listener.Handling {
                        try? await Task.sleep(for: .seconds(60))
                        return []
                    }
                }
            }
            defer { listener.stop() }
            try await eventually("a caller is let in") { (try? Caller(port)) != nil }
            try await eventually("something is being committed") { log.opened > 0 }
        }
        #expect(ContinuousClock.now - began < .seconds(30))
    }
}
