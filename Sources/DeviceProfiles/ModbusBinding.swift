import Telemetry

/// What came back for one request of the read plan.
package enum RegisterAnswer: Hashable, Sendable {
    case registers([UInt16])
    case bits([Bool])
    case bad(BadReason)
}

/// A profile's Modbus interface bound to one device with its parameters.
///
/// A class without variables: a poller holds one for each device and looks at it at every request.
package final class ModbusBinding: Sendable {
    /// The device's interface as the profile describes it.
    package let interface: ModbusInterface
    /// One per poll class, in order of name; series in order of key.
    package let groups: [ScanGroup]
    private let plans: [[RegisterRequest]]
    private let points: [[RegisterPoint]]
    private let origin: Origin

    /// What the binding was made of, to make it anew when the device has told more.
    private struct Origin: Sendable {
        var profile: DeviceProfile
        var name: String
        var given: [String: Double]
        var cost: RequestCost
        var placement: [Int: SunSpecModels.Place]?
        var ratios: [String: Double] = [:]

        /// Whether devices of both are asked and decoded alike, as far as profiles of one name are
        /// the same.
        func isLike(_ other: Self) -> Bool {
            profile.id == other.profile.id && name == other.name && given == other.given
                && cost == other.cost && placement == nil && other.placement == nil
                && ratios == other.ratios
        }
    }

    /// The longest wait for an answer.
    package var responseTimeout: Duration { interface.limits.responseTimeout }
    /// The pause between an answer and the next request.
    package var quietTime: Duration { interface.limits.quietTime }
    /// The unit identifier that the vendor ships.
    package var defaultUnit: Int { interface.unit }
    package var tcpPort: Int { interface.tcp?.port ?? 502 }
    /// The pause between connecting and the first request.
    package var afterConnect: Duration { interface.tcp?.afterConnect ?? .zero }

    /// - Parameters:
    ///   - parameters: what the installer said; the profile's defaults fill the rest.
    ///   - cost: weighs holes against requests; see `RequestCost`.
    ///   - other: a binding of the same library; what both have in common is kept once.
    package convenience init(
        profile: DeviceProfile, interface name: String, parameters: [String: Double] = [:],
        device: DeviceID, cost: RequestCost = .network, like other: ModbusBinding? = nil
    ) throws(BindingError) {
        let found = try profile.find(name)
        guard case .modbus(let interface) = found else {
            throw .wrongProtocol(interface: name, is: found.fieldProtocol, wanted: .modbus)
        }
        self.init(
            Origin(profile: profile, name: name, given: parameters, cost: cost), interface,
            resolved: try profile.resolve(parameters), device, like: other)
    }

    private init(
        _ origin: Origin, _ described: ModbusInterface, resolved: [String: Double],
        _ device: DeviceID, like other: ModbusBinding? = nil
    ) {
        self.origin = origin
        let alike = other.flatMap { $0.origin.isLike(origin) ? $0 : nil }
        let interface =
            alike?.interface
            ?? origin.placement.map { described.placed(at: $0, from: origin.profile.sunspec) }
            ?? described
        let resolved = resolved.merging(origin.ratios) { _, read in read }
        let unknown = Set(origin.profile.readRatios(given: origin.given).map(\.name))
        self.interface = interface
        var groups: [ScanGroup] = []
        var plans: [[RegisterRequest]] = []
        var points: [[RegisterPoint]] = []
        let kept = interface.points.filter { !$0.isPersonal }.sorted { $0.key < $1.key }
        for (poll, period) in interface.polls.sorted(by: { $0.key < $1.key }) {
            let members = kept.filter { $0.poll == poll }
            guard !members.isEmpty else { continue }
            groups.append(
                ScanGroup(
                    device: device, interface: origin.name, name: poll,
                    series: members.map {
                        $0.series(of: device, parameters: resolved, unknown: unknown)
                    },
                    period: period, isPolled: true))
            if alike != nil { continue }
            let plan = ReadPlan.requests(
                for: members.flatMap { point in
                    point.registerSources.map { ($0, point.isAlone) }
                }, of: interface, cost: origin.cost)
            plans.append(plan)
            points.append(
                members.map { RegisterPoint($0, plan: plan, parameters: resolved) })
        }
        self.groups = groups
        self.plans = alike?.plans ?? plans
        self.points = alike?.points ?? points
    }

    /// The read plan of `groups[group]`.
    package func requests(group: Int) -> [RegisterRequest] { plans[group] }

    /// One reading for each series of `groups[group]`.
    ///
    /// - Parameter answers: parallel to `requests(group:)`. A missing answer, or one of another
    ///   length or kind than was asked for, makes its points bad as `foreignAnswer`.
    package func decode(group: Int, answers: [RegisterAnswer]) -> [Reading] {
        let plan = plans[group]
        var checked = answers
        for index in plan.indices {
            guard index < checked.count else {
                checked.append(.bad(.foreignAnswer))
                continue
            }
            switch checked[index] {
            case .registers(let registers)
            where plan[index].area.isBits || registers.count != plan[index].count:
                checked[index] = .bad(.foreignAnswer)
            // Coils come in whole bytes, so a few more bits than were asked for are no surprise.
            case .bits(let bits)
            where !plan[index].area.isBits || bits.count < plan[index].count:
                checked[index] = .bad(.foreignAnswer)
            default: break
            }
        }
        return points[group].map { $0.decode(checked) }
    }

    /// The registers that a device with these canonical values would hold.
    ///
    /// What a type cannot hold becomes its limit; values of other kinds than the point's, NaN and
    /// unknown words are left out.
    package func encode(_ values: [PointKey: Value]) -> RegisterImage {
        var image = RegisterImage()
        for point in points.joined() {
            guard let value = values[point.key] else { continue }
            point.encode(value, into: &image)
        }
        return image
    }
}

/// Registers by area and address; coils and discrete inputs are 0 or 1.
package struct RegisterImage: Hashable, Sendable {
    package var areas: [RegisterArea: [Int: UInt16]]

    package init(_ areas: [RegisterArea: [Int: UInt16]] = [:]) { self.areas = areas }

    package subscript(area: RegisterArea, address: Int) -> UInt16? {
        get { areas[area]?[address] }
        set { areas[area, default: [:]][address] = newValue }
    }

    /// What a device with this image answers; an address without a register reads as 0.
    package func answer(_ request: RegisterRequest) -> RegisterAnswer {
        let words = request.addresses.map { self[request.area, $0] ?? 0 }
        return request.area.isBits ? .bits(words.map { $0 != 0 }) : .registers(words)
    }
}

extension ProfilePoint {
    /// Every raw value that the point needs, the exponent's included.
    package var registerSources: [RegisterSource] {
        var sources: [RegisterSource] = []
        switch origin {
        case .register(let source): sources = [source]
        case .sum(let parts): sources = parts.map(\.source)
        case .payload, .factor, .meter: break
        }
        if case .power10(let source, _, _) = scale { sources.append(source) }
        return sources
    }

    /// The series that this point becomes on one device.
    ///
    /// - Parameter unknown: parameters that only the device will tell.
    func series(
        of device: DeviceID, parameters: [String: Double], unknown: Set<String> = []
    ) -> Series {
        var policy = counter
        // Where a register rolls over is not known before its ratio is; a fall is a reset then.
        if !unknown.isDisjoint(with: times) { policy?.modulus = nil }
        if let modulus = policy?.modulus {
            // The register rolls over in the device's figures; ratios and units stretch it.
            let stretched = times.reduce(modulus) { $0 * (parameters[$1] ?? 1) }
            policy?.modulus = unit?.canonical(stretched) ?? stretched
        }
        return Series(
            id: SeriesID(device: device, point: key), kind: description.kind,
            unit: description.canonicalUnit?.symbol ?? "", counter: policy, isUrgent: isUrgent)
    }
}

// MARK: What the device tells about itself

extension ModbusBinding {
    /// The device that the binding is for.
    private var device: DeviceID { groups.first?.device ?? DeviceID("") }

    /// The same device with its SunSpec models where they are; points of other models are absent.
    ///
    func placed(at models: [Int: SunSpecModels.Place]) -> ModbusBinding {
        var origin = origin
        origin.placement = models
        return remade(origin)
    }

    /// The same device with ratios that it has told.
    func with(ratios: [String: Double]) -> ModbusBinding {
        var origin = origin
        if origin.ratios == ratios { return self }
        origin.ratios = ratios
        return remade(origin)
    }

    private func remade(_ origin: Origin) -> ModbusBinding {
        // The installer's parameters were good when the binding was first made.
        let resolved = (try? origin.profile.resolve(origin.given)) ?? [:]
        return ModbusBinding(origin, interfaceAsDescribed, resolved: resolved, device)
    }

    private var interfaceAsDescribed: ModbusInterface {
        if case .modbus(let described)? = origin.profile.interfaces[origin.name] {
            described
        } else {
            interface
        }
    }

    /// The parameters that the device is asked for, because the installer left them out.
    var readRatios: [(name: String, source: RegisterSource)] {
        origin.profile.readRatios(given: origin.given)
    }

    /// Whether the device is asked for any ratio.
    package var readsRatios: Bool { !readRatios.isEmpty }

    /// The ratios that the device has told, by parameter.
    package var ratios: [String: Double] { origin.ratios }

    /// What is accepted instead of `value`; nil when it is.
    func refusal(of value: Double, for parameter: String) -> String? {
        origin.profile.params[parameter]?.refusal(of: value)
    }
}

extension DeviceProfile {
    func readRatios(given: [String: Double]) -> [(name: String, source: RegisterSource)] {
        params.sorted { $0.key < $1.key }.compactMap { name, parameter in
            guard given[name] == nil, let source = parameter.readFrom else { return nil }
            return (name, source)
        }
    }
}

extension ModbusInterface {
    /// The interface with every model moved to its place on the device; what has none, or lies
    /// beyond the end of the device's edition of the model, is nowhere.
    func placed(
        at places: [Int: SunSpecModels.Place], from table: SunSpecModels
    ) -> ModbusInterface {
        let bases = places.keys.reduce(into: [:]) { $0[$1] = table.virtualBase(of: $1) }
        func placed(_ source: RegisterSource) -> RegisterSource {
            guard let model = source.model else { return source }
            var source = source
            if let place = places[model], let base = bases[model],
                source.address - base + place.address + source.count <= min(place.end, 65_536)
            {
                source.address += place.address - base
            } else {
                source.isUnplaced = true
            }
            return source
        }
        var copy = self
        for index in copy.identify.indices {
            copy.identify[index].source = placed(copy.identify[index].source)
        }
        for index in copy.points.indices {
            switch copy.points[index].origin {
            case .register(let source): copy.points[index].origin = .register(placed(source))
            case .sum(let parts):
                copy.points[index].origin = .sum(
                    parts.map { .init(source: placed($0.source), scale: $0.scale) })
            default: break
            }
            if case .power10(let source, let sign, let bias) = copy.points[index].scale {
                copy.points[index].scale = .power10(placed(source), sign: sign, bias: bias)
            }
        }
        return copy
    }
}
