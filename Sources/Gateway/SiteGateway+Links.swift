import Acquisition
import DeviceProfiles
import FieldLinks
import ServiceLifecycle
import Store
import Telemetry

extension SiteGateway {
    /// The service that reads one link.
    func acquisition(
        _ link: BoundSite.Link, _ dialIns: DialIns, _ latest: [Int: LatestReading]
    ) async throws -> any Service {
        let clock = LinkClock(surroundings.clock)
        let events = EventLog(logger: surroundings.logger)
        switch link {
        case .bus(let link, let address, let units):
            let commands = units.flatMap(\.commands)
            let acquisition = BusAcquisition(
                name: link.id,
                link: BusLink(
                    address.place, isShared: units.contains { $0.binding.modbus == nil },
                    believesAnyUnit: address.believesAnyUnit,
                    grants: Set(commands.flatMap(\.grants)),
                    dialIn: dialIns.port(of: address.place),
                    stackSize: site.links.count > 64 ? 64 * 1024 : 256 * 1024),
                devices: units.map { unit in
                    let groups = registered(unit.binding.groups)
                    return switch unit.binding {
                    case .modbus(let binding):
                        BusAcquisition.Device(
                            unit: UInt8(clamping: unit.unit), binding: binding, groups: groups,
                            checksIdentity: unit.device.checksIdentity)
                    case .meter(let binding):
                        BusAcquisition.Device(meter: binding, groups: groups)
                    }
                }, commands: commands,
                lastValues: lastCounts(of: units.flatMap { registered($0.binding.groups) }, latest),
                sink: ingestion, clock: clock, wallClock: surroundings.wallClock, status: status,
                onEvent: { [orders] event in
                    events.acquisition(event)
                    orders.note(event)
                })
            buses.add(acquisition, for: units.map(\.device.id))
            return Running(start: { await acquisition.run() }, stop: { acquisition.stop() })
        case .hj212(let link, let hj212, let stations):
            return try await stationService(link, hj212, stations)
        case .mqtt(let link, let mqtt, let devices):
            let options = mqtt.linkOptions
            let acquisition = try MQTTAcquisition(
                name: link.id,
                endpoint: mqtt.broker.connection(
                    clientID: "plumbline-\(site.configuration.site.id)-\(link.id)"),
                devices: devices.compactMap { device in
                    registered([device.binding.group]).first.map {
                        MQTTAcquisition.Device(binding: device.binding, group: $0)
                    }
                },
                options: options, sink: ingestion, clock: clock,
                wallClock: surroundings.wallClock, status: status,
                recentDeliveries: try await store.reader.recentDeliveries(
                    link: link.id, limit: options.redeliveries),
                mayAskForBirths: mqtt.rebirth, onEvent: { events.acquisition($0) })
            return Running(start: { await acquisition.run() }, stop: { acquisition.stop() })
        }
    }

    private func stationService(
        _ link: SiteConfiguration.Link, _ hj212: SiteConfiguration.HJ212,
        _ stations: [BoundSite.HJ212Station]
    ) async throws -> any Service {
        let events = EventLog(logger: surroundings.logger)
        let devices = stations.compactMap { station in
            registered([station.binding.group]).first.map {
                HJ212Acquisition.Device(binding: station.binding, group: $0)
            }
        }
        var options = HJ212Acquisition.Options()
        options.backfillAfter = hj212.historyAfter
        options.password = try hj212.password?.read(hj212.passwordLocation)
        let acquisition = HJ212Acquisition(
            name: link.id,
            listener: try HJ212Listener(
                host: hj212.listen.host, port: hj212.listen.port,
                options: hj212.options(checksums: HJ212Acquisition.checksums(devices)),
                clock: LinkClock(surroundings.clock)),
            devices: devices, options: options, sink: ingestion,
            wallClock: surroundings.wallClock, status: status,
            recentDeliveries: try await store.reader.recentDeliveries(
                link: link.id, limit: options.memory),
            onEvent: { events.acquisition($0) })
        return Running(start: { await acquisition.run() }, stop: { acquisition.stop() })
    }

    /// Where the counters of `groups` stood last, by the number of the series.
    private func lastCounts(
        of groups: [ScanGroup], _ latest: [Int: LatestReading]
    ) -> [Int: Double] {
        var counts: [Int: Double] = [:]
        for series in groups.flatMap(\.series) where series.counter != nil {
            counts[series.number] = latest[series.number]?.goodValue?.number
        }
        return counts
    }

    /// The same groups with the numbers that the store has given them, in the same order.
    func registered(_ groups: [ScanGroup]) -> [ScanGroup] {
        groups.compactMap { group in self.groups.first { $0.scope == group.scope } }
    }
}
