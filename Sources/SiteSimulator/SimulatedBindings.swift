import DeviceProfiles
import Telemetry

/// Every simulated device bound to its profile: the one place where the world meets the wire.
package struct SimulatedBindings: Sendable {
    /// A scan group's way from values through the wire to readings.
    enum Source: Sendable {
        case modbus(ModbusBinding, group: Int, requests: [RegisterRequest], keys: [PointKey])
        case mqtt(MQTTBinding)

        /// What the gateway would read if the device held `values` at `time`.
        func readings(_ values: [PointKey: Value], _ time: Timestamp) -> [Reading] {
            switch self {
            case .modbus(let binding, let group, let requests, let keys):
                var asked: [PointKey: Value] = [:]
                asked.reserveCapacity(keys.count)
                for key in keys { asked[key] = values[key] }
                let image = binding.encode(asked)
                return binding.decode(
                    group: group, answers: requests.map(image.answer))
            case .mqtt(let binding):
                let decoding = binding.decode(
                    topic: binding.topic(), payload: binding.payload(values, at: time),
                    arrival: time)
                switch decoding {
                case .scan(_, _, let readings, _): return readings
                case .refused(let reason, _):
                    return binding.group.series.map { _ in .bad(reason) }
                }
            }
        }
    }

    private let modbus: [(device: SimulatedDevice, binding: ModbusBinding)]
    let mqttDevices: [(device: SimulatedDevice, binding: MQTTBinding)]
    private let namedInterfaces: [DeviceID: String]

    /// The links that are Modbus buses, in the order of the configuration.
    static let modbusLinks: [String] = SimulatedSite.devices.reduce(into: []) { links, device in
        if device.unit != nil, !links.contains(device.link) { links.append(device.link) }
    }

    /// - Throws: `missingProfile` or `unusableProfile`, for the first device that cannot be bound.
    package init(library: ProfileLibrary) throws(SimulationError) {
        var modbus: [(device: SimulatedDevice, binding: ModbusBinding)] = []
        var mqtt: [(device: SimulatedDevice, binding: MQTTBinding)] = []
        var named: [DeviceID: String] = [:]
        for device in SimulatedSite.devices {
            guard let profile = library[device.profile] else {
                throw .missingProfile(device: device.id.text, profile: device.profile)
            }
            let fitting = profile.interfaces(
                speaking: device.unit == nil ? .mqtt : .modbus)
            guard let interface = fitting.first else {
                throw .unusableProfile(
                    device: device.id.text, profile: device.profile,
                    reason: "it has no \(device.unit == nil ? "mqtt" : "modbus") interface")
            }
            if fitting.count > 1 { named[device.id] = interface }
            do {
                if let key = device.key {
                    let binding = try MQTTBinding(
                        profile: profile, interface: interface, parameters: device.parameters,
                        device: device.id, key: key)
                    mqtt.append((device, binding))
                } else {
                    let binding = try ModbusBinding(
                        profile: profile, interface: interface, parameters: device.parameters,
                        device: device.id)
                    modbus.append((device, binding))
                }
            } catch {
                throw .unusableProfile(
                    device: device.id.text, profile: device.profile, reason: "\(error)")
            }
        }
        self.modbus = modbus
        mqttDevices = mqtt
        namedInterfaces = named
    }

    /// All scan groups of the site, not yet numbered, in the order of the devices.
    package var groups: [ScanGroup] {
        modbus.flatMap(\.binding.groups) + mqttDevices.map(\.binding.group)
    }

    /// The binding of a device on a bus; nil for others.
    package func modbus(_ device: DeviceID) -> ModbusBinding? {
        modbus.first { $0.device.id == device }?.binding
    }

    /// The binding of a device behind the broker; nil for others.
    package func mqtt(_ device: DeviceID) -> MQTTBinding? {
        mqttDevices.first { $0.device.id == device }?.binding
    }

    func modbusDevices(on link: String) -> [(device: SimulatedDevice, binding: ModbusBinding)] {
        modbus.filter { $0.device.link == link }
    }

    /// The interface that a configuration has to name, nil where the link's protocol fits only one.
    func namedInterface(of device: DeviceID) -> String? { namedInterfaces[device] }

    /// Where a registered group's readings come from; nil when it is no group of the simulation.
    func source(of group: ScanGroup) throws(SimulationError) -> Source? {
        let own: ScanGroup
        let source: Source
        if let binding = modbus(group.device) {
            guard let index = binding.groups.firstIndex(where: { $0.scope == group.scope }) else {
                return nil
            }
            own = binding.groups[index]
            source = .modbus(
                binding, group: index, requests: binding.requests(group: index),
                keys: own.series.map(\.id.point))
        } else if let binding = mqtt(group.device), binding.group.scope == group.scope {
            own = binding.group
            source = .mqtt(binding)
        } else {
            return nil
        }
        guard own.series.map(\.id) == group.series.map(\.id) else {
            throw .foreignGroup(
                scope: group.scope, reason: "its series differ from those of the profile")
        }
        return source
    }
}
