import DeviceProfiles
import FieldLinks
import Telemetry

/// A simulated site on real wires: a Modbus TCP server for each bus, an MQTT client for each device
/// behind the broker. What they say comes from the site and the wall clock, how from the profiles.
///
/// Used once: `start`, `run`, `stop`. When `run` has returned, every thread, socket and connection
/// of the simulation is gone.
package actor SiteSimulation {
    /// Which ports the Modbus servers take.
    package enum ModbusPorts: Hashable, Sendable {
        case free
        /// This one for the first link, the next for the second, and so on.
        case from(Int)
    }

    package nonisolated let site: SimulatedSite
    private let bindings: SimulatedBindings
    private let broker: SimulatedEndpoints.Broker?
    private let ports: ModbusPorts
    private let period: Duration?
    private let clock: LinkClock
    private let wallClock: any WallClock
    private let faults = FaultBoard()
    private let stopping: AsyncStream<Never>
    private nonisolated let stopped: AsyncStream<Never>.Continuation
    private var servers: [ModbusServer] = []
    private var publishers: [SimulatedPublisher] = []

    /// - Parameters:
    ///   - broker: nil leaves the devices that publish out.
    ///   - period: replaces the period at which the profiles say that devices report.
    ///   - clock: waits between two messages.
    ///   - wallClock: the instant for which values are asked.
    /// - Throws: when the library lacks a profile or one does not fit.
    package init(
        site: SimulatedSite, library: ProfileLibrary, broker: SimulatedEndpoints.Broker?,
        ports: ModbusPorts = .free, publishEvery period: Duration? = nil,
        clock: some Clock<Duration>, wallClock: any WallClock
    ) throws(SimulationError) {
        self.site = site
        bindings = try SimulatedBindings(library: library)
        self.broker = broker
        self.ports = ports
        self.period = period
        self.clock = LinkClock(clock)
        self.wallClock = wallClock
        (stopping, stopped) = AsyncStream<Never>.makeStream()
    }

    /// Makes a device misbehave from the next request or message on; nil heals it.
    package nonisolated func set(fault: SimulationFault?, for device: DeviceID) {
        faults[device] = fault
    }

    /// Opens the servers' ports and tells where every device is; nothing answers before `run`.
    ///
    /// - Throws: `SimulationError` when a port is taken, `DescriptorBudgetError` when the process
    ///   has no descriptors left.
    package func start() async throws -> SimulatedEndpoints {
        do {
            return try open()
        } catch {
            // What was opened before the fault is closed again.
            servers = []
            publishers = []
            throw error
        }
    }

    private func open() throws -> SimulatedEndpoints {
        var endpoints = SimulatedEndpoints()
        endpoints.broker = broker
        for (index, link) in SimulatedBindings.modbusLinks.enumerated() {
            var units: [Int: ModbusServer.Unit] = [:]
            for (device, binding) in bindings.modbusDevices(on: link) {
                units[device.unit ?? 0] = unit(device.id, binding)
            }
            var port = 0
            if case .from(let first) = ports { port = first + index }
            let server = try ModbusServer(name: link, port: port, units: units, faults: faults)
            servers.append(server)
            endpoints.modbusPorts[link] = server.port
            for (number, unit) in units {
                endpoints.devices[unit.device] = .modbus(
                    host: "127.0.0.1", port: server.port, unit: number)
            }
        }
        guard let broker else { return endpoints }
        for (device, binding) in bindings.mqttDevices {
            publishers.append(
                try SimulatedPublisher(
                    site: site, device: device, binding: binding, broker: broker,
                    period: period, faults: faults, clock: clock, wallClock: wallClock))
            endpoints.devices[device.id] = .mqtt(
                host: broker.host, port: broker.port, topic: binding.topic(),
                key: device.key ?? "")
        }
        return endpoints
    }

    /// Answers and publishes until `stop`, or until the task is cancelled.
    package func run() async {
        let (servers, publishers, stopping) = (servers, publishers, stopping)
        await withTaskGroup(of: Void.self) { group in
            for server in servers { group.addTask { await server.serve() } }
            for publisher in publishers { group.addTask { await publisher.run() } }
            // The stream never yields; it ends by `stop` and by cancellation alike.
            for await _ in stopping {}
            for server in servers { server.stop() }
            group.cancelAll()
        }
        self.servers = []
        self.publishers = []
    }

    /// Ends `run` within moments; a `run` that comes later returns at once.
    package nonisolated func stop() { stopped.finish() }

    private func unit(_ device: DeviceID, _ binding: ModbusBinding) -> ModbusServer.Unit {
        ModbusServer.Unit(
            device: device,
            readable: binding.groups.indices.flatMap { binding.requests(group: $0) },
            image: { [site, faults, wallClock] in
                var instant = wallClock.read().wall
                if case .frozen(let at) = faults[device] { instant = at }
                return binding.encode(site.values(of: device, at: instant))
            })
    }
}
