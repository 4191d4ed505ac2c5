import DeviceProfiles
import FieldLinks
import Telemetry
import Testing

@testable import SiteSimulator

/// The server by itself, with registers made up here.
@Suite struct ModbusServerTests {
    private static let meter = DeviceID("meter")

    private func withServer(
        _ body: (ModbusServer, FaultBoard, BusLink) async throws -> Void
    ) async throws {
        let faults = FaultBoard()
        let server = try ModbusServer(
            name: "test", port: 0,
            units: [
                3: ModbusServer.Unit(
                    device: Self.meter,
                    readable: [
                        RegisterRequest(area: .holding, address: 100, count: 4),
                        RegisterRequest(area: .input, address: 7, count: 1),
                        RegisterRequest(area: .coil, address: 0, count: 2),
                    ],
                    image: {
                        RegisterImage([
                            .holding: [100: 0x1234, 101: 0xFFFF, 103: 7, 999: 1], .input: [7: 42],
                            .coil: [1: 1],
                        ])
                    })
            ], faults: faults)
        let link = BusLink(
            host: "127.0.0.1", port: server.port, responseTimeout: .seconds(20))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await server.serve() }
            defer { server.stop() }
            try await body(server, faults, link)
        }
    }

    /// A link that gives up soon, for answers that do not come.
    private func hasty(_ server: ModbusServer) -> BusLink {
        BusLink(host: "127.0.0.1", port: server.port, responseTimeout: .milliseconds(300))
    }

    private func read(
        _ link: BusLink, unit: UInt8 = 3, _ function: BusLink.RegisterFunction = .holding,
        _ address: Int = 100, _ count: Int = 4
    ) async throws -> [UInt16] {
        try await link.perform { link in
            try link.connect()
            return try link.readRegisters(
                unit: unit, function: function, address: address, count: count)
        }
    }

    private func code(
        _ body: () async throws -> [UInt16]
    ) async -> BusError.Code? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? BusError)?.code
        }
    }

    @Test("registers and coils of the image are read, those without a value are zero")
    func reads() async throws {
        try await withServer { (_, _, link) async throws in
            #expect(try await read(link) == [0x1234, 0xFFFF, 0, 7])
            #expect(try await read(link, .input, 7, 1) == [42])
            let bits = try await link.perform {
                try $0.readBits(unit: 3, function: .coil, address: 0, count: 2)
            }
            #expect(bits == [false, true])
            #expect(await code { try await read(link, .holding, 102, 4) } == .exception(2))
        }
    }

    @Test("a unit that is not on the bus does not answer, and the others do")
    func unknownUnit() async throws {
        try await withServer { (server, _, link) async throws in
            #expect(await code { try await read(hasty(server), unit: 9) } == .timeout)
            #expect(try await read(link).count == 4)
        }
    }

    @Test("several clients are served at once, and the seventeenth is turned away")
    func clients() async throws {
        try await withServer { (server, _, _) async throws in
            let links = (0..<ModbusServer.clientLimit).map { _ in
                BusLink(
                    host: "127.0.0.1", port: server.port, responseTimeout: .seconds(20))
            }
            for link in links { #expect(try await read(link).count == 4) }
            let late = BusLink(
                host: "127.0.0.1", port: server.port, responseTimeout: .seconds(20))
            #expect(await code { try await read(late) } == .disconnected)
            for link in links { #expect(try await read(link).count == 4) }
            // A place is free again when somebody has left.
            await links[0].perform { $0.close() }
            var isServed = false
            for _ in 0..<50 where !isServed {
                isServed = await code { try await read(late) } == nil
            }
            #expect(isServed)
        }
    }

    @Test("each fault does what it says and goes when it is healed")
    func faults() async throws {
        try await withServer { (server, faults, link) async throws in
            let table: [(SimulationFault, Set<BusError.Code>)] = [
                (.silent, [.timeout]),
                (.exception(4), [.exception(4)]),
                (.late(.milliseconds(500)), [.timeout]),
                (.garbage, [.foreignAnswer, .timeout, .disconnected]),
                (.foreign, [.foreignAnswer, .timeout]),
                (.short, [.foreignAnswer, .timeout]),
                (.babbling, [.foreignAnswer, .timeout, .disconnected]),
                (.wrongUnit, [.foreignAnswer]),
            ]
            for (fault, expected) in table {
                faults[Self.meter] = fault
                let waiting = expected.contains(.timeout) ? hasty(server) : link
                let seen = await code { try await read(waiting) }
                #expect(
                    seen.map(expected.contains) == true, "\(fault) gave \(String(describing: seen))"
                )
                faults[Self.meter] = nil
                await waiting.perform { $0.close() }
                #expect(try await read(link) == [0x1234, 0xFFFF, 0, 7])
            }
        }
    }

    @Test("a swapped answer under an earlier transaction is passed over, and the right one is read")
    func swapped() async throws {
        try await withServer { (server, faults, link) async throws in
            faults[Self.meter] = .swapped
            #expect(try await read(link) == [0x1234, 0xFFFF, 0, 7])
        }
    }

    @Test("an answer that comes byte by byte is whole, for registers and bits")
    func byteByByte() async throws {
        try await withServer { (server, faults, link) async throws in
            faults[Self.meter] = .byteByByte
            let begin = ContinuousClock.now
            #expect(try await read(link) == [0x1234, 0xFFFF, 0, 7])
            // Seventeen bytes with three milliseconds between them.
            #expect(ContinuousClock.now - begin >= .milliseconds(48))
            let bits = try await link.perform {
                try $0.readBits(unit: 3, function: .coil, address: 0, count: 2)
            }
            #expect(bits == [false, true])
            #expect(try await read(link, .input, 7, 1) == [42])
            #expect(await code { try await read(link, .holding, 102, 4) } == .exception(2))
        }
    }

    @Test("what is not right is made as it is called, byte for byte")
    func frames() throws {
        let memory = try #require(
            RegisterMemory(readable: [
                RegisterRequest(area: .holding, address: 100, count: 3),
                RegisterRequest(area: .discrete, address: 0, count: 10),
            ]))
        memory.fill(RegisterImage([.holding: [100: 0x1234, 102: 7], .discrete: [0: 1, 9: 1]]))
        #expect(
            memory.answer(to: [0, 9, 0, 0, 0, 6, 3, 3, 0, 100, 0, 3])
                == [0, 9, 0, 0, 0, 9, 3, 3, 6, 0x12, 0x34, 0, 0, 0, 7])
        #expect(
            memory.answer(to: [0, 9, 0, 0, 0, 6, 3, 2, 0, 0, 0, 10])
                == [0, 9, 0, 0, 0, 5, 3, 2, 2, 1, 2])
        #expect(memory.answer(to: [0, 9, 0, 0, 0, 6, 3, 3, 0, 100, 0, 4]) == nil)
        #expect(memory.answer(to: [0, 9, 0, 0, 0, 6, 3, 4, 0, 100, 0, 1]) == nil)
        #expect(memory.answer(to: [0, 9]) == nil)
    }

    @Test("every fault has a word, and no other word is one")
    func words() {
        let now = Timestamp(milliseconds: 5)
        #expect(
            SimulationFault.words.compactMap { SimulationFault($0, now: now) } == [
                .silent, .exception(6), .late(.milliseconds(500)), .garbage, .foreign,
                .frozen(at: now), .byteByByte, .wrongUnit, .short, .babbling, .swapped,
            ])
        for word in [
            "", "loud", "exception", "exception=12", "late", "late=5", "late=-1ms", "short=1",
        ] {
            #expect(SimulationFault(word, now: now) == nil, "\(word)")
        }
    }

    @Test("stopping ends a server that waits for a late unit, and frees its port")
    func stop() async throws {
        var port = 0
        let begin = ContinuousClock.now
        try await withServer { (server, faults, link) async throws in
            port = server.port
            _ = try await read(link)
            faults[Self.meter] = .late(.seconds(600))
            #expect(await code { try await read(hasty(server)) } == .timeout)
        }
        // Generous for a busy machine, and far from the ten minutes.
        #expect(ContinuousClock.now - begin < .seconds(60))
        let again = try ModbusServer(name: "again", port: port, units: [:], faults: FaultBoard())
        #expect(again.port == port)
    }
}
