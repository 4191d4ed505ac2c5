import FieldLinks
import Glibc
import TestPeers
import Testing

/// Lines behind pseudo terminals and serial servers; the slaves are Python's and one of our own
/// that misbehaves.
@Suite("Reading from serial lines and serial servers")
struct SerialLinkTests {
    private func code(_ body: () throws(BusError) -> Void) -> BusError.Code? {
        do throws(BusError) {
            try body()
            return nil
        } catch {
            return error.code
        }
    }

    private func link(
        _ place: BusPlace, isShared: Bool = false, timeout: Duration = .milliseconds(250)
    ) -> BusLink {
        BusLink(place, responseTimeout: timeout, isShared: isShared)
    }

    /// Runs `body` with the path of a line that ends in a slave of Python.
    private func withPseudoTerminal(
        _ arguments: [String] = [], _ body: @Sendable (String) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/line"
            try await withPythonPeer("rtu_slave.py", ["--pty", path] + arguments) { _ in
                try await body(path)
            }
        }
    }

    /// Runs `body` with the place of a misbehaving slave, once for each way to reach one.
    private func withSlave(
        _ way: Way, _ arguments: [String] = [],
        _ body: @Sendable (BusLink) async throws -> Void
    ) async throws {
        switch way {
        case .serialServer:
            try await withPythonPeer("rtu_slave.py", ["--listen"] + arguments) { port in
                try await body(link(.serialServer(host: "127.0.0.1", port: port)))
            }
        case .serialPort, .sharedPort:
            try await withPseudoTerminal(arguments) { path in
                try await body(
                    link(
                        .serial(SerialLine(path: path, baud: 115_200)),
                        isShared: way == .sharedPort))
            }
        }
    }

    enum Way: String, CaseIterable {
        case serialServer, serialPort, sharedPort
    }

    @Test(
        "each misbehaviour has its own code, and the next good read is right",
        arguments: Way.allCases)
    func misbehaviour(way: Way) async throws {
        // libmodbus takes what stands where an answer should begin for its beginning.
        let isLibrary = way == .serialPort
        let expected: [(address: Int, codes: [BusError.Code?])] = [
            (1002, [.foreignAnswer, .timeout]), (1003, [.exception(6)]), (1004, [.timeout]),
            (1006, [.foreignAnswer, .timeout]), (1007, [nil]), (1008, [.foreignAnswer, .timeout]),
            (1010, [.foreignAnswer]), (1011, [.foreignAnswer]),
            (1012, isLibrary ? [.foreignAnswer, .timeout] : [nil]),
            (1013, isLibrary ? [.foreignAnswer, .timeout] : [nil]),
            (1014, isLibrary ? [.foreignAnswer, .timeout] : [nil]),
        ]
        try await withSlave(way) { link in
            try await link.perform { link in
                try link.connect()
                for (address, wanted) in expected {
                    var values: [UInt16] = []
                    let got = code { () throws(BusError) in
                        values = try link.readRegisters(
                            unit: 1, function: .holding, address: address, count: 4)
                    }
                    #expect(wanted.contains(got), "address \(address): \(String(describing: got))")
                    if got == nil {
                        #expect(values == (0..<4).map { UInt16(address + $0) })
                    }
                    var next: [UInt16] = []
                    let again = code { () throws(BusError) in
                        next = try link.readRegisters(
                            unit: 1, function: .input, address: 40, count: 2)
                    }
                    #expect(again == nil && next == [40, 41], "after address \(address)")
                }
            }
        }
    }

    @Test(
        "the late answer to one block is never taken for the answer to another",
        arguments: Way.allCases)
    func lateAnswer(way: Way) async throws {
        try await withSlave(way, ["--delay", "0.4"]) { link in
            try await link.perform { link in
                try link.connect()
                for round in 0..<3 {
                    #expect(
                        code { () throws(BusError) in
                            _ = try link.readRegisters(
                                unit: 1, function: .holding, address: 1000, count: 2)
                        } == .timeout)
                    var successes = 0
                    for address in 0..<4 {
                        do throws(BusError) {
                            let values = try link.readRegisters(
                                unit: 1, function: .holding, address: address, count: 2)
                            #expect(
                                values == [UInt16(address), UInt16(address + 1)], "round \(round)")
                            successes += 1
                        } catch {
                            #expect(error.code == .foreignAnswer || error.code == .timeout)
                        }
                    }
                    #expect(successes >= 3)
                }
            }
        }
    }

    @Test("Python's server is read over RTU on TCP and over a serial line, all four tables")
    func python() async throws {
        let arguments = [
            "--framer", "rtu", "--holding", "0=1,2,65535", "--input", "100=0xABCD",
            "--coil", "3=1,0,1", "--discrete", "8=0,1", "--unit", "7", "--holding", "0=77",
        ]
        try await withPythonPeer("modbus_server.py", arguments) { port in
            try await withTemporaryFolder { folder in
                let path = folder + "/line"
                try await withPythonPeer("rtu_slave.py", ["--pump", path, "\(port)"]) { _ in
                    for place in [
                        BusPlace.serialServer(host: "127.0.0.1", port: port),
                        .serial(
                            SerialLine(
                                path: path, baud: 19_200, parity: .even, direction: .adapter)),
                    ] {
                        let link = link(place, timeout: .seconds(1))
                        try await link.perform { link in
                            try link.connect()
                            #expect(
                                try link.readRegisters(
                                    unit: 1, function: .holding, address: 0, count: 3)
                                    == [1, 2, 65_535])
                            #expect(
                                try link.readRegisters(
                                    unit: 1, function: .input, address: 100, count: 1)
                                    == [0xABCD])
                            #expect(
                                try link.readBits(unit: 1, function: .coil, address: 3, count: 3)
                                    == [true, false, true])
                            #expect(
                                try link.readBits(
                                    unit: 1, function: .discrete, address: 8, count: 2)
                                    == [false, true])
                            #expect(
                                try link.readRegisters(
                                    unit: 7, function: .holding, address: 0, count: 1) == [77])
                            #expect(
                                code { () throws(BusError) in
                                    _ = try link.readRegisters(
                                        unit: 1, function: .holding, address: 5000, count: 1)
                                } == .exception(2))
                            link.close()
                        }
                    }
                }
            }
        }
    }

    @Test("every setting of a line is taken, and those that are none are refused before use")
    func settings() async throws {
        try await withPseudoTerminal { path in
            for isShared in [false, true] {
                for parity in SerialLine.Parity.allCases {
                    for stopBits in [1, 2] {
                        let line = SerialLine(
                            path: path, baud: 2400, dataBits: 8, parity: parity,
                            stopBits: stopBits)
                        let link = link(.serial(line), isShared: isShared)
                        try await link.perform { link in
                            try link.connect()
                            #expect(
                                try link.readRegisters(
                                    unit: 1, function: .holding, address: 7, count: 1) == [7],
                                "\(line.settings)")
                            link.close()
                        }
                    }
                }
                let odd = link(
                    .serial(SerialLine(path: path, baud: 12_345)), isShared: isShared)
                await odd.perform { link in
                    #expect(
                        code { () throws(BusError) in try link.connect() } == .connectFailed)
                }
            }
        }
    }

    @Test("flow control that another program has left set is cleared: nobody would lift CTS")
    func flowControl() async throws {
        try await withPseudoTerminal { path in
            for isShared in [false, true] {
                let descriptor = open(path, O_RDWR | O_NOCTTY)
                defer { close(descriptor) }
                var settings = termios()
                try #require(tcgetattr(descriptor, &settings) == 0)
                settings.c_cflag |= tcflag_t(CRTSCTS)
                settings.c_iflag |= tcflag_t(IXOFF | IXANY)
                try #require(tcsetattr(descriptor, TCSANOW, &settings) == 0)
                let link = link(.serial(SerialLine(path: path)), isShared: isShared)
                try await link.perform { try $0.connect() }
                try #require(tcgetattr(descriptor, &settings) == 0)
                #expect(settings.c_cflag & tcflag_t(CRTSCTS) == 0)
                #expect(settings.c_iflag & tcflag_t(IXOFF | IXANY) == 0)
                await link.perform { $0.close() }
            }
        }
    }

    @Test("a driver that cannot turn the direction says so, with what to write instead")
    func direction() async throws {
        try await withPseudoTerminal { path in
            let link = link(.serial(SerialLine(path: path, direction: .driver)))
            await #expect {
                try await link.perform { try $0.connect() }
            } throws: { error in
                "\(error)".contains("cannot turn the RS-485 direction")
                    && "\(error)".contains("leave 'rs485' out")
            }
        }
    }

    @Test("a line has one master: the second is turned away, whichever way it opens the port")
    func oneMaster() async throws {
        try await withPseudoTerminal { path in
            let first = link(.serial(SerialLine(path: path)))
            try await first.perform { try $0.connect() }
            for isShared in [false, true] {
                let second = link(.serial(SerialLine(path: path)), isShared: isShared)
                await #expect {
                    try await second.perform { try $0.connect() }
                } throws: { error in "\(error)".contains("one master") }
            }
            await first.perform { $0.close() }
            let third = link(.serial(SerialLine(path: path)))
            try await third.perform { try $0.connect() }
        }
    }

    @Test("a port that is not there, or is no port, is an error that names it and a remedy")
    func noPort() async throws {
        try await withTemporaryFolder { folder in
            for isShared in [false, true] {
                let link = link(.serial(SerialLine(path: folder + "/nothing")), isShared: isShared)
                await #expect {
                    try await link.perform { try $0.connect() }
                } throws: { error in
                    "\(error)".contains("/nothing") && "\(error)".contains("by-path")
                }
            }
            let link = link(.serial(SerialLine(path: "/dev/null")), isShared: true)
            await #expect {
                try await link.perform { try $0.connect() }
            } throws: { error in "\(error)".contains("no serial port") }
        }
    }
}
