import DeviceProfiles
import Telemetry
import Testing

@Suite("The read plan")
struct ReadPlanTests {
    private func plan(
        _ limits: String, points: [(at: String, type: String, extra: String)],
        extra: String = ""
    ) throws -> [RegisterRequest] {
        let keys = (1...points.count).map { "conductor_temperature.ch\($0)" }
        let lines = zip(keys, points).map { key, point in
            "  \(key): {at: \(point.at), type: \(point.type), unit: Cel\(point.extra)}"
        }
        let given = points.map { point in
            "\(point.at): \"\(String(repeating: "0000", count: point.type.hasSuffix("32") ? 2 : 1))\""
        }
        let profile = try Shipped.profile(
            """
            protocol: modbus
            unit: 1
            word_order: high_first
            byte_order: high_first
            limits: {\(limits)}
            \(extra)
            identify: [{at: holding/0, type: uint16, between: [0, 1]}]
            polls: {fast: 5s, slow: 1min}
            defaults: {poll: fast}
            points:
            \(lines.joined(separator: "\n"))
            tests:
              - name: all
                given: {\(given.joined(separator: ", "))}
                expect: {\(keys.map { "\($0): 0" }.joined(separator: ", "))}
            """)
        let binding = try ModbusBinding(profile: profile, interface: "it", device: DeviceID("d"))
        return binding.requests(group: 0)
    }

    private func read(_ address: Int, _ count: Int) -> RegisterRequest {
        RegisterRequest(area: .holding, address: address, count: count)
    }

    @Test("neighbours become one request")
    func neighbours() throws {
        let requests = try plan(
            "max_registers: 40",
            points: [
                ("holding/2", "uint16", ""), ("holding/0", "uint32", ""),
                ("holding/3", "uint16", ""),
            ])
        #expect(requests == [read(0, 4)])
    }

    @Test("undeclared registers are crossed only as far as join_gaps allows")
    func gaps() throws {
        let points = [
            ("holding/0", "uint16", ""), ("holding/2", "uint16", ""), ("holding/6", "uint16", ""),
        ]
        #expect(
            try plan("max_registers: 40", points: points) == [read(0, 1), read(2, 1), read(6, 1)])
        #expect(
            try plan("max_registers: 40, join_gaps: 1", points: points) == [read(0, 3), read(6, 1)])
        #expect(try plan("max_registers: 40, join_gaps: 3", points: points) == [read(0, 7)])
    }

    @Test("no request is longer than the limit and no value is split")
    func limit() throws {
        let points = (0..<5).map { ("holding/\(2 * $0)", "uint32", "") }
        #expect(
            try plan("max_registers: 5", points: points) == [read(0, 4), read(4, 4), read(8, 2)])
    }

    @Test("a value that wants to be alone is read alone")
    func alone() throws {
        let points = [
            ("holding/0", "uint16", ""), ("holding/1", "uint16", ", alone: true"),
            ("holding/2", "uint16", ""),
        ]
        #expect(
            try plan("max_registers: 40", points: points) == [read(0, 1), read(1, 1), read(2, 1)])
    }

    @Test("blocks are the only reads, whole, and only those that are needed")
    func blocks() throws {
        let requests = try plan(
            "max_registers: 40",
            points: [("holding/22", "uint16", ""), ("holding/41", "uint32", "")],
            extra:
                "blocks: [{at: holding/0, count: 20}, {at: holding/20, count: 20}, {at: holding/40, count: 20}]"
        )
        #expect(requests == [read(20, 20), read(40, 20)])
    }

    @Test("poll classes are groups of their own, and a parameter's plan fits the shipped station")
    func shipped() throws {
        let library = try Shipped.library()
        let meter = try ModbusBinding(
            profile: try #require(library["eastron/sdm630"]), interface: "rs485",
            device: DeviceID("m"))
        #expect(meter.groups.map(\.name) == ["fast", "slow"])
        #expect(meter.groups.map(\.period) == [.seconds(5), .seconds(60)])
        #expect(meter.groups.allSatisfy { $0.isPolled && $0.device == DeviceID("m") })
        for group in meter.groups {
            #expect(group.series.map(\.id.point) == group.series.map(\.id.point).sorted())
        }
        let requests = meter.groups.indices.flatMap { meter.requests(group: $0) }
        #expect(requests.allSatisfy { $0.count <= 40 && $0.area == .input })
        #expect(requests.contains(RegisterRequest(area: .input, address: 0, count: 36)))
        let station = try ModbusBinding(
            profile: try #require(library["renke/louvre-500"]), interface: "rs485",
            device: DeviceID("s"))
        #expect(station.requests(group: 0) == [read(500, 14)])
        let inverter = try ModbusBinding(
            profile: try #require(library["huawei/sun2000"]), interface: "tcp",
            device: DeviceID("i"))
        #expect(inverter.afterConnect == .seconds(1))
        #expect(inverter.tcpPort == 502)
        #expect(inverter.defaultUnit == 1)
    }

    @Test("bad, foreign, short and missing answers cost only their own points")
    func badAnswers() throws {
        let meter = try ModbusBinding(
            profile: try #require(try Shipped.library()["eastron/sdm630"]), interface: "rs485",
            device: DeviceID("m"))
        let requests = meter.requests(group: 0)
        var answers = requests.map {
            RegisterAnswer.registers(Array(repeating: 0, count: $0.count))
        }
        let index = try #require(requests.firstIndex { $0.address == 0 })
        func reading(_ key: String) throws -> Reading {
            let row = meter.decode(group: 0, answers: answers)
            #expect(row.count == meter.groups[0].series.count)
            let at = try #require(
                meter.groups[0].series.firstIndex { $0.id.point == PointKey(key) })
            return row[at]
        }
        #expect(try reading("voltage.l1") == .number(0))
        answers[index] = .bad(.timeout)
        #expect(try reading("voltage.l1") == .bad(.timeout))
        #expect(try reading("active_power.total") == .number(0))
        for foreign: RegisterAnswer in [
            .registers([]), .registers(Array(repeating: 0, count: requests[index].count - 1)),
            .registers(Array(repeating: 0, count: requests[index].count + 1)), .bits([true]),
        ] {
            answers[index] = foreign
            #expect(try reading("voltage.l1") == .bad(.foreignAnswer))
        }
        answers = []
        #expect(try reading("voltage.l1") == .bad(.foreignAnswer))
    }
}
