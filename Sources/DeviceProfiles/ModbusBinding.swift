import Telemetry

/// What came back for one request of the read plan.
package enum RegisterAnswer: Hashable, Sendable {
    case registers([UInt16])
    case bits([Bool])
    case bad(BadReason)
}

/// A profile's Modbus interface bound to one device with its parameters.
package struct ModbusBinding: Sendable {
    /// The device's interface as the profile describes it.
    package let interface: ModbusInterface
    /// One per poll class, in order of name; series in order of key.
    package let groups: [ScanGroup]
    private let plans: [[RegisterRequest]]
    private let points: [[RegisterPoint]]

    /// The longest wait for an answer.
    package var responseTimeout: Duration { interface.limits.responseTimeout }
    /// The pause between an answer and the next request.
    package var quietTime: Duration { interface.limits.quietTime }
    /// The unit identifier that the vendor ships.
    package var defaultUnit: Int { interface.unit }
    package var tcpPort: Int { interface.tcp?.port ?? 502 }
    /// The pause between connecting and the first request.
    package var afterConnect: Duration { interface.tcp?.afterConnect ?? .zero }

    /// - Parameter parameters: what the installer said; the profile's defaults fill the rest.
    package init(
        profile: DeviceProfile, interface name: String, parameters: [String: Double] = [:],
        device: DeviceID
    ) throws(BindingError) {
        let found = try profile.find(name)
        guard case .modbus(let interface) = found else {
            throw .wrongProtocol(interface: name, is: found.fieldProtocol, wanted: .modbus)
        }
        self.interface = interface
        let resolved = try profile.resolve(parameters)
        var groups: [ScanGroup] = []
        var plans: [[RegisterRequest]] = []
        var points: [[RegisterPoint]] = []
        let kept = interface.points.filter { !$0.isPersonal }.sorted { $0.key < $1.key }
        for (poll, period) in interface.polls.sorted(by: { $0.key < $1.key }) {
            let members = kept.filter { $0.poll == poll }
            guard !members.isEmpty else { continue }
            let plan = ReadPlan.requests(
                for: members.flatMap { point in
                    point.registerSources.map { ($0, point.isAlone) }
                }, of: interface)
            groups.append(
                ScanGroup(
                    device: device, interface: name, name: poll,
                    series: members.map { $0.series(of: device, parameters: resolved) },
                    period: period, isPolled: true))
            plans.append(plan)
            points.append(
                members.map { RegisterPoint($0, plan: plan, parameters: resolved) })
        }
        self.groups = groups
        self.plans = plans
        self.points = points
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
        case .json: break
        }
        if case .power10(let source, _, _) = scale { sources.append(source) }
        return sources
    }

    /// The series that this point becomes on one device.
    func series(of device: DeviceID, parameters: [String: Double]) -> Series {
        var policy = counter
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
