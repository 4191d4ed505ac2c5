import DeviceProfiles
import Foundation
import Frames
import LocatedText
import Telemetry
import TestSeeds
import Testing

@Suite("The profiles of Devices/")
struct ShippedProfilesTests {
    @Test("every file parses, passes the linter and its own vectors")
    func selfTest() throws {
        let library = try Shipped.library()
        #expect(library.ids.count >= 6)
        #expect(library.selfTest().map(\.description) == [])
        for wanted in [
            "eastron/sdm630", "acrel/adl3000", "chint/dtsu666", "renke/louvre-500",
            "deye/tower-crane-mqtt", "huawei/sun2000",
        ] { #expect(library[wanted] != nil, "\(wanted)") }
    }

    @Test("values are the doubles nearest to their decimals")
    func exactDecimals() throws {
        let profile = try #require(try Shipped.library()["acrel/adl3000"])
        let binding = try ModbusBinding(
            profile: profile, interface: "rs485", parameters: ["ct_ratio": 60],
            device: DeviceID("m"))
        for raw in stride(from: 0, to: 60_000, by: 7) {
            var image = RegisterImage()
            image[.holding, 0x64] = UInt16(raw)
            let reading = binding.readings(image)[PointKey("current.l1")]
            let decimal = try #require(Double("\(raw * 60)e-2"))
            #expect(reading == .number(decimal))
        }
    }

    @Test("devices of one kind share their plan, and one with another ratio does not")
    func alike() throws {
        let profile = try #require(try Shipped.library()["acrel/adl3000"])
        func binding(
            _ ratio: Double, cost: RequestCost = .network, like other: ModbusBinding? = nil
        ) throws -> ModbusBinding {
            try ModbusBinding(
                profile: profile, interface: "rs485", parameters: ["ct_ratio": ratio],
                device: DeviceID("m\(Int(ratio))"), cost: cost, like: other)
        }
        var image = RegisterImage()
        image[.holding, 0x64] = 100
        let first = try binding(60)
        for (other, amperes) in [
            (try binding(60, like: first), 60.0), (try binding(40, like: first), 40),
        ] {
            #expect(other.readings(image)[PointKey("current.l1")] == .number(amperes))
        }
        #expect(try binding(40, like: first).groups[0].device == DeviceID("m40"))
        // Another cost, another plan: what one line joins another one reads apart.
        let dear = RequestCost(overhead: 1000)
        let cheap = RequestCost(overhead: 0)
        let apart = try binding(60, cost: cheap)
        let joined = try binding(60, cost: dear, like: apart)
        #expect(joined.requests(group: 0) == (try binding(60, cost: dear)).requests(group: 0))
        #expect(joined.requests(group: 0) != apart.requests(group: 0))
    }

    @Test("what is encoded decodes to itself within one raw step, for every shipped profile")
    func roundTrip() throws {
        let seed: UInt64 = 20_261_121
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let library = try Shipped.library()
        for id in library.ids {
            let profile = try #require(library[id])
            for (name, interface) in profile.interfaces {
                for _ in 0..<50 {
                    try roundTrip(profile, name, interface, &random)
                }
            }
        }
    }

    private func roundTrip(
        _ profile: DeviceProfile, _ name: String, _ interface: ProfileInterface,
        _ random: inout SeededGenerator
    ) throws {
        var values: [PointKey: Value] = [:]
        var steps: [PointKey: Double] = [:]
        for point in interface.points where !point.isPersonal {
            switch point.description.kind {
            case .gauge, .counter:
                let unit = try #require(point.unit)
                let factor = point.times.reduce(1) { $0 * (profile.params[$1]?.defaultValue ?? 1) }
                let valid = point.valid ?? Self.range(point, factor)
                let device = Double.random(in: valid, using: &random)
                values[point.key] = .number(unit.canonical(device))
                var step = 1.0
                if case .number(let scale) = point.scale { step = abs(scale * factor) }
                if case .parameter = point.scale { step = 0.1 }
                var isWhole = false
                switch point.origin {
                case .register(let source): isWhole = source.type != .float32
                case .meter(let source):
                    isWhole = true
                    step = (0..<source.format.decimals).reduce(step) { step, _ in step / 10 }
                case .sum(let parts):
                    step *= parts.map(\.scale).min() ?? 1
                    isWhole = parts.allSatisfy { $0.source.type != .float32 }
                default: break
                }
                // A float is off by half a unit in the last place, its shortest decimal by as much.
                steps[point.key] =
                    abs(unit.canonical(isWhole ? step : max(abs(device), 1) * 2.4e-7))
            case .state:
                let words = Array(Set(point.values.values)).sorted()
                values[point.key] = words.randomElement(using: &random).map(Value.text)
            case .text: values[point.key] = .text("operator 7")
            }
        }
        let readings: [PointKey: Reading]
        switch interface {
        case .modbus:
            let binding = try ModbusBinding(
                profile: profile, interface: name, device: DeviceID("d"))
            readings = binding.readings(binding.encode(values))
        case .mqtt:
            let binding = try MQTTBinding(
                profile: profile, interface: name, device: DeviceID("d"), key: "K1")
            let time = Timestamp(milliseconds: 1_795_219_500_000)
            let decoded = binding.decode(
                topic: binding.topic(), payload: binding.payload(values, at: time), arrival: time)
            guard case .scan(time, [], let row, _) = decoded else {
                Issue.record("\(profile.id): \(decoded)")
                return
            }
            readings = Dictionary(
                uniqueKeysWithValues: zip(binding.group.series.map(\.id.point), row))
        case .hj212: readings = try Self.sent(values, profile, name)
        case .meter: readings = try Self.asked(values, profile, name)
        }
        #expect(readings.count == values.count)
        for (key, value) in values {
            switch value {
            case .text: #expect(readings[key] == .good(value), "\(profile.id) \(key)")
            case .number(let sent):
                let step = steps[key] ?? 0
                let got = try #require(readings[key]?.number, "\(profile.id) \(key)")
                #expect(
                    abs(got - sent) <= step * 0.5 * 1.000001 + sent.ulp,
                    "\(profile.id) \(key) \(sent) \(got)")
            }
        }
    }

    /// What the gateway reads from the packet of a station with these values.
    private static func sent(
        _ values: [PointKey: Value], _ profile: DeviceProfile, _ name: String
    ) throws -> [PointKey: Reading] {
        let binding = try HJ212Binding(
            profile: profile, interface: name, device: DeviceID("d"), key: "MN1")
        let time = Timestamp(milliseconds: 1_795_219_500_000)
        let packet = binding.packet(values, at: time)
        let segment = try #require(packet.segment)
        let received = try #require(HJ212Packet.parse(segment: segment[...]))
        guard case .scan(time, [], let row, true) = binding.decode(received, arrival: time) else {
            Issue.record("\(profile.id) refuses its own packet")
            return [:]
        }
        return Dictionary(uniqueKeysWithValues: zip(binding.group.series.map(\.id.point), row))
    }

    /// What the gateway reads from a meter with these values.
    private static func asked(
        _ values: [PointKey: Value], _ profile: DeviceProfile, _ name: String
    ) throws -> [PointKey: Reading] {
        guard case .meter(let interface)? = profile.interfaces[name] else { return [:] }
        let key = interface.language == .dlt645 ? "123456789012" : "78330011223344"
        let binding = try MeterBinding(
            profile: profile, interface: name, device: DeviceID("d"), key: key)
        var readings: [PointKey: Reading] = [:]
        for group in binding.groups.indices {
            let answers = try binding.requests(group: group).map { request -> MeterAnswer in
                let reply = try #require(binding.reply(to: request.bytes, values))
                // The line repeats what was sent before it brings the answer.
                guard case .found(let answer) = request.search(request.bytes + reply) else {
                    return .bad(.timeout)
                }
                return answer
            }
            let row = binding.decode(group: group, answers: answers)
            for (series, reading) in zip(binding.groups[group].series, row) {
                readings[series.id.point] = reading
            }
        }
        return readings
    }

    private static func range(
        _ point: ProfilePoint, _ factor: Double
    ) -> ClosedRange<Double> {
        if case .meter(let source) = point.origin { return source.hasSignBit ? -70...70 : 0...90 }
        guard case .register(let source) = point.origin else { return 0...100 }
        var scale = 1.0
        if case .number(let number) = point.scale { scale = number * factor }
        if case .parameter = point.scale { scale = 0.1 }
        let raw: ClosedRange<Double> =
            switch source.type {
            case .int16: -32_768...32_767
            case .uint16: 0...65_535
            case .int32: -2e9...2e9
            case .uint32: 0...4e9
            case .int64: -1e12...1e12
            case .uint64: 0...1e12
            default: -1e5...1e5
            }
        let ends = [raw.lowerBound * scale, raw.upperBound * scale]
        return min(ends[0], ends[1])...max(ends[0], ends[1])
    }

    @Test("values that a register cannot hold become its limit, and NaN is left out")
    func clamping() throws {
        let library = try Shipped.library()
        let meter = try ModbusBinding(
            profile: try #require(library["acrel/adl3000"]), interface: "rs485",
            device: DeviceID("m"))
        let image = meter.encode([
            PointKey("active_power.total"): .number(1e30), PointKey("voltage.l1"): .number(-5),
            PointKey("voltage.l2"): .number(.nan), PointKey("current.l1"): .number(.infinity),
            PointKey("current.l2"): .text("many"),
        ])
        #expect(image[.holding, 0x6A] == 0x7FFF)
        #expect(image[.holding, 0x61] == 0)
        #expect(image[.holding, 0x62] == nil)
        #expect(image[.holding, 0x64] == nil)
        #expect(image[.holding, 0x65] == nil)
    }

    @Test("a counter's modulus is stretched by the ratios and the unit")
    func modulus() throws {
        let library = try Shipped.library()
        let meter = try ModbusBinding(
            profile: try #require(library["acrel/adl3000"]), interface: "rs485",
            parameters: ["ct_ratio": 60], device: DeviceID("m"))
        let series = meter.groups.flatMap(\.series)
        let energy = series.first { $0.id.point == PointKey("active_energy.import.total") }
        #expect(energy?.counter?.modulus == 60_000_000)
        let rain = try ModbusBinding(
            profile: try #require(library["renke/louvre-500"]), interface: "rs485",
            device: DeviceID("m")
        ).groups.flatMap(\.series).first { $0.id.point == PointKey("rainfall") }
        #expect(rain?.counter?.modulus == 6.5536)
    }

    @Test("the installer's mistakes name what is accepted")
    func bindingErrors() throws {
        let library = try Shipped.library()
        let station = try #require(library["renke/louvre-500"])
        let crane = try #require(library["deye/tower-crane-mqtt"])
        #expect(throws: BindingError.unknownInterface("mqtt", known: ["hj212", "rs485"])) {
            try MQTTBinding(profile: station, interface: "mqtt", device: DeviceID("d"), key: "k")
        }
        #expect(throws: BindingError.unknownParameter("windscale", known: ["wind_scale"])) {
            try ModbusBinding(
                profile: station, interface: "rs485", parameters: ["windscale": 1],
                device: DeviceID("d"))
        }
        #expect(
            throws: BindingError.parameterRefused(
                "wind_scale", value: 1, accepted: "one of 0.1, 0.01")
        ) {
            try ModbusBinding(
                profile: station, interface: "rs485", parameters: ["wind_scale": 1],
                device: DeviceID("d"))
        }
        #expect(throws: BindingError.badKey("a/b")) {
            try MQTTBinding(profile: crane, interface: "mqtt", device: DeviceID("d"), key: "a/b")
        }
        #expect(throws: BindingError.self) {
            try ModbusBinding(profile: crane, interface: "mqtt", device: DeviceID("d"))
        }
    }

    @Test("the guide's example is a profile that proves itself")
    func guide() throws {
        let guide = try String(
            contentsOf: Shipped.devices.deletingLastPathComponent()
                .appending(path: "docs/formats/device-profile.md"), encoding: .utf8)
        let parts = guide.components(separatedBy: "```yaml\n")
        let example = try #require(parts.dropFirst().first?.components(separatedBy: "```").first)
        let profile = try DeviceProfile.parse(
            example, file: "acme/m1.yaml", vocabulary: Shipped.vocabulary())
        #expect(profile.selfTest().map(\.description) == [])
        #expect(profile.interfaces["rs485"]?.tests.first?.expect.count == 2)
    }
}
