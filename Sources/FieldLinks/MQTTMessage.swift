import Telemetry

/// One message as the broker delivered it.
package struct MQTTMessage: Hashable, Sendable {
    /// What the first message of a connection begins.
    package enum Beginning: Hashable, Sendable {
        /// The broker still knew the session: what it had not seen acknowledged comes first.
        case connection
        /// The broker made the session: nothing of it was delivered before.
        case session
    }

    package var topic: String
    /// Empty when the message is oversized.
    package var payload: [UInt8]
    /// 0 or 1; the link subscribes with QoS 1 at most.
    package var qos: Int
    /// The broker had kept the message for newcomers: it says nothing about now.
    package var isRetained: Bool
    /// The packet identifier, 1 to 65,535; 0 for QoS 0.
    package var messageID: UInt16
    /// The message came soon after a reconnect whose session was present: it may be one that was
    /// committed before and whose acknowledgement got lost.
    package var mayBeRedelivery: Bool
    /// What began with this message; nil for all but the first of a connection.
    package var beginning: Beginning?
    /// The size in bytes of a payload above the link's limit, which is not kept; else nil.
    package var oversize: Int?

    package init(
        topic: String, payload: [UInt8], qos: Int = 1, isRetained: Bool = false,
        messageID: UInt16 = 0, mayBeRedelivery: Bool = false, oversize: Int? = nil
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.isRetained = isRetained
        self.messageID = messageID
        self.mayBeRedelivery = mayBeRedelivery
        self.oversize = oversize
    }

    /// The stable hash of topic and payload that a `DeliveryMark` holds.
    package var digest: UInt64 { FNV1a.digest(topic: topic, payload: payload) }
}

/// Where a broker is, how it is spoken to, and who calls it.
package struct MQTTEndpoint: Hashable, Sendable {
    /// The version of the protocol.
    package enum Version: String, Hashable, Sendable, CaseIterable {
        case v311 = "3.1.1"
        case v5 = "5"
    }

    /// A user's name and password. No text of it shows the password.
    package struct Credentials: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
        package var userName: String
        package var password: String?
        package init(userName: String, password: String? = nil) {
            self.userName = userName
            self.password = password
        }

        package var description: String { password == nil ? userName : "\(userName):***" }
        package var customMirror: Mirror { Mirror(reflecting: description) }
    }

    /// The files of an encrypted connection, as paths. The broker's certificate and host name are
    /// always verified, and nothing older than TLS 1.2 is spoken.
    package struct TLS: Hashable, Sendable {
        /// Who may have signed the broker's certificate; nil: whom the system trusts.
        package var authority: String?
        /// This client's own certificate, for brokers that ask for one, and its key.
        package var certificate: String?
        package var key: String?
        package init(authority: String? = nil, certificate: String? = nil, key: String? = nil) {
            self.authority = authority
            self.certificate = certificate
            self.key = key
        }
    }

    package var host: String
    package var port: Int
    /// Names the session: stable over restarts, and no two connections of a broker share it.
    package var clientID: String
    package var credentials: Credentials?
    package var version = Version.v311
    /// nil: not encrypted.
    package var tls: TLS?
    /// How long the connection may be silent. While acknowledgements are withheld no ping can
    /// leave, so it is well above the time that a commit gets.
    package var keepAlive: Duration
    /// How long connecting may take, the broker's greeting included.
    package var connectTimeout: Duration
    /// How long the broker keeps a session without a connection (version 5 only; with 3.1.1 the
    /// broker decides alone).
    package var sessionExpiry = Duration.seconds(30 * 86_400)

    package init(
        host: String, port: Int = 1883, clientID: String, credentials: Credentials? = nil,
        keepAlive: Duration = .seconds(60), connectTimeout: Duration = .seconds(10)
    ) {
        self.host = host
        self.port = port
        self.clientID = clientID
        self.credentials = credentials
        self.keepAlive = keepAlive
        self.connectTimeout = connectTimeout
    }
}

/// What went wrong between this client and a broker.
package struct MQTTError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of fault.
    package enum Code: String, Hashable, Sendable {
        /// No connection could be made.
        case connectFailed
        /// The broker answered and said no: user, password, client id or protocol version.
        case refused
        /// The connection is gone.
        case disconnected
        /// The broker's certificate is not accepted, or the broker does not accept this client's.
        case untrusted
        /// Another client has connected with the same client id.
        case takenOver
        /// No acknowledgement in time.
        case timeout
        /// The message is larger than the protocol or the library allows.
        case oversize
        /// The topic or the client id is not valid.
        case invalid
        /// No file descriptor is left.
        case descriptors
        /// The batch was not committed in time, or not at all; the broker keeps the messages.
        case commitFailed
        /// The link was asked to stop.
        case stopped
    }

    package let code: Code
    /// The cause in words.
    package let cause: String

    package init(code: Code, cause: String) {
        self.code = code
        self.cause = cause
    }

    package var description: String { cause }
}

/// A change of state that an operator should hear of, each once.
package enum MQTTLinkEvent: Hashable, Sendable {
    /// The broker has answered; whether it still knew the session.
    case connected(sessionPresent: Bool)
    /// The broker has gone, or never was there; silent retries follow.
    case disconnected(MQTTError)
    /// The broker has forgotten the session that this link had with it; all was subscribed again.
    case sessionLost
    /// The broker does not allow this subscription.
    case subscriptionRefused(filter: String, reason: String)
    /// The connection stands, but nothing comes through the subscriptions any more; all was
    /// subscribed again.
    case subscriptionLost(silentFor: Duration)
    /// The link cannot watch its subscriptions at this broker, and does no more.
    case probeOff(reason: String)
}
