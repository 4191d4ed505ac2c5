import DeviceProfiles
import LocatedText
import Telemetry
import Testing

/// Whether the vectors of `Devices/` would notice a mistake in the profile beside them.
///
/// Each number of each profile is read wrongly in every way that register maps get wrong: the other
/// word order, the other byte order, a neighbouring width, the other sign, another scale or unit,
/// a ratio, a sentinel or a range forgotten. A vector has to notice each.
@Suite("The vectors of Devices/ notice mistakes")
struct LibraryMutationTests {
    /// `profile interface point: mutation` that no vector has to notice; empty, and to stay so.
    static let exempt: Set<String> = []

    @Test("any other word order, width, sign or scale of any Modbus number fails a vector")
    func modbus() throws {
        let library = try Shipped.library()
        var mutations = 0
        var missed: [String] = []
        for id in library.ids {
            let profile = try #require(library[id])
            for name in profile.interfaces(speaking: .modbus) {
                guard case .modbus(let interface) = profile.interfaces[name] else { continue }
                for point in interface.points where point.unit != nil {
                    for mutation in Self.mutations(of: point, in: interface) {
                        let place = "\(id) \(name) \(point.key): \(mutation.what)"
                        guard !Self.exempt.contains(place) else { continue }
                        if try !Self.isNoticed(mutation, of: point, profile, name) {
                            missed.append(place)
                        }
                        mutations += 1
                    }
                }
            }
        }
        #expect(missed == [])
        #expect(mutations > 3500)
    }

    @Test("any other unit, scale or place of any number of the other protocols fails a vector")
    func others() throws {
        let library = try Shipped.library()
        var mutations = 0
        var missed: [String] = []
        for id in library.ids {
            let profile = try #require(library[id])
            for (name, interface) in profile.interfaces where interface.fieldProtocol != .modbus {
                for point in interface.points where point.unit != nil && !point.isPersonal {
                    for mutation in Self.mutationsOfMeaning(point) + Self.mutationsOfMeter(point) {
                        if try !Self.isNoticed(mutation, of: point, profile, name) {
                            missed.append("\(id) \(name) \(point.key): \(mutation.what)")
                        }
                        mutations += 1
                    }
                }
            }
        }
        #expect(missed == [])
        #expect(mutations > 150)
    }

    /// Another item or another number format of a meter of DL/T 645 or CJ/T 188.
    private static func mutationsOfMeter(_ point: ProfilePoint) -> [Mutation] {
        guard case .meter(let source) = point.origin else { return [] }
        func with(_ what: String, _ change: @escaping (inout MeterSource) -> Void) -> Mutation {
            Mutation(what: what) { point in
                var source = source
                change(&source)
                point.origin = .meter(source)
            }
        }
        return [
            with("decimals") { $0.format.decimals += 1 },
            with("binary") { $0.format.isBinary.toggle() },
            with("item") { $0.item ^= 0x100 },
            with("one byte more") { $0.format.bytes += 1 },
            with("one byte less") { $0.format.bytes -= 1 },
        ]
    }

    @Test("other bits of any state fail a vector")
    func bits() throws {
        let library = try Shipped.library()
        var missed: [String] = []
        for id in library.ids {
            let profile = try #require(library[id])
            for (name, interface) in profile.interfaces {
                for point in interface.points where point.bits != nil {
                    let next = Mutation(what: "the next bit") { point in
                        point.bits = point.bits.map { ($0.lowerBound + 1)...($0.upperBound + 1) }
                    }
                    if try !Self.isNoticed(next, of: point, profile, name) {
                        missed.append("\(id) \(name) \(point.key)")
                    }
                }
            }
        }
        #expect(missed == [])
    }

    // MARK: Mutations

    struct Mutation {
        var what: String
        var change: (inout ProfilePoint) -> Void
    }

    private static func mutations(
        of point: ProfilePoint, in interface: ModbusInterface
    ) -> [Mutation] {
        var all = mutationsOfMeaning(point)
        switch point.origin {
        case .register(let source):
            all += mutations(of: source, needsSign: needsSign(point, interface)).map {
                what, other in
                Mutation(what: what) { $0.origin = .register(other) }
            }
            if isUnlimited(point, source) {
                let signed: [RegisterType: RegisterType] = [.uint16: .int16, .uint32: .int32]
                if let type = signed[source.type] {
                    var other = source
                    other.type = type
                    let changed = other
                    all.append(Mutation(what: "\(type)") { $0.origin = .register(changed) })
                }
            }
        case .sum(let parts):
            for index in parts.indices {
                all += mutations(of: parts[index].source, needsSign: false).map { what, other in
                    var changed = parts
                    changed[index].source = other
                    let sum = changed
                    return Mutation(what: "part \(index), \(what)") { $0.origin = .sum(sum) }
                }
            }
        case .payload, .factor, .meter: break
        }
        if point.valid != nil { all.append(Mutation(what: "without range") { $0.valid = nil }) }
        for sentinel in point.invalidBits {
            all.append(
                Mutation(what: "without the sentinel") { point in
                    point.invalidBits.removeAll { $0 == sentinel }
                })
        }
        return all
    }

    private static func mutationsOfMeaning(_ point: ProfilePoint) -> [Mutation] {
        var all = [
            Mutation(what: "scale") { $0.scale = tenfold($0.scale) },
            Mutation(what: "unit") { point in
                guard let unit = point.unit else { return }
                point.unit = Unit(
                    symbol: "?", ucum: "?", dimension: unit.dimension, factor: unit.factor * 1000)
            },
        ]
        if case .power10(let source, let sign, let bias) = point.scale {
            all.append(
                Mutation(what: "sign of the exponent") {
                    $0.scale = .power10(source, sign: -sign, bias: bias)
                })
            all.append(
                Mutation(what: "bias of the exponent") {
                    $0.scale = .power10(source, sign: sign, bias: bias + 1)
                })
        }
        for name in point.times {
            all.append(Mutation(what: "without \(name)") { $0.times.removeAll { $0 == name } })
        }
        return all
    }

    private static func tenfold(_ scale: PointScale) -> PointScale {
        switch scale {
        case .number(let number): .number(number * 10)
        case .parameter, .power10: .number(10)
        }
    }

    private static func mutations(
        of source: RegisterSource, needsSign: Bool
    ) -> [(String, RegisterSource)] {
        var all: [(String, RegisterSource)] = []
        var other = source
        other.byteOrder = source.byteOrder == .highFirst ? .lowFirst : .highFirst
        all.append(("byte order", other))
        if source.count > 1 {
            other = source
            other.wordOrder = source.wordOrder == .highFirst ? .lowFirst : .highFirst
            all.append(("word order", other))
        }
        let widths: [RegisterType: [RegisterType]] = [
            .uint16: [.uint32, .float32], .int16: [.int32],
            .uint32: [.uint16, .float32], .int32: [.int16, .float32],
            .uint64: [.uint32, .float64], .int64: [.int32, .float64],
            .float32: [.uint16, .uint32, .float64], .float64: [.float32, .uint64],
        ]
        let signs: [RegisterType: [RegisterType]] = [
            .int16: [.uint16], .int32: [.uint32], .int64: [.uint64],
        ]
        for type in (widths[source.type] ?? []) + (needsSign ? signs[source.type] ?? [] : []) {
            other = source
            other.type = type
            other.count = type.registers
            all.append(("\(type)", other))
        }
        return all
    }

    /// A counter only grows, and a range without negative numbers refuses them in either type. For
    /// all else the sign matters, and wherever a vector holds a negative number.
    private static func needsSign(_ point: ProfilePoint, _ interface: ModbusInterface) -> Bool {
        if interface.tests.contains(where: { test in
            test.expect.contains { $0.key == point.key && ($0.value?.number ?? 0) < 0 }
        }) {
            return true
        }
        return point.counter == nil && (point.valid?.lowerBound ?? -1) < 0
    }

    /// Whether an unsigned number can reach the half of its type that a signed one would call
    /// negative: neither its range nor its modulus ends before.
    private static func isUnlimited(_ point: ProfilePoint, _ source: RegisterSource) -> Bool {
        guard case .number(let scale) = point.scale else { return false }
        let half = source.type == .uint16 ? 32_768 : 2_147_483_648.0
        let limits = [point.valid?.upperBound, point.counter?.modulus].compactMap(\.self)
        return limits.allSatisfy { $0 / abs(scale) > half }
    }

    /// Plays the vectors with the mutated point alone.
    private static func isNoticed(
        _ mutation: Mutation, of point: ProfilePoint, _ profile: DeviceProfile, _ name: String
    ) throws -> Bool {
        var changed = point
        mutation.change(&changed)
        var copy = profile
        let key = point.key
        switch try #require(profile.interfaces[name]) {
        case .modbus(var interface):
            interface.points = [changed]
            interface.tests = only(key, interface.tests)
            copy.interfaces = [name: .modbus(interface)]
        case .mqtt(var interface):
            interface.points = [changed]
            interface.tests = only(key, interface.tests)
            copy.interfaces = [name: .mqtt(interface)]
        case .hj212(var interface):
            interface.points = [changed]
            interface.tests = only(key, interface.tests)
            copy.interfaces = [name: .hj212(interface)]
        case .meter(var interface):
            interface.points = [changed]
            interface.tests = only(key, interface.tests)
            copy.interfaces = [name: .meter(interface)]
        }
        // That a wider value needs more registers than a vector gives proves nothing.
        return copy.selfTest().contains { !$0.message.hasPrefix("'given'") }
    }

    private static func only(_ key: PointKey, _ tests: [ProfileTest]) -> [ProfileTest] {
        tests.compactMap { test in
            var test = test
            test.expect.removeAll { $0.key != key }
            return test.expect.isEmpty ? nil : test
        }
    }
}
