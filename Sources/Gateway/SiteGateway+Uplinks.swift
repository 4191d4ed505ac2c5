import Delivery
import FieldLinks
import LocatedText
import Logging
import ServiceLifecycle
import Store
import Telemetry
import UplinkFormats
import WebAPI

extension SiteGateway {
    /// The connections to the platforms, and a loop for each.
    func uplinks() async throws -> [any Service] {
        let configuration = site.configuration
        let plans = configuration.uplinkPlans(of: groups, units: site.units)
        var connections: [any Service] = []
        var loops: [any Service] = []
        for (uplink, plan) in zip(configuration.uplinks, plans) {
            let settings = try await store.reader.platformSettings(of: uplink.id)
            let live = LivePlan(
                plan, selections: selections, owesBoot: uplink.way.tellsStarts)
            for setting in settings { live.apply(setting) }
            let (transport, connection) = try way(to: uplink, live, settings)
            connections.append(connection)
            loops.append(
                Reporting(
                    live: live, store: store, transport: transport, calendar: site.calendar,
                    clock: surroundings.clock, wallClock: surroundings.wallClock,
                    policy: uplink.pace.policy, correctionSpacing: uplink.correctionSpacing,
                    tellsReasons: uplink.way.tellsReasons,
                    logger: surroundings.logger, live: unstored.items))
        }
        return connections + loops
    }

    private func way(
        to uplink: SiteConfiguration.Uplink, _ live: LivePlan, _ settings: [PlatformSetting]
    ) throws -> (any UplinkTransport, any Service) {
        let events = EventLog(logger: surroundings.logger)
        switch uplink.way {
        case .mqtt(let broker, let topic, let format):
            let publisher = try MQTTPublisher(
                broker.connection(
                    clientID: "plumbline-\(site.configuration.site.id)-uplink-\(uplink.id)"),
                clock: LinkClock(surroundings.clock), onEvent: { events.uplink(uplink.id, $0) })
            return (
                MQTTUplinkTransport(
                    publisher: publisher, topicPrefix: topic, format: format,
                    calendar: site.calendar),
                Running(start: { await publisher.run() }, stop: { publisher.stop() })
            )
        case .http(let address, let format):
            let poster = try address.tls.map { try HTTPPoster(tls: $0) } ?? HTTPPoster()
            var options = HTTPUplinkTransport.Options()
            options.token = try address.token?.read(address.location)
            options.signingSecret = try address.signingSecret?.read(address.location)
            options.compresses = address.compresses
            options.keyField = address.keyField
            return (
                HTTPUplinkTransport(
                    poster: poster, url: address.url, format: format, calendar: site.calendar,
                    wallClock: surroundings.wallClock, options: options),
                PosterService(poster: poster)
            )
        case .hj212(let hj212):
            return try line(
                to: uplink.id, hj212.endpoint, hj212.tls, live,
                HJ212Conversation(
                    hj212.readOptions(), stations: hj212.readStations(), calendar: site.calendar,
                    settings: settings))
        case .buildingEnergy(let energy):
            return try line(
                to: uplink.id, energy.endpoint, energy.tls, live,
                BuildingEnergyConversation(
                    energy.options(kind: live.plan.kinds.first ?? ""), calendar: site.calendar,
                    settings: settings))
        }
    }

    /// A connection on which one converses.
    private func line(
        to uplink: String, _ endpoint: SiteConfiguration.Endpoint, _ tls: MQTTEndpoint.TLS?,
        _ live: LivePlan, _ conversation: any UplinkConversation
    ) throws -> (any UplinkTransport, any Service) {
        let events = EventLog(logger: surroundings.logger)
        let (store, wallClock, logger) = (
            store, surroundings.wallClock, surroundings.logger
        )
        let transport = TCPUplinkTransport(
            try TCPUplinkTransport.Address(host: endpoint.host, port: endpoint.port, tls: tls),
            conversation: conversation, clock: LinkClock(surroundings.clock),
            wallClock: wallClock,
            history: StoredHistory(live: live, reader: store.reader, calendar: site.calendar),
            keep: { setting in
                do {
                    try await store.writer.keep(setting, of: uplink, at: wallClock.read().wall)
                } catch {
                    // It holds until the next start all the same.
                    logger.error(
                        "what the platform has set cannot be stored",
                        metadata: ["uplink": "\(uplink)", "error": "\(error)"])
                }
                live.apply(setting)
            }, onEvent: { events.uplink(uplink, $0) })
        return (
            transport,
            Running(start: { await transport.run() }, stop: { transport.stop() })
        )
    }
}

/// Lets go of a poster's connections when everything above it has stopped.
private struct PosterService: Service {
    let poster: HTTPPoster

    func run() async throws {
        try? await gracefulShutdown()
        await poster.shutDown()
    }
}

extension SiteConfiguration {
    /// The platforms as people are told of them.
    package var uplinkDescriptions: [UplinkDescription] {
        uplinks.map { uplink in
            let (address, format) = uplink.way.words
            return UplinkDescription(id: uplink.id, address: address, format: format)
        }
    }
}

extension SiteConfiguration.Uplink.Way {
    /// Where it leads and what is told there, without secrets.
    fileprivate var words: (address: String, format: String) {
        switch self {
        case .mqtt(let broker, let topic, let format):
            let scheme = broker.tls == nil ? "mqtt" : "mqtts"
            return (
                "\(scheme)://\(broker.endpoint.host):\(broker.endpoint.port)/\(topic)", format.name
            )
        case .http(let address, let format):
            // What stands behind '?' may be a key.
            return (String(address.url.prefix { $0 != "?" }), format.name)
        case .hj212(let hj212):
            let scheme = hj212.tls == nil ? "tcp" : "tls"
            return (
                "\(scheme)://\(hj212.endpoint.host):\(hj212.endpoint.port)",
                "HJ 212-\(hj212.options.edition.rawValue)"
            )
        case .buildingEnergy(let energy):
            let scheme = energy.tls == nil ? "tcp" : "tls"
            return (
                "\(scheme)://\(energy.endpoint.host):\(energy.endpoint.port)",
                "building-energy"
            )
        }
    }
}

extension SiteConfiguration.Uplink.Way {
    /// Whether the format says why readings are missing.
    fileprivate var tellsReasons: Bool {
        switch self {
        case .mqtt, .http: false
        case .hj212, .buildingEnergy: true
        }
    }

    /// Whether the platform is told of each start of the gateway.
    fileprivate var tellsStarts: Bool {
        if case .hj212(let hj212) = self { hj212.boot } else { false }
    }
}

extension SiteConfiguration.HJ212Uplink {
    /// The options with the password.
    fileprivate func readOptions() throws -> HJ212Options {
        var options = options
        options.password = try password.read(location)
        return options
    }

    /// The stations with their passwords.
    fileprivate func readStations() throws -> [HJ212Station] {
        try stations.map { station in
            var identity = station.identity
            identity.password = try station.password?.read(station.location)
            return identity
        }
    }
}

extension SiteConfiguration.EnergyUplink {
    /// The options with the secrets.
    fileprivate func options(kind: String) throws -> BuildingEnergyOptions {
        func key(_ secret: Secret) throws -> EnergyKey {
            if let key = EnergyKey(try secret.read(location)) { return key }
            throw Faults([
                Fault(
                    location, "a key of AES-128 has 32 hexadecimal digits, or 16 characters",
                    remedy: "write it into its file and nothing else")
            ])
        }
        var options = BuildingEnergyOptions(
            building: building, gateway: gateway, secret: try secret.read(location),
            cipher: EnergyCipher(key: try key(self.key), initialVector: try key(vector)),
            meters: Dictionary(
                meters.map { ($0.series, $0.point) }, uniquingKeysWith: { first, _ in first }),
            kind: kind, scope: scope, period: period)
        options.dialect = dialect
        options.patience = patience
        options.window = window
        options.longestFrame = longestFrame
        options.device = device
        options.obeys = obeys
        return options
    }
}

extension DeliveryPolicy {
    /// As platforms are tried.
    static let uplink: DeliveryPolicy = {
        var policy = DeliveryPolicy()
        policy.jitter = 0.5
        policy.tries = 5
        policy.needsTrustedTime = true
        return policy
    }()
}
