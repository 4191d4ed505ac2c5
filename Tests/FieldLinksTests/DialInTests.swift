import FieldLinks
import Foundation
import Synchronization
import TestPeers
import Testing

@Suite("Serial servers that call the gateway")
struct DialInTests {
    private func caller(_ port: Int, _ registration: String? = nil) -> DialInPort.Caller {
        DialInPort.Caller(host: "127.0.0.1", port: port, registration: registration)
    }

    private func whileListening(
        _ port: DialInPort, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await port.run() }
            defer { port.stop() }
            try await body()
        }
    }

    private func connected(_ link: BusLink) async throws {
        try await eventually("a call") {
            await link.perform { link in
                do throws(BusError) {
                    try link.connect()
                    return true
                } catch {
                    return false
                }
            }
        }
    }

    private func read(_ link: BusLink, _ address: Int) async throws -> [UInt16] {
        try await link.perform { link in
            try link.readRegisters(unit: 1, function: .holding, address: address, count: 2)
        }
    }

    @Test("before somebody has called there is nobody, and then the line is read")
    func whoeverCalls() async throws {
        let port = try DialInPort(
            host: "127.0.0.1", port: 0, callers: [caller(0)])
        let link = BusLink(
            .dialIn(caller(0)), responseTimeout: .milliseconds(300), dialIn: port)
        await #expect {
            try await link.perform { try $0.connect() }
        } throws: { error in "\(error)".contains("nobody has called yet") }
        try await whileListening(port) {
            try await withPythonPeer("rtu_slave.py", ["--call", "\(port.port)"]) { _ in
                try await connected(link)
                #expect(try await read(link, 20) == [20, 21])
                #expect(try await read(link, 1013) == [1013, 1014])
            }
        }
    }

    @Test("two serial servers on one port are told apart by what they say first")
    func registrations() async throws {
        let port = try DialInPort(
            host: "127.0.0.1", port: 0, callers: [caller(0, "DTU-A"), caller(0, "DTU-B")])
        let links = ["DTU-A", "DTU-B"].map {
            BusLink(.dialIn(caller(0, $0)), responseTimeout: .milliseconds(300), dialIn: port)
        }
        try await whileListening(port) {
            // A answers one request and is then deaf, so the two can be told apart from here.
            let deaf = ["--call", "\(port.port)", "--say", "DTU-A", "--mute", "1"]
            let well = ["--call", "\(port.port)", "--say", "DTU-B"]
            try await withPythonPeer("rtu_slave.py", deaf) { _ in
                try await withPythonPeer("rtu_slave.py", well) { _ in
                    for link in links { try await connected(link) }
                    #expect(try await read(links[0], 5) == [5, 6])
                    await #expect(throws: BusError.self) { try await read(links[0], 5) }
                    for _ in 0..<3 { #expect(try await read(links[1], 7) == [7, 8]) }
                }
            }
            try await withPythonPeer(
                "rtu_slave.py", ["--call", "\(port.port)", "--say", "SOMEBODY-ELSE"]
            ) { _ in
                try await eventually("a stranger is turned away") { port.refusals > 0 }
            }
        }
    }

    @Test("a name that begins like another one's is not taken for it")
    func longerName() async throws {
        let port = try DialInPort(
            host: "127.0.0.1", port: 0, callers: [caller(0, "DTU-1"), caller(0, "DTU-10")])
        let links = ["DTU-1", "DTU-10"].map {
            BusLink(.dialIn(caller(0, $0)), responseTimeout: .milliseconds(300), dialIn: port)
        }
        try await whileListening(port) {
            let arguments = ["--call", "\(port.port)", "--say"]
            try await withPythonPeer("rtu_slave.py", arguments + ["DTU-10", "--mute", "1"]) { _ in
                try await connected(links[1])
                #expect(try await read(links[1], 5) == [5, 6])
                try await withPythonPeer("rtu_slave.py", arguments + ["DTU-1"]) { _ in
                    try await connected(links[0])
                    for _ in 0..<3 { #expect(try await read(links[0], 7) == [7, 8]) }
                }
            }
        }
        #expect(port.refusals == 0)
    }

    @Test("a stranger is turned away at once, told once, and costs no more")
    func stranger() async throws {
        let said = Said()
        let port = try DialInPort(
            host: "127.0.0.1", port: 0, callers: [caller(0, "DTU-000001")],
            onRefusal: { said.add($0) })
        try await whileListening(port) {
            for count in 1...3 {
                try await withPythonPeer(
                    "rtu_slave.py", ["--call", "\(port.port)", "--say", "DTU-\u{1B}2"]
                ) { _ in
                    try await eventually("turned away", within: .seconds(5)) {
                        port.refusals >= count
                    }
                }
            }
        }
        #expect(said.texts == ["DTU-?2"])
    }

    @Test("a serial server that calls again replaces its old connection")
    func replaced() async throws {
        let port = try DialInPort(host: "127.0.0.1", port: 0, callers: [caller(0)])
        let link = BusLink(
            .dialIn(caller(0)), responseTimeout: .milliseconds(300), dialIn: port)
        try await whileListening(port) {
            let deaf = ["--call", "\(port.port)", "--mute", "0"]
            try await withPythonPeer("rtu_slave.py", deaf) { _ in
                try await connected(link)
                await #expect(throws: BusError.self) { try await read(link, 5) }
                try await withPythonPeer("rtu_slave.py", ["--call", "\(port.port)"]) { _ in
                    try await eventually("the second call") {
                        await link.perform { $0.isReplaced }
                    }
                    await link.perform { $0.close() }
                    try await connected(link)
                    #expect(try await read(link, 5) == [5, 6])
                }
            }
        }
    }

    @Test("a port that is taken is refused with its number")
    func taken() throws {
        let first = try DialInPort(host: "127.0.0.1", port: 0, callers: [])
        #expect {
            _ = try DialInPort(host: "127.0.0.1", port: first.port, callers: [])
        } throws: { error in "\(error)".contains("\(first.port)") }
    }
}

/// What was heard of callers that were turned away.
private final class Said: Sendable {
    private let heard = Mutex<[String]>([])
    var texts: [String] { heard.withLock { $0 } }
    func add(_ text: String) { heard.withLock { $0.append(text) } }
}
