import FieldLinks
import TestPeers
import Testing

@Suite("Writing only what was granted")
struct WriteTests {
    private let coil = WriteGrant(
        unit: 1, function: .singleCoil, address: 3, values: [[0xFF00], [0x0000]])
    private let register = WriteGrant(
        unit: 1, function: .singleRegister, address: 10, values: [[7]])
    private let registers = WriteGrant(
        unit: 1, function: .registers, address: 20, values: [[1, 2]])
    private let coils = WriteGrant(
        unit: 1, function: .coils, address: 3, values: [[0xFF00, 0, 0xFF00]])

    private func request(_ grant: WriteGrant, _ values: [UInt16]) -> WriteRequest {
        WriteRequest(
            unit: grant.unit, function: grant.function, address: grant.address, values: values)
    }

    @Test("each function of a grant is carried out and read back", arguments: ["socket", "rtu"])
    func granted(framer: String) async throws {
        let arguments = [
            "--framer", framer, "--coil", "3=0,0,0", "--holding", "10=0", "--holding", "20=0,0",
        ]
        try await withPythonPeer("modbus_server.py", arguments) { port in
            let place: BusPlace =
                framer == "rtu"
                ? .serialServer(host: "127.0.0.1", port: port)
                : .modbusTCP(host: "127.0.0.1", port: port)
            let link = BusLink(place, grants: [coil, register, registers, coils])
            try await link.perform { link in
                try link.connect()
                try link.write(request(coil, [0xFF00]))
                try link.write(request(register, [7]))
                try link.write(request(registers, [1, 2]))
                #expect(
                    try link.readBits(unit: 1, function: .coil, address: 3, count: 3)
                        == [true, false, false])
                try link.write(request(coils, [0xFF00, 0, 0xFF00]))
                try link.write(request(coil, [0]))
                #expect(
                    try link.readBits(unit: 1, function: .coil, address: 3, count: 3)
                        == [false, false, true])
                #expect(
                    try link.readRegisters(unit: 1, function: .holding, address: 10, count: 1)
                        == [7])
                #expect(
                    try link.readRegisters(unit: 1, function: .holding, address: 20, count: 2)
                        == [1, 2])
            }
        }
    }

    @Test("another value, address, unit or function, and the broadcast, never leave the gateway")
    func refused() async throws {
        try await withPythonPeer("modbus_server.py", ["--coil", "3=0,0", "--holding", "10=5,5"]) {
            port in
            let link = BusLink(
                .modbusTCP(host: "127.0.0.1", port: port), grants: [coil, register])
            let bare = BusLink(.modbusTCP(host: "127.0.0.1", port: port))
            let wrong = [
                request(register, [8]), request(registers, [1, 2]), request(coils, [0xFF00]),
                WriteRequest(unit: 2, function: .singleCoil, address: 3, values: [0xFF00]),
                WriteRequest(unit: 0, function: .singleCoil, address: 3, values: [0xFF00]),
                WriteRequest(unit: 1, function: .singleCoil, address: 4, values: [0xFF00]),
                WriteRequest(unit: 1, function: .singleCoil, address: 3, values: [0x5500]),
                WriteRequest(unit: 1, function: .registers, address: 10, values: [7]),
            ]
            for (link, requests) in [(link, wrong), (bare, wrong + [request(coil, [0xFF00])])] {
                try await link.perform { link in
                    try link.connect()
                    for request in requests {
                        do throws(BusError) {
                            try link.write(request)
                            Issue.record("\(request) was written")
                        } catch {
                            #expect(error.code == .notGranted, "\(request)")
                        }
                    }
                    #expect(
                        try link.readBits(unit: 1, function: .coil, address: 3, count: 2)
                            == [false, false])
                    #expect(
                        try link.readRegisters(unit: 1, function: .holding, address: 10, count: 2)
                            == [5, 5])
                }
            }
        }
    }
}
