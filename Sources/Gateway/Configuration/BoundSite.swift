import Acquisition
import Alarms
import DeviceProfiles
import FieldLinks
import LocatedText
import Telemetry

/// A configuration whose devices have found their profiles: what is polled, what is subscribed.
package struct BoundSite: Sendable {
    /// A device on a bus, and how its registers are read.
    package struct BusUnit: Sendable {
        package var device: SiteConfiguration.Device
        /// 0 for meters, which have addresses of their own.
        package var unit: Int
        package var binding: BusBinding
        /// What may be written.
        package var commands: [DeviceCommand]
    }

    /// A device that publishes, and how its messages are read.
    package struct MQTTDevice: Sendable {
        package var device: SiteConfiguration.Device
        package var binding: MQTTBinding
    }

    /// A station that reports by HJ 212, and how its packets are read.
    package struct HJ212Station: Sendable {
        package var device: SiteConfiguration.Device
        package var binding: HJ212Binding
    }

    /// One link with the devices on it.
    package enum Link: Sendable {
        case bus(SiteConfiguration.Link, BusAddress, [BusUnit])
        case mqtt(SiteConfiguration.Link, SiteConfiguration.MQTT, [MQTTDevice])
        case hj212(SiteConfiguration.Link, SiteConfiguration.HJ212, [HJ212Station])
    }

    package var configuration: SiteConfiguration
    package var calendar: SiteCalendar
    package var links: [Link]
    /// What each device is, as its profile says.
    package private(set) var kinds: [DeviceID: String] = [:]
    /// The units of the vocabulary by their symbols.
    package private(set) var units: [String: Unit] = [:]
    /// Devices that rules pass by; no mistakes, but worth knowing.
    package private(set) var alarmRemarks: [Fault] = []

    /// Every scan group of the site, not yet numbered by a store.
    package var groups: [ScanGroup] {
        links.flatMap { link in
            switch link {
            case .bus(let link, _, let units):
                units.flatMap { $0.binding.groups.map { Self.late($0, link) } }
            case .mqtt(let link, _, let devices):
                devices.map { Self.late($0.binding.group, link) }
            case .hj212(let link, _, let stations):
                stations.map { Self.late($0.binding.group, link) }
            }
        }
    }

    private static func late(_ group: ScanGroup, _ link: SiteConfiguration.Link) -> ScanGroup {
        var group = group
        group.lateness = link.lateness ?? group.lateness
        return group
    }

    /// Finds each device's profile and interface, and checks rules and meters against the points.
    ///
    /// - Parameter faults: takes every mistake; the result is good only if it stays empty.
    /// - Returns: nil when the time zone is not known.
    package init?(
        _ configuration: SiteConfiguration, library: ProfileLibrary, faults: FaultCollector
    ) {
        self.configuration = configuration
        guard let calendar = SiteCalendar(systemZone: configuration.site.timezone) else {
            return nil
        }
        self.calendar = calendar
        links = []
        units = library.vocabulary.units
        for device in configuration.links.flatMap(\.devices) {
            if Self.ownDevices.contains(device.id) {
                faults.add(
                    device.location, "'\(device.id)' is a name that the gateway itself uses",
                    remedy: "give the device another name")
            }
            kinds[device.id] = library[device.profile]?.kind
        }
        var alike: [String: ModbusBinding] = [:]
        for link in configuration.links {
            Self.checkPersonal(link, faults)
            switch link.transport {
            case .bus(let address):
                let address = Self.completed(address, link, library)
                let units = link.devices.compactMap {
                    Self.unit($0, address, library, faults, &alike)
                }
                Self.checkLoad(units, address, link, faults)
                Self.checkUnits(units, faults)
                Self.checkAnswers(units, address, link, faults)
                links.append(.bus(link, address, units))
            case .mqtt(let mqtt):
                let devices = link.devices.compactMap { Self.subscriber($0, library, faults) }
                links.append(.mqtt(link, mqtt, devices))
            case .hj212(let hj212):
                links.append(.hj212(link, hj212, Self.stations(link, hj212, library, faults)))
            }
        }
        Self.checkCallers(links, faults)
        Self.checkSprays(configuration.sprays, links, faults)
        let series = groups.flatMap(\.series)
        faults.add(Faults(configuration.energy.tree.bindingFaults(series: series)))
        self.configuration.bindTemplates(library.vocabulary, faults)
        self.configuration.checkUplinks(series, units: units, faults)
        if let outdoor = configuration.energy.outdoor {
            faults.add(Faults(outdoor.bindingFaults(series: series)))
        }
        self.configuration.evidence = Self.evidence(
            configuration.evidence, series, units, faults)
        let alarms = AlarmMachine(
            rules: configuration.alarms, site: alarmSite(groups: groups + ownGroups))
        faults.add(Faults(alarms.bindingFaults))
        alarmRemarks = alarms.bindingRemarks
    }

    /// - Parameter alike: the last binding of each profile, which the next ones share with.
    private static func unit(
        _ device: SiteConfiguration.Device, _ address: BusAddress, _ library: ProfileLibrary,
        _ faults: FaultCollector, _ alike: inout [String: ModbusBinding]
    ) -> BusUnit? {
        guard
            let (profile, interface) = interface(
                of: device, protocols: address.protocols, library, faults)
        else { return nil }
        do {
            if case .meter? = profile.interfaces[interface] {
                return try meter(device, profile, interface, faults)
            }
            var binding = try ModbusBinding(
                profile: profile, interface: interface, parameters: device.parameters,
                device: device.id, like: alike[profile.id])
            if let line = address.line {
                binding = try ModbusBinding(
                    profile: profile, interface: interface, parameters: device.parameters,
                    device: device.id, cost: RequestCost(line, quietTime: binding.quietTime),
                    like: alike[profile.id])
            }
            alike[profile.id] = binding
            let unit = device.unit ?? binding.defaultUnit
            return BusUnit(
                device: device, unit: unit, binding: .modbus(binding),
                commands: commands(of: device, binding, unit: unit, faults))
        } catch {
            faults.add(device.location, "\(error)")
            return nil
        }
    }

    private static func stations(
        _ link: SiteConfiguration.Link, _ hj212: SiteConfiguration.HJ212,
        _ library: ProfileLibrary, _ faults: FaultCollector
    ) -> [HJ212Station] {
        var keys: [String: DeviceID] = [:]
        return link.devices.compactMap { device in
            guard
                let (profile, interface) = interface(
                    of: device, protocols: [.hj212], library, faults)
            else { return nil }
            guard let key = device.key else {
                faults.add(
                    device.location, "'key' is missing: the station's MN",
                    remedy: "add 'key: \"…\"' as the station sends it")
                return nil
            }
            if let other = keys.updateValue(device.id, forKey: key) {
                faults.add(device.location, "'\(other)' has the MN '\(key)' too")
            }
            do {
                return HJ212Station(
                    device: device,
                    binding: try HJ212Binding(
                        profile: profile, interface: interface, parameters: device.parameters,
                        device: device.id, key: key, checksum: hj212.checksum))
            } catch {
                faults.add(device.location, "\(error)")
                return nil
            }
        }
    }

    private static func subscriber(
        _ device: SiteConfiguration.Device, _ library: ProfileLibrary, _ faults: FaultCollector
    ) -> MQTTDevice? {
        guard let (profile, interface) = interface(of: device, protocols: [.mqtt], library, faults)
        else { return nil }
        guard let key = device.key else {
            faults.add(
                device.location, "'key' is missing: the device's own name in its topic",
                remedy: "add 'key: …'")
            return nil
        }
        checkPersonal(device, profile, interface, faults)
        do {
            return MQTTDevice(
                device: device,
                binding: try MQTTBinding(
                    profile: profile, interface: interface, parameters: device.parameters,
                    device: device.id, key: key, personal: Set(device.personal)))
        } catch {
            faults.add(device.location, "\(error)")
            return nil
        }
    }

    private static func checkPersonal(_ link: SiteConfiguration.Link, _ faults: FaultCollector) {
        if case .mqtt = link.transport { return }
        for device in link.devices where !device.personal.isEmpty {
            faults.add(
                device.location, "'personal:' belongs to a device that publishes over MQTT",
                remedy: "remove it")
        }
    }

    /// Refuses to keep what the profile does not know as personal data.
    private static func checkPersonal(
        _ device: SiteConfiguration.Device, _ profile: DeviceProfile, _ interface: String,
        _ faults: FaultCollector
    ) {
        guard case .mqtt(let described)? = profile.interfaces[interface] else { return }
        let known = described.points.filter(\.isPersonal).map(\.key.text)
        for point in device.personal where !known.contains(point.text) {
            faults.add(
                device.location, "'\(profile.id)' has no personal point '\(point)'",
                remedy: known.isEmpty
                    ? "remove 'personal:'" : "it has: \(known.sorted().joined(separator: ", "))")
        }
    }

    /// The interface that speaks the link's protocol; named by the device where there are several.
    private static func interface(
        of device: SiteConfiguration.Device, protocols wanted: [FieldProtocol],
        _ library: ProfileLibrary,
        _ faults: FaultCollector
    ) -> (DeviceProfile, String)? {
        guard let profile = library[device.profile] else {
            let near = Spelling.nearest(to: device.profile, among: library.ids)
            faults.add(
                device.location, "there is no profile '\(device.profile)'",
                remedy: near.map { "did you mean '\($0)'?" }
                    ?? "the profiles are the files below Devices/")
            return nil
        }
        let name = wanted.map(\.rawValue).joined(separator: " or ")
        let fitting = wanted.flatMap { profile.interfaces(speaking: $0) }
        if let wanted = device.interface {
            if fitting.contains(wanted) { return (profile, wanted) }
            faults.add(
                device.location, "'\(profile.id)' has no \(name) interface '\(wanted)'",
                remedy: fitting.isEmpty ? nil : "it has: \(fitting.joined(separator: ", "))")
            return nil
        }
        if fitting.count == 1 { return (profile, fitting[0]) }
        faults.add(
            device.location,
            fitting.isEmpty
                ? "'\(profile.id)' does not speak \(name)"
                : "'\(profile.id)' has several \(name) interfaces",
            remedy: fitting.isEmpty
                ? "choose another profile or another link"
                : "add 'interface:', one of \(fitting.joined(separator: ", "))")
        return nil
    }
}
