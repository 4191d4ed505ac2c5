import FieldLinks
import LocatedText

//  mqtt: mqtts://broker.example:8883     mqtt:// is not encrypted, port 1883
//  version: 5                            3.1.1 (default) or 5
//  tls: { ca: ca.pem, certificate: gateway.pem, key: gateway.key }
//  user: site-7
//  password: { credential: broker }      or { file: /etc/plumbline/broker.password }
//  client_id: plumbline-hz-qt-0172-a     default: from the site's id and the link's
//  keep_alive: 60 s
//  -- links only --
//  share: gateways                       a shared subscription
//  window: 200                           unacknowledged messages
//  max_message: 256 KiB                  larger ones are counted, not read
//  probe: 60 s                           or off; a lost subscription is noticed within this time
//  rebirth: true                         may ask Sparkplug nodes for a new birth

extension SiteConfiguration {
    /// A broker and how it is spoken to.
    package struct Broker: Hashable, Sendable {
        package var endpoint: Endpoint
        package var version = MQTTEndpoint.Version.v311
        /// nil: not encrypted.
        package var tls: MQTTEndpoint.TLS?
        package var user: String?
        package var password: Secret?
        package var clientID: String?
        package var keepAlive = Duration.seconds(60)
        package var location: Location

        /// The endpoint with its secrets read.
        ///
        /// - Parameter fallback: the client id where the configuration names none.
        /// - Throws: `Faults` when the password cannot be read.
        func connection(clientID fallback: String) throws(Faults) -> MQTTEndpoint {
            var result = MQTTEndpoint(
                host: endpoint.host, port: endpoint.port, clientID: clientID ?? fallback,
                keepAlive: keepAlive)
            result.version = version
            result.tls = tls
            if let user {
                result.credentials = .init(
                    userName: user, password: try password?.read(location))
            }
            return result
        }
    }

    /// What a link of devices that publish asks of its broker.
    package struct MQTT: Hashable, Sendable {
        package var broker: Broker
        /// Messages that may wait for their commit.
        package var window = 20
        package var share: String?
        /// Bytes; larger messages are counted and not read.
        package var maximumMessage = 256 * 1024
        /// Within this time a lost subscription is noticed; nil: nobody looks.
        package var probe: Duration? = .seconds(60)
        /// Whether Sparkplug nodes may be asked for a new birth, which is writing to the field.
        package var rebirth = false

        var linkOptions: MQTTLink.Options {
            var options = MQTTLink.Options()
            options.window = window
            options.share = share
            options.maximumPayload = maximumMessage
            options.probe = probe
            return options
        }
    }
}

/// The keys of a broker, taken from the mapping in which they stand.
struct BrokerFields {
    private let nodes: [(key: String, node: LocatedNode)]

    static let connection = ["version", "tls", "user", "password", "client_id", "keep_alive"]
    static let link = connection + ["share", "window", "max_message", "probe", "rebirth"]

    init(_ keys: [String], in reader: inout MappingReader) {
        var found: [(key: String, node: LocatedNode)] = []
        for key in keys {
            if let node = reader.optional(key) { found.append((key, node)) }
        }
        nodes = found
    }

    private subscript(_ key: String) -> LocatedNode? { nodes.first { $0.key == key }?.node }

    /// Refuses what stands there although the link is none to a broker.
    func refuse(_ faults: FaultCollector) {
        for (key, node) in nodes {
            faults.add(node.location, "'\(key)' belongs to a link with 'mqtt: …'")
        }
    }

    func broker(at address: LocatedNode, _ faults: FaultCollector) -> SiteConfiguration.Broker {
        let isEncrypted = address.scalar?.hasPrefix("mqtts://") ?? false
        let endpoint = SiteConfiguration.Endpoint.parse(
            address, scheme: isEncrypted ? "mqtts" : "mqtt", defaultPort: isEncrypted ? 8883 : 1883,
            faults)
        var broker = SiteConfiguration.Broker(
            endpoint: endpoint ?? .init(host: "", port: 0), location: address.location)
        if let node = self["version"] {
            broker.version =
                node.word(MQTTEndpoint.Version.allCases.map { ($0.rawValue, $0) }, faults) ?? .v311
        }
        broker.tls = isEncrypted ? MQTTEndpoint.TLS() : nil
        if let node = self["tls"] {
            let tls = Self.tls(node, faults)
            if isEncrypted {
                broker.tls = tls
            } else {
                faults.add(
                    node.location, "'tls' stands beside an address that is not encrypted",
                    remedy: "write 'mqtt: mqtts://HOST:8883'")
            }
        }
        broker.user = self["user"]?.string(faults)
        if let node = self["password"] {
            broker.password = Secret.parse(node, faults)
            broker.location = node.location
            if self["user"] == nil {
                faults.add(node.location, "a password without a 'user'", remedy: "add 'user: …'")
            }
        }
        if let node = self["client_id"] { broker.clientID = clientID(node, faults) }
        if let node = self["keep_alive"], let value = node.duration(faults) {
            // A commit gets 20 s, in which no ping can leave.
            if value >= .seconds(30), value <= .seconds(3600) {
                broker.keepAlive = value
            } else {
                faults.add(
                    node.location, "keep_alive lies between 30 s and 1 h",
                    remedy: "no ping can leave while a commit is under way, which may take 20 s")
            }
        }
        return broker
    }

    func link(at address: LocatedNode, _ faults: FaultCollector) -> SiteConfiguration.MQTT {
        var link = SiteConfiguration.MQTT(broker: broker(at: address, faults))
        if let node = self["window"], let value = node.int(faults) {
            if (1...10_000).contains(value) {
                link.window = value
            } else {
                faults.add(node.location, "a window holds 1 to 10000 messages")
            }
        }
        if let node = self["share"], let group = node.string(faults) {
            if group.isEmpty || group.contains(where: { "/+#$".contains($0) }) {
                faults.add(
                    node.location, "'\(group)' cannot be the name of a shared subscription",
                    remedy: "a word without '/', '+', '#' and '$'")
            } else {
                link.share = group
            }
        }
        if let node = self["max_message"], let bytes = node.byteCount(faults) {
            if (1...262_144).contains(bytes) {
                link.maximumMessage = Int(bytes)
            } else {
                faults.add(node.location, "max_message lies between 1 B and 256 KiB")
            }
        }
        if let node = self["probe"] {
            if node.scalar == "off" || node.scalar == "false" {
                link.probe = nil
            } else if let time = node.duration(faults) {
                if time >= .seconds(3), time <= .seconds(3600) {
                    link.probe = time
                } else {
                    faults.add(node.location, "probe is 'off' or lies between 3 s and 1 h")
                }
            }
        }
        link.rebirth = self["rebirth"]?.bool(faults) ?? false
        return link
    }

    static func tls(_ node: LocatedNode, _ faults: FaultCollector) -> MQTTEndpoint.TLS {
        var reader = MappingReader(node, faults)
        let authority = reader.optional("ca")?.path(faults)
        let certificate = reader.optional("certificate")?.path(faults)
        let key = reader.optional("key")?.path(faults)
        if reader.has("insecure") || reader.has("verify") {
            faults.add(
                node.location, "the broker is always verified",
                remedy: "name the authority that signed its certificate: 'ca: PATH'")
        }
        reader.finish()
        if (certificate == nil) != (key == nil) {
            faults.add(
                node.location, "a certificate and its key belong together",
                remedy: "add \(certificate == nil ? "'certificate: …'" : "'key: …'")")
        }
        return .init(authority: authority, certificate: certificate, key: key)
    }

    private func clientID(_ node: LocatedNode, _ faults: FaultCollector) -> String? {
        guard let text = node.string(faults) else { return nil }
        if text.isEmpty || text.utf8.count > 128 || text.contains(where: { "+#/".contains($0) }) {
            faults.add(
                node.location, "'\(text)' cannot be a client_id",
                remedy: "1 to 128 bytes without '/', '+' and '#'")
            return nil
        }
        return text
    }
}
