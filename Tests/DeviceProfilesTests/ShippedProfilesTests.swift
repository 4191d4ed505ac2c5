import DeviceProfiles
import Foundation
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

    /// The faults of the decoder, without those that say a vector gives too few registers.
    private func mismatches(_ profile: DeviceProfile) -> Int {
        profile.selfTest().count { !$0.message.hasPrefix("'given'") }
    }

    private func mutated(
        _ profile: DeviceProfile, _ interface: String, _ key: PointKey,
        _ change: (inout ProfilePoint) -> Void
    ) throws -> DeviceProfile {
        var copy = profile
        var points = try #require(copy.interfaces[interface]).points
        let index = try #require(points.firstIndex { $0.key == key })
        change(&points[index])
        copy.interfaces[interface]?.points = points
        return copy
    }

    @Test(
        "a wrong word order, width, sign or scale of any numeric point fails a vector of its profile"
    )
    func mutation() throws {
        let library = try Shipped.library()
        var mutations = 0
        for id in library.ids {
            let profile = try #require(library[id])
            for (name, interface) in profile.interfaces {
                for point in interface.points where point.unit != nil {
                    for (what, change) in Self.mutations(of: point) {
                        let copy = try mutated(profile, name, point.key, change)
                        #expect(mismatches(copy) > 0, "\(id) \(name) \(point.key): \(what)")
                        mutations += 1
                    }
                }
            }
        }
        #expect(mutations > 250)
    }

    private static func mutations(
        of point: ProfilePoint
    ) -> [(String, (inout ProfilePoint) -> Void)] {
        var changes: [(String, (inout ProfilePoint) -> Void)] = [
            ("scale", { $0.scale = Self.tenfold($0.scale) }),
            (
                "unit",
                {
                    guard let unit = $0.unit else { return }
                    $0.unit = Unit(
                        symbol: "?", ucum: "?", dimension: unit.dimension,
                        factor: unit.factor * 1000)
                }
            ),
        ]
        guard case .register(let source) = point.origin else { return changes }
        func with(_ change: @escaping (inout RegisterSource) -> Void) -> (inout ProfilePoint) ->
            Void
        {
            { point in
                var source = source
                change(&source)
                point.origin = .register(source)
            }
        }
        changes.append(("byte order", with { $0.byteOrder = .lowFirst }))
        if source.count > 1 { changes.append(("word order", with { $0.wordOrder = .lowFirst })) }
        let widths: [RegisterType: [RegisterType]] = [
            .uint16: [.uint32, .float32], .int16: [.uint16, .int32], .uint32: [.uint16, .float32],
            .int32: [.uint32, .int16, .float32], .float32: [.uint16, .uint32, .float64],
        ]
        for type in widths[source.type] ?? [] {
            changes.append(
                (
                    "\(type)",
                    with {
                        $0.type = type
                        $0.count = type.registers
                    }
                ))
        }
        return changes
    }

    private static func tenfold(_ scale: PointScale) -> PointScale {
        switch scale {
        case .number(let number): .number(number * 10)
        case .parameter, .power10: .number(10)
        }
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
                let valid = point.valid ?? Self.range(point)
                let device = Double.random(in: valid, using: &random)
                values[point.key] = .number(unit.canonical(device))
                var step = 1.0
                if case .number(let scale) = point.scale { step = abs(scale) }
                if case .parameter = point.scale { step = 0.1 }
                let isWhole =
                    if case .register(let s) = point.origin { s.type != .float32 } else { false }
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
            guard case .scan(time, [], let row, true) = decoded else {
                Issue.record("\(profile.id): \(decoded)")
                return
            }
            readings = Dictionary(
                uniqueKeysWithValues: zip(binding.group.series.map(\.id.point), row))
        }
        #expect(readings.count == values.count)
        for (key, value) in values {
            switch value {
            case .text: #expect(readings[key] == .good(value), "\(profile.id) \(key)")
            case .number(let sent):
                let step = steps[key] ?? 0
                let got = try #require(readings[key]?.number, "\(profile.id) \(key)")
                #expect(
                    abs(got - sent) <= step * 0.5 * 1.000001, "\(profile.id) \(key) \(sent) \(got)")
            }
        }
    }

    private static func range(_ point: ProfilePoint) -> ClosedRange<Double> {
        guard case .register(let source) = point.origin else { return 0...100 }
        var step = 1.0
        if case .number(let scale) = point.scale { step = abs(scale) }
        if case .parameter = point.scale { step = 0.1 }
        switch source.type {
        case .int16: return -32_768 * step...32_767 * step
        case .uint16: return 0...65_535 * step
        case .int32: return -2e9 * step...2e9 * step
        case .uint32: return 0...4e9 * step
        default: return -1e5...1e5
        }
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
        #expect(throws: BindingError.unknownInterface("mqtt", known: ["rs485"])) {
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
