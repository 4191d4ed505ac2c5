import Acquisition
import DeviceProfiles
import FieldLinks
import Telemetry
import Testing

@testable import Gateway

@Suite("Buses in a site's configuration")
struct BusConfigurationTests {
    private static func bound(_ links: String) throws -> BoundText {
        try BoundText("links:\n" + links)
    }

    private static func place(_ address: String, devices: String = "") throws -> BusPlace? {
        let bound = try bound("  - { id: a, bus: \"\(address)\", devices: [\(devices)] }")
        #expect(bound.faults == "")
        guard case .bus(_, let address, _)? = bound.site?.links.first else { return nil }
        return address.place
    }

    @Test("every way to a bus is read with all its settings")
    func addresses() throws {
        #expect(try Self.place("tcp://10.0.0.1") == .modbusTCP(host: "10.0.0.1", port: 502))
        #expect(
            try Self.place(
                "rtu:///dev/serial/by-path/pci-0-usb-0:1?baud=19200&parity=even&data_bits=7"
                    + "&stop_bits=2&rs485=driver")
                == .serial(
                    SerialLine(
                        path: "/dev/serial/by-path/pci-0-usb-0:1", baud: 19_200, dataBits: 7,
                        parity: .even, stopBits: 2, direction: .driver)))
        #expect(
            try Self.place("rtu+tcp://10.0.0.2:8899")
                == .serialServer(host: "10.0.0.2", port: 8899))
        #expect(
            try Self.place("rtu+listen://0.0.0.0:4002?registration=DTU-17")
                == .dialIn(.init(host: "0.0.0.0", port: 4002, registration: "DTU-17")))
    }

    @Test("what an address leaves out of a line, the first device's profile gives")
    func lineOfTheProfile() throws {
        let device = "{ id: m, profile: generic/dlt645-2007, key: \"123456789012\" }"
        #expect(
            try Self.place("rtu:///dev/ttyS1", devices: device)
                == .serial(SerialLine(path: "/dev/ttyS1", baud: 2400, parity: .even)))
        #expect(
            try Self.place("rtu:///dev/ttyS1?baud=9600", devices: device)
                == .serial(SerialLine(path: "/dev/ttyS1", baud: 9600, parity: .even)))
    }

    @Test(
        "a mistake in a bus is told with its place and what to write instead",
        arguments: [
            ("bus: \"rtu:///dev/ttyS1?baud=9601\"", "", "'baud=9601' is not possible; one of 110"),
            ("bus: \"rtu:///dev/ttyS1?boud=9600\"", "", "'boud' is no setting of this address"),
            ("bus: \"tcp://10.0.0.1?baud=9600\"", "", "'baud' is no setting of this address"),
            (
                "bus: \"tcp://10.0.0.1?answers=any_unit\"",
                "{ id: a, profile: acrel/adl3000, unit: 1 }, { id: b, profile: acrel/adl3000, unit: 2 }",
                "'answers=any_unit' is for one unit, and 'a' has several"
            ),
            (
                "bus: \"tcp://10.0.0.1?answers=all\"", "",
                "'answers=all' is not possible; one of unit, any_unit"
            ),
            ("bus: \"udp://10.0.0.1\"", "", "is not the address of a bus; tcp://HOST:502"),
            (
                "bus: \"tcp://10.0.0.1\"",
                "{ id: m, profile: generic/dlt645-2007, key: \"123456789012\" }",
                "does not speak modbus"
            ),
            (
                "bus: \"rtu:///dev/ttyS1\"", "{ id: m, profile: generic/dlt645-2007 }",
                "'key' is missing: the meter's address"
            ),
            (
                "bus: \"rtu:///dev/ttyS1\"",
                "{ id: m, profile: generic/dlt645-2007, key: \"12345\" }", "12 digits"
            ),
            (
                "bus: \"tcp://10.0.0.1\"",
                "{ id: a, profile: acrel/adl3000, unit: 1 }, { id: b, profile: acrel/adl3000, unit: 1 }",
                "are both unit 1 of one bus"
            ),
            (
                "bus: \"tcp://10.0.0.1\"",
                "{ id: a, profile: acrel/adl3000, unit: 1 }, { id: b, profile: waveshare/relay-8ch, unit: 1 }, { id: c, profile: acrel/adl3000, unit: 1 }",
                "'c' and 'a' are both unit 1 of one bus"
            ),
            (
                "bus: \"rtu:///dev/ttyS1\"",
                "{ id: m, profile: generic/dlt645-2007, key: \"123456789012\" }, { id: n, profile: generic/dlt645-2007, key: \"123456789012\" }",
                "'n' and 'm' are the same meter, '123456789012', of one bus"
            ),
            (
                "bus: \"tcp://10.0.0.1\"",
                "{ id: a, profile: acrel/adl3000, commands: [switch.ch1] }",
                "'acrel/adl3000' has no command 'switch.ch1'; the profile describes no writes"
            ),
            (
                "bus: \"tcp://10.0.0.1\"",
                "{ id: a, profile: waveshare/relay-8ch, commands: [switch.ch9] }",
                "has no command 'switch.ch9'; did you mean 'switch.ch"
            ),
        ])
    func mistakes(address: String, devices: String, words: String) throws {
        let faults = try Self.bound("  - { id: a, \(address), devices: [\(devices)] }").faults
        #expect(faults.contains(words), "\(faults)")
        #expect(faults.hasPrefix("site.yaml:4:"))
    }

    @Test(
        "serial servers that call one port are told apart by what they say, or refused",
        arguments: [
            ("", "", true), ("?registration=A", "", true), ("", "?registration=A", true),
            ("?registration=A", "?registration=A", true),
            ("?registration=A", "?registration=B", false),
        ])
    func callers(first: String, second: String, isRefused: Bool) throws {
        let faults = try Self.bound(
            """
              - { id: a, bus: "rtu+listen://0.0.0.0:4001\(first)", devices: [] }
              - { id: b, bus: "rtu+listen://0.0.0.0:4001\(second)", devices: [] }
            """
        ).faults
        #expect(faults.contains("'b' cannot be told from another one") == isRefused, "\(faults)")
    }

    @Test("a line that cannot carry what is asked is refused, and the dearest group named")
    func overload() throws {
        let many = (1...30).map { "{ id: m\($0), profile: acrel/adl3000, unit: \($0) }" }
            .joined(separator: ", ")
        let faults = try Self.bound(
            "  - { id: a, bus: \"rtu:///dev/ttyS1?baud=1200\", devices: [\(many)] }"
        ).faults
        #expect(faults.contains("of what 1200 8N1 can carry"), "\(faults)")
        #expect(faults.contains("poll more rarely"))
        let fast = try Self.bound(
            "  - { id: a, bus: \"rtu:///dev/ttyS1?baud=115200\", devices: [\(many)] }")
        #expect(fast.faults == "")
        let load = try #require(fast.site?.busLoads.first)
        #expect(load.share > 0.1 && load.share < 1)
        #expect(load.requests > 30)
    }

    @Test("a site grants the commands that it names, and nothing else")
    func grants() throws {
        let bound = try Self.bound(
            """
              - id: a
                bus: tcp://10.0.0.1
                devices: [{ id: r, profile: waveshare/relay-8ch, unit: 1, commands: [switch.ch2] }]
            """)
        #expect(bound.faults == "")
        guard case .bus(_, _, let units)? = bound.site?.links.first else {
            Issue.record("no bus")
            return
        }
        let grants = units.flatMap(\.commands).flatMap(\.grants)
        #expect(
            grants == [
                WriteGrant(
                    unit: 1, function: .singleCoil, address: 1, values: [[0xFF00], [0x0000]])
            ])
    }
}
