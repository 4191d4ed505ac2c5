import DeviceProfiles
import Telemetry
import TestSeeds
import Testing

/// None of these may trap; what they assert besides is that nonsense is not taken for a reading.
@Suite("Foreign bytes")
struct FuzzTests {
    private static let seed: UInt64 = 4_711

    @Test("random and mutated messages are read or refused")
    func messages() throws {
        print("seed \(Self.seed)")
        var random = SeededGenerator(seed: Self.seed)
        let crane = try MQTTBinding(
            profile: try #require(try Shipped.library()["deye/tower-crane-mqtt"]),
            interface: "mqtt", device: DeviceID("c"), key: "TC0001")
        let nodes = try MQTTBinding(
            profile: try Shipped.profile(
                """
                \(Shipped.mqttHead)
                time: {at: "$.t[1]", format: epoch-ms}
                maps: {b: {"0": normal, "1": alarm}}
                points:
                  pm10: {at: "$.items[?@.id==2].list[?@.n=='a'].value", unit: ug/m3}
                  alarm_wind: {at: "$['w']", type: bits, bits: [30, 30], values: b}
                  device_status: {at: $.s, bits: [3, 52], values: {"0": ok}}
                tests: [{name: one, given: {topic: station/K/realtime, payload: {}}, expect: {}}]
                """), interface: "it", device: DeviceID("n"), key: "TC0001")
        let time = Timestamp(milliseconds: 1_795_219_500_000)
        let samples: [[UInt8]] = [
            crane.payload(
                [
                    PointKey("load_mass"): .number(3250), PointKey("alarm_wind"): .text("alarm"),
                    PointKey("tilt.x"): .number(-1e-5),
                ], at: time),
            Array(
                #"{"t":[0,1795219500000],"items":[{"id":1,"list":[]},{"list":[{"n":"\u0061","value":"1e2"}],"id":2}],"w":"0100","s":-9e99}"#
                    .utf8),
        ]
        let alphabet = Array(#"{}[]":,\u0eE+-.9 tfn"#.utf8)
        var read = 0
        for round in 0..<60_000 {
            var bytes = samples[round % 2]
            switch round % 5 {
            case 0:
                bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            case 1:
                bytes = (0..<Int.random(in: 0...60, using: &random)).compactMap { _ in
                    alphabet.randomElement(using: &random)
                }
            case 2: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            default:
                for _ in 0..<Int.random(in: 0...4, using: &random) {
                    let index = Int.random(in: 0..<bytes.count, using: &random)
                    bytes[index] =
                        Bool.random(using: &random)
                        ? UInt8.random(in: 0...255, using: &random)
                        : alphabet.randomElement(using: &random) ?? 0
                }
            }
            for binding in [crane, nodes] {
                let decoded = binding.decode(
                    topic: binding.topicFilter, payload: bytes, arrival: time)
                if case .scan(_, _, let row, _) = decoded {
                    read += 1
                    #expect(row.count == binding.group.series.count)
                    #expect(row.allSatisfy { $0.number?.isFinite ?? true })
                }
            }
        }
        #expect(read > 1000)
    }

    @Test("random registers are decoded to finite values or to a reason")
    func registers() throws {
        print("seed \(Self.seed)")
        var random = SeededGenerator(seed: Self.seed)
        var bindings: [ModbusBinding] = []
        let library = try Shipped.library()
        for id in library.ids {
            guard let profile = library[id] else { continue }
            for name in profile.interfaces(speaking: .modbus) {
                bindings.append(
                    try ModbusBinding(profile: profile, interface: name, device: DeviceID("d")))
            }
        }
        bindings.append(
            try ModbusBinding(
                profile: try Shipped.profile(
                    """
                    \(Shipped.modbusHead)
                    points:
                      active_power.total: {at: holding/0, type: int64, scale: {power10: {at: holding/4, type: int16}, sign: -1, bias: 22}, unit: kW}
                      active_power.l1: {at: holding/5, type: float64, scale: {power10: {at: holding/9, type: float32}}, unit: kW}
                      active_energy.total: {at: holding/11, type: uint64, encoding: mod10k, unit: GJ, counter: {modulus: null, resets: never}}
                      reactive_power.total: {at: holding/15, type: int64, encoding: sign_magnitude, scale: 1e300, offset: 1e300, unit: kvar}
                      device_status: {at: holding/19, type: uint64, bits: [0, 63], values: {"0": ok}}
                      plate_number: {at: holding/23, type: text, length: 4}
                    tests:
                      - name: zeros
                        given: {holding/0: "0000000000000000", holding/4: "0016", holding/5: "0000000000000000", holding/9: "00000000", holding/11: "0000000000000000", holding/15: "0000000000000000", holding/19: "0000000000000000"}
                        expect: {active_power.total: 0, active_power.l1: 0, active_energy.total: 0, reactive_power.total: 1e303, device_status: ok}
                    """), interface: "it", device: DeviceID("d")))
        for round in 0..<20_000 {
            let binding = bindings[round % bindings.count]
            for group in binding.groups.indices {
                let answers = binding.requests(group: group).map { request -> RegisterAnswer in
                    let count = Int.random(in: 0...9, using: &random) == 0 ? 3 : request.count
                    return .registers(
                        (0..<count).map { _ in
                            [
                                UInt16.random(in: 0...UInt16.max, using: &random), 0, 0xFFFF,
                                0x7FFF, 0x8000,
                            ]
                            .randomElement(using: &random) ?? 0
                        })
                }
                let row = binding.decode(group: group, answers: answers)
                #expect(row.count == binding.groups[group].series.count)
                #expect(row.allSatisfy { $0.number?.isFinite ?? true })
            }
            var values: [PointKey: Value] = [:]
            for series in binding.groups.flatMap(\.series) {
                let bits = Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random))
                values[series.id.point] = Bool.random(using: &random) ? .number(bits) : .text("on")
            }
            _ = binding.encode(values)
        }
    }

    @Test("a profile of random bytes, or with random bytes in it, is read or faulted")
    func profiles() throws {
        print("seed \(Self.seed)")
        var random = SeededGenerator(seed: Self.seed)
        let vocabulary = try Shipped.vocabulary()
        for path in try Shipped.paths() {
            let text = Array(try Shipped.text(path).utf8)
            for _ in 0..<25 {
                var bytes = text
                for _ in 0..<3 {
                    let index = Int.random(in: 0..<bytes.count, using: &random)
                    bytes[index] =
                        Array("0179-{}[]:,\"'aFx/ \n".utf8).randomElement(using: &random) ?? 0
                }
                let mutated = String(decoding: bytes, as: UTF8.self)
                do {
                    let profile = try DeviceProfile.parse(
                        mutated, file: path, vocabulary: vocabulary)
                    _ = profile.selfTest()
                } catch {
                    #expect(!error.all.isEmpty)
                }
            }
        }
    }
}
