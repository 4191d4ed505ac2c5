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
            let (transport, connection) = try connector(uplink.id, live).way(
                to: uplink, kind: live.plan.kinds.first ?? "", settings)
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

    private func connector(_ uplink: String, _ live: LivePlan) -> UplinkConnector {
        let (store, wallClock, logger) = (store, surroundings.wallClock, surroundings.logger)
        let events = EventLog(logger: logger)
        return UplinkConnector(
            site: site, clock: surroundings.clock, wallClock: wallClock,
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
    }
}

extension SiteConfiguration {
    /// The platforms as people are told of them.
    package var uplinkDescriptions: [UplinkDescription] {
        uplinks.map { uplink in
            let (address, format) = uplink.way.words
            return UplinkDescription(
                id: uplink.id, address: address, format: format, stations: uplink.way.stations)
        }
    }
}

extension SiteConfiguration.Uplink.Way {
    /// Where it leads and what is told there, without secrets.
    fileprivate var words: (address: String, format: String) {
        switch self {
        case .sparkplug(let broker, let node):
            let scheme = broker.tls == nil ? "mqtt" : "mqtts"
            return (
                "\(scheme)://\(broker.endpoint.host):\(broker.endpoint.port) \(node.group)/\(node.node)",
                "sparkplug-b"
            )
        case .mqtt(let broker, let topic, let format, _):
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
    /// The stations of the platform and what is told of each by name.
    fileprivate var stations: [String: Set<SeriesID>] {
        switch self {
        case .mqtt, .http, .sparkplug: [:]
        case .hj212(let hj212):
            Dictionary(
                hj212.stations.map { ($0.identity.scope, Set($0.codes.values)) },
                uniquingKeysWith: { $0.union($1) })
        case .buildingEnergy(let energy): [energy.scope: Set(energy.meters.map(\.series))]
        }
    }

    /// Whether the format says why readings are missing.
    fileprivate var tellsReasons: Bool {
        switch self {
        case .mqtt, .http, .sparkplug: false
        case .hj212, .buildingEnergy: true
        }
    }

    /// Whether the platform is told of each start of the gateway.
    fileprivate var tellsStarts: Bool {
        if case .hj212(let hj212) = self { hj212.boot } else { false }
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
