import Acquisition
import DeviceProfiles
import FieldLinks
import LocatedText
import Telemetry

/// What a bus needs beside its devices' profiles.
extension BoundSite {
    /// The address with the line settings of the first device's profile where it says none.
    static func completed(
        _ address: BusAddress, _ link: SiteConfiguration.Link, _ library: ProfileLibrary
    ) -> BusAddress {
        for device in link.devices {
            guard let profile = library[device.profile] else { continue }
            for (name, interface) in profile.interfaces.sorted(by: { $0.key < $1.key })
            where device.interface == nil || device.interface == name {
                let serial: ModbusInterface.SerialLine?
                switch interface {
                case .modbus(let modbus): serial = modbus.serial
                case .meter(let meter): serial = meter.serial
                default: serial = nil
                }
                guard let serial else { continue }
                return address.completed(
                    baud: serial.baud, dataBits: serial.dataBits, parity: serial.parity,
                    stopBits: serial.stopBits)
            }
        }
        return address
    }

    /// A meter of DL/T 645 or CJ/T 188: found by the address on its face.
    static func meter(
        _ device: SiteConfiguration.Device, _ profile: DeviceProfile, _ interface: String,
        _ faults: FaultCollector
    ) throws(BindingError) -> BusUnit? {
        guard let key = device.key else {
            faults.add(
                device.location, "'key' is missing: the meter's address",
                remedy: "add 'key: \"…\"' with the digits from the meter's face, in quotes")
            return nil
        }
        for (name, isGiven) in [
            ("unit", device.unit != nil), ("commands", !device.commands.isEmpty),
        ]
        where isGiven {
            faults.add(device.location, "a meter of this protocol has no '\(name)'")
        }
        let binding = try MeterBinding(
            profile: profile, interface: interface, parameters: device.parameters,
            device: device.id, key: key)
        return BusUnit(device: device, unit: 0, binding: .meter(binding), commands: [])
    }

    /// The commands that the site grants; each must be one of the profile's.
    static func commands(
        of device: SiteConfiguration.Device, _ binding: ModbusBinding, unit: Int,
        _ faults: FaultCollector
    ) -> [DeviceCommand] {
        device.commands.compactMap { key in
            if let command = binding.command(key, unit: UInt8(clamping: unit)), unit != 0 {
                return command
            }
            let known = binding.interface.commands.map(\.key.text)
            let near = Spelling.nearest(to: key.text, among: known)
            faults.add(
                device.location, "'\(device.profile)' has no command '\(key)'",
                remedy: near.map { "did you mean '\($0)'?" }
                    ?? (known.isEmpty
                        ? "the profile describes no writes"
                        : "one of \(known.joined(separator: ", "))"))
            return nil
        }
    }

    /// Refuses a bus that is asked for more than its line can carry at the very best.
    static func checkLoad(
        _ units: [BusUnit], _ address: BusAddress, _ link: SiteConfiguration.Link,
        _ faults: FaultCollector
    ) {
        let load = BusLoad(units.map(\.binding), line: address.line)
        guard load.least > 1, let line = address.line else { return }
        let dearest = load.groups.max {
            Double($0.least.milliseconds)
                / Double(max(1, ($0.group.period ?? .seconds(60)).milliseconds))
                < Double($1.least.milliseconds)
                / Double(max(1, ($1.group.period ?? .seconds(60)).milliseconds))
        }
        faults.add(
            link.location,
            "the bus '\(link.id)' is asked for \(Int((load.least * 100).rounded(.up))) % of what "
                + "\(line.settings) can carry, the devices' own time not counted",
            remedy: "poll more rarely, raise the baud rate, or give some devices a bus of their own"
                + (dearest.map { "; the dearest group is \($0.group.scope)" } ?? ""))
    }

    /// Serial servers that call one port are told apart by what they say first, and by nothing else.
    static func checkCallers(_ links: [Link], _ faults: FaultCollector) {
        var seen: [String: [String?]] = [:]
        for link in links {
            guard case .bus(let link, let address, _) = link,
                case .dialIn(let caller) = address.place
            else { continue }
            let port = "\(caller.host):\(caller.port)"
            let others = seen[port, default: []]
            seen[port, default: []].append(caller.registration)
            if others.contains(caller.registration) || others.contains(nil)
                || (caller.registration == nil && !others.isEmpty)
            {
                faults.add(
                    link.location,
                    "the bus '\(link.id)' cannot be told from another one that calls \(port)",
                    remedy: "write 'registration=…' with the text that each serial server sends "
                        + "first, or give it a port of its own")
            }
        }
    }

    /// Only where one unit stands alone may an answer of any unit be its own.
    static func checkAnswers(
        _ units: [BusUnit], _ address: BusAddress, _ link: SiteConfiguration.Link,
        _ faults: FaultCollector
    ) {
        guard address.believesAnyUnit, Set(units.map(\.unit)).count > 1 else { return }
        faults.add(
            link.location, "'answers=any_unit' is for one unit, and '\(link.id)' has several",
            remedy: "leave it out: their values could not be told apart")
    }

    /// Two devices of one profile cannot share a unit id; an inverter and the meter behind it may. No
    /// two meters have one address.
    static func checkUnits(_ units: [BusUnit], _ faults: FaultCollector) {
        struct Unit: Hashable {
            var number: Int
            var profile: String
        }
        var modbus: [Unit: SiteConfiguration.Device] = [:]
        var meters: [String: SiteConfiguration.Device] = [:]
        for unit in units {
            switch unit.binding {
            case .modbus:
                let place = Unit(number: unit.unit, profile: unit.device.profile)
                guard let other = modbus.updateValue(unit.device, forKey: place) else { continue }
                faults.add(
                    unit.device.location,
                    "'\(unit.device.id)' and '\(other.id)' are both unit \(unit.unit) of one bus",
                    remedy: "give each its own 'unit:'")
            case .meter:
                let key = unit.device.key ?? ""
                guard let other = meters.updateValue(unit.device, forKey: key) else { continue }
                faults.add(
                    unit.device.location,
                    "'\(unit.device.id)' and '\(other.id)' are the same meter, "
                        + "'\(key)', of one bus",
                    remedy: "give each the address from its own face as 'key:'")
            }
        }
    }
}

/// What one bus is asked for, for `check`.
package struct BusDemand: Sendable {
    package var link: String
    /// `9600 8N1`, or `TCP`.
    package var line: String
    package var requests: Int
    /// Seconds that all groups take, one after the other, with 20 ms for a unit to think on a line and
    /// 3 ms on a network.
    package var cycle: Double
    /// Of the bus's time; above 1 slots are missed.
    package var share: Double
}

extension BoundSite {
    /// The load of every bus, in the order of the configuration.
    package var busLoads: [BusDemand] {
        links.compactMap { link in
            guard case .bus(let link, let address, let units) = link else { return nil }
            let load = BusLoad(units.map(\.binding), line: address.line)
            return BusDemand(
                link: link.id, line: address.line?.settings ?? "TCP",
                requests: load.groups.reduce(0) { $0 + $1.requests },
                cycle: load.cycle / .seconds(1), share: load.expected)
        }
    }
}
