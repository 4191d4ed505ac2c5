import Delivery
import FieldLinks
import LocatedText
import ServiceLifecycle
import Telemetry
import UplinkFormats

/// Makes the way to a platform from its configuration: what carries items there, and the service
/// that keeps its connection.
struct UplinkConnector: Sendable {
    let site: BoundSite
    let clock: any Clock<Duration> & Sendable
    let wallClock: any WallClock
    /// Answers what a platform asks of the past.
    let history: any UplinkHistory
    /// Stores what a platform sets.
    let keep: @Sendable (PlatformSetting) async -> Void
    let onEvent: @Sendable (UplinkEvent) -> Void
    /// Whether this is a trial beside a gateway that may be running: the platform has to tell them
    /// apart where it can, and is asked for an answer where it may.
    var isTrial = false

    /// - Parameters:
    ///   - kind: what a conversation that knows one kind of item tells.
    ///   - settings: what the platform has set before.
    /// - Throws: `Faults` for a secret, key or certificate that cannot be read.
    func way(
        to uplink: SiteConfiguration.Uplink, kind: String, _ settings: [PlatformSetting]
    ) throws -> (any UplinkTransport, any Service) {
        let (onEvent, isTrial) = (onEvent, isTrial)
        let onNote: @Sendable (ConversationNote) -> Void = { if isTrial { onEvent(.note($0)) } }
        switch uplink.way {
        case .mqtt(let broker, let topic, let format, let tellsStatus):
            // Whoever tries a way out is not the gateway that is there or has gone.
            let presence =
                tellsStatus && !isTrial
                ? MQTTUplinkTransport.presence(
                    topicPrefix: topic, calendar: site.calendar, wallClock: wallClock) : nil
            let publisher = try publisher(uplink, broker, presence)
            return (
                MQTTUplinkTransport(
                    publisher: publisher, topicPrefix: topic, format: format,
                    calendar: site.calendar, clock: LinkClock(clock), onNote: onNote),
                Running(start: { await publisher.run() }, stop: { publisher.stop() })
            )
        case .sparkplug(let broker, let identity):
            let station = SparkplugStation(
                identity, clock: LinkClock(clock), wallClock: wallClock, settings: settings)
            let publisher = try publisher(uplink, broker, isTrial ? nil : station.presence)
            return (
                SparkplugUplinkTransport(
                    publisher: publisher, station: station, clock: LinkClock(clock), keep: keep),
                Running(start: { await publisher.run() }, stop: { publisher.stop() })
            )
        case .http(let address, let format):
            let poster = try address.tls.map { try HTTPPoster(tls: $0) } ?? HTTPPoster()
            var options = HTTPUplinkTransport.Options()
            options.token = try address.token?.read(address.location)
            options.signingSecret = try address.signingSecret?.read(address.location)
            options.compresses = address.compresses
            options.keyField = address.keyField
            options.onNote = onNote
            return (
                HTTPUplinkTransport(
                    poster: poster, url: address.url, format: format, calendar: site.calendar,
                    wallClock: wallClock, options: options),
                PosterService(poster: poster)
            )
        case .hj212(let hj212):
            var options = try hj212.readOptions()
            // The one thing that a station may ask and that changes nothing (1013).
            if isTrial { options.asksForTime = true }
            return try line(
                hj212.endpoint, hj212.tls,
                HJ212Conversation(
                    options, stations: hj212.readStations(), calendar: site.calendar,
                    settings: settings))
        case .buildingEnergy(let energy):
            return try line(
                energy.endpoint, energy.tls,
                BuildingEnergyConversation(
                    energy.options(kind: kind), calendar: site.calendar, settings: settings))
        }
    }

    private func publisher(
        _ uplink: SiteConfiguration.Uplink, _ broker: SiteConfiguration.Broker,
        _ presence: MQTTPresence?
    ) throws -> MQTTPublisher {
        let onEvent = onEvent
        // Of two clients with one name a broker throws out the first.
        let client =
            "plumbline-\(site.configuration.site.id)-uplink-\(uplink.id)"
            + (isTrial ? "-check" : "")
        return try MQTTPublisher(
            broker.connection(clientID: client), presence: presence ?? MQTTPresence(),
            clock: LinkClock(clock),
            onEvent: { if let event = UplinkEvent($0) { onEvent(event) } })
    }

    /// A connection on which one converses.
    private func line(
        _ endpoint: SiteConfiguration.Endpoint, _ tls: MQTTEndpoint.TLS?,
        _ conversation: any UplinkConversation
    ) throws -> (any UplinkTransport, any Service) {
        let transport = TCPUplinkTransport(
            try TCPUplinkTransport.Address(host: endpoint.host, port: endpoint.port, tls: tls),
            conversation: conversation, clock: LinkClock(clock), wallClock: wallClock,
            history: history, keep: keep, onEvent: onEvent)
        return (
            transport,
            Running(start: { await transport.run() }, stop: { transport.stop() })
        )
    }
}

extension UplinkEvent {
    /// What a publisher tells; nil for what only subscribers have.
    init?(_ event: MQTTLinkEvent) {
        switch event {
        case .connected: self = .connected
        case .disconnected(let error): self = .disconnected(reason: "\(error)")
        case .subscriptionRefused, .sessionLost, .subscriptionLost, .probeOff: return nil
        }
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
