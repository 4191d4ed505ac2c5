import FieldLinks
import TestPeers
import Testing

@Suite("Reading from Modbus servers that are not ours")
struct BusLinkTests {
    private func code(_ body: () throws(BusError) -> Void) -> BusError.Code? {
        do throws(BusError) {
            try body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test("the four tables are read as they were written, for each unit")
    func tables() async throws {
        let arguments = [
            "--holding", "0=1,2,65535", "--input", "100=0xABCD", "--coil", "3=1,0,1",
            "--discrete", "8=0,1", "--unit", "7", "--holding", "0=77",
        ]
        try await withPythonPeer("modbus_server.py", arguments) { port in
            let link = BusLink(host: "127.0.0.1", port: port)
            try await link.perform { link in
                try link.connect()
                #expect(
                    try link.readRegisters(unit: 1, function: .holding, address: 0, count: 3)
                        == [1, 2, 65_535])
                #expect(
                    try link.readRegisters(unit: 1, function: .input, address: 100, count: 1)
                        == [0xABCD])
                #expect(
                    try link.readBits(unit: 1, function: .coil, address: 3, count: 3)
                        == [true, false, true])
                #expect(
                    try link.readBits(unit: 1, function: .discrete, address: 8, count: 2)
                        == [false, true])
                #expect(
                    try link.readRegisters(unit: 7, function: .holding, address: 0, count: 1)
                        == [77])
                #expect(
                    code { () throws(BusError) in
                        _ = try link.readRegisters(
                            unit: 1, function: .holding, address: 5000, count: 1)
                    } == .exception(2))
            }
        }
    }

    @Test("each misbehaviour has its own code, and the next good read is right")
    func misbehaviour() async throws {
        let expected: [(address: Int, code: BusError.Code)] = [
            (1001, .foreignAnswer), (1002, .foreignAnswer), (1003, .exception(6)),
            (1004, .timeout), (1006, .timeout), (1008, .foreignAnswer), (1009, .timeout),
            (1010, .foreignAnswer), (1012, .exception(2)),
        ]
        try await withPythonPeer("modbus_faulty.py") { port in
            let link = BusLink(
                host: "127.0.0.1", port: port, responseTimeout: .milliseconds(200))
            try await link.perform { link in
                try link.connect()
                for (address, wanted) in expected {
                    let got = code { () throws(BusError) in
                        _ = try link.readRegisters(
                            unit: 1, function: .holding, address: address, count: 4)
                    }
                    #expect(got == wanted, "address \(address)")
                    #expect(
                        try link.readRegisters(unit: 1, function: .holding, address: 40, count: 2)
                            == [40, 41], "after address \(address)")
                }
                #expect(
                    try link.readRegisters(unit: 1, function: .input, address: 1007, count: 2)
                        == [1007, 1008], "byte by byte")
                #expect(
                    try link.readRegisters(unit: 1, function: .input, address: 1011, count: 2)
                        == [1011, 1012], "behind a late answer")
            }
        }
    }

    @Test("an answer of another unit is no value, and the error says which unit it was")
    func anotherUnit() async throws {
        try await withPythonPeer("modbus_faulty.py") { port in
            let link = BusLink(
                host: "127.0.0.1", port: port, responseTimeout: .milliseconds(200))
            await #expect {
                try await link.perform { link in
                    try link.connect()
                    _ = try link.readRegisters(
                        unit: 4, function: .holding, address: 1010, count: 2)
                }
            } throws: {
                "\($0)".contains("unit 5 answered instead of unit 4")
            }
            let tolerant = BusLink(
                .modbusTCP(host: "127.0.0.1", port: port), believesAnyUnit: true)
            try await tolerant.perform { link in
                try link.connect()
                #expect(
                    try link.readRegisters(unit: 4, function: .holding, address: 1010, count: 2)
                        == [1010, 1011])
            }
        }
    }

    @Test("a late answer is never taken for another one's, and the stream comes back into step")
    func lateAnswer() async throws {
        try await withPythonPeer("modbus_faulty.py", ["--delay", "0.45"]) { port in
            let link = BusLink(
                host: "127.0.0.1", port: port, responseTimeout: .milliseconds(300))
            try await link.perform { link in
                try link.connect()
                #expect(
                    code { () throws(BusError) in
                        _ = try link.readRegisters(
                            unit: 1, function: .holding, address: 1000, count: 2)
                    } == .timeout)
                for address in 0..<4 {
                    #expect(
                        try link.readRegisters(
                            unit: 1, function: .holding, address: address, count: 2)
                            == [UInt16(address), UInt16(address + 1)])
                }
            }
        }
    }

    @Test("a closed connection is reported as such, and connecting again heals it")
    func closedConnection() async throws {
        try await withPythonPeer("modbus_faulty.py") { port in
            let link = BusLink(host: "127.0.0.1", port: port)
            try await link.perform { link in
                try link.connect()
                #expect(
                    code { () throws(BusError) in
                        _ = try link.readRegisters(
                            unit: 1, function: .holding, address: 1005, count: 1)
                    } == .disconnected)
                let isConnected = link.isConnected
                #expect(!isConnected)
                try link.connect()
                #expect(
                    try link.readRegisters(unit: 1, function: .holding, address: 9, count: 1)
                        == [9])
            }
        }
    }

    @Test("a server that is not there is an error that names the place")
    func nobodyListens() async throws {
        let port = try freePort()
        let link = BusLink(host: "127.0.0.1", port: port)
        await #expect {
            try await link.perform { try $0.connect() }
        } throws: { error in
            guard let error = error as? BusError else { return false }
            return error.code == .connectFailed && "\(error)".contains("127.0.0.1:\(port)")
        }
    }

    @Test("requests beyond the protocol's limits are refused before they are sent")
    func limits() async throws {
        let link = BusLink(host: "127.0.0.1", port: 9)
        await link.perform { link in
            for (address, count) in [(0, 0), (0, 126), (-1, 1), (65_530, 7), (0, .max), (.max, 1)] {
                #expect(
                    code { () throws(BusError) in
                        _ = try link.readRegisters(
                            unit: 1, function: .holding, address: address, count: count)
                    } == .invalidRequest)
            }
        }
    }
}
