import Alarms
import FeedFormats
import LocatedText
import Telemetry

//  feeds:
//    - id: safety-phone
//      dingtalk: { credential: dingtalk-url }     or wecom, feishu: the robot's address is a secret
//      secret: { credential: dingtalk-secret }    of a robot or webhook that checks signatures
//    - id: city
//      webhook: https://city.example/alarms       format: json (default) or cap
//    - id: broker
//      mqtt: mqtt://127.0.0.1:1883                with the keys of a broker
//      topic: plumbline/hz-qt-0172/alarms
//    - id: mail
//      email: [safety@example.com]
//      from: gateway@example.com
//  and with each
//      audience: people                           or programs: every change, at once
//      language: zh                               or en
//      severity: warning                          nothing less grave
//      modules: [dust, crane]  areas: [north]  devices: [crane-1]
//      after: 30min                               only what nobody acknowledged for so long
//      remind: 4h                                 and again, until somebody does
//      group: 5min                                company that messages wait for
//      most: 10  per: 10min                       never more than that
//      returns: true                              whether returns are told
//      chatter: { times: 3, within: 10min }
//      digest: "07:30"                            once a day
//      digest_only: info                          what is no graver is told there alone
//      expires: 24h                               older messages are no longer sent

extension SiteConfiguration {
    /// One receiver of alarms: who, how, and how much.
    package struct Feed: Sendable {
        /// Where messages go.
        package enum Target: Sendable {
            case webhook(url: String, secret: Secret?, format: FeedFormat)
            /// A robot of a messenger; its address holds its token.
            case robot(FeedFormat, url: Secret, secret: Secret?)
            case mqtt(Broker, topic: String, format: FeedFormat)
            case email(MailEnvelope)
        }

        package var subscription: FeedSubscription
        package var target: Target
        package var language: FeedLanguage
        /// Messages older than this are given up; nil: never.
        package var expires: Duration?
        package var location: Location

        package var id: String { subscription.id }
    }
}

extension SiteConfiguration.Feed {
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self? {
        var reader = MappingReader(node, faults)
        let id = reader.required("id")?.identifier(faults)
        let target = target(&reader, node, faults)
        var subscription = FeedSubscription(
            id: id ?? "-", audience: target?.usualAudience ?? .people)
        if let node = reader.optional("audience") {
            let words = FeedSubscription.Audience.allCases.map { ($0.rawValue, $0) }
            subscription.audience = node.word(words, faults) ?? subscription.audience
        }
        selection(&reader, &subscription, faults)
        amounts(&reader, &subscription, faults)
        digest(&reader, &subscription, faults)
        let languages = FeedLanguage.allCases.map { ($0.rawValue, $0) }
        let language = reader.optional("language")?.word(languages, faults) ?? .zh
        var expires: Duration? = subscription.audience == .people ? .seconds(86_400) : nil
        if let node = reader.optional("expires") {
            expires = node.scalar == "never" ? nil : node.duration(faults)
        }
        reader.finish()
        guard id != nil, let target else { return nil }
        return Self(
            subscription: subscription, target: target, language: language, expires: expires,
            location: node.location)
    }

    private static func target(
        _ reader: inout MappingReader, _ node: LocatedNode, _ faults: FaultCollector
    ) -> Target? {
        let keys = ["webhook", "dingtalk", "wecom", "feishu", "mqtt", "email"]
        let found = keys.compactMap { key in reader.optional(key).map { (key: key, node: $0) } }
        let secretNode = reader.optional("secret")
        let secret = secretNode.flatMap { Secret.parse($0, faults) }
        let fields = BrokerFields(BrokerFields.connection, in: &reader)
        let topic = reader.optional("topic")
        let from = reader.optional("from")
        let formatNode = reader.optional("format")
        let format = formatNode?.word([("json", FeedFormat.json), ("cap", .cap)], faults) ?? .json
        guard found.count == 1, let (key, address) = found.first else {
            faults.add(
                node.location, "a feed goes to one place",
                remedy: "one of " + keys.map { "'\($0): …'" }.joined(separator: ", "))
            return nil
        }
        func refuse(_ node: LocatedNode?, _ name: String, _ place: String) {
            guard let node else { return }
            faults.add(node.location, "'\(name)' belongs to a feed with '\(place): …'")
        }
        if key != "mqtt" {
            fields.refuse(faults)
            refuse(topic, "topic", "mqtt")
        }
        if key != "email" { refuse(from, "from", "email") }
        if key != "webhook", key != "mqtt" { refuse(formatNode, "format", "webhook") }
        if key == "mqtt" || key == "email" || key == "wecom" {
            refuse(secretNode, "secret", "webhook")
        }
        switch key {
        case "webhook": return webhook(address, secret, format, faults)
        case "mqtt": return mqtt(address, fields, topic, format, node, faults)
        case "email": return email(address, from, faults)
        default:
            let robot = FeedFormat.named(key) ?? .dingtalk
            return Secret.parse(address, faults).map { .robot(robot, url: $0, secret: secret) }
        }
    }

    private static func webhook(
        _ node: LocatedNode, _ secret: Secret?, _ format: FeedFormat, _ faults: FaultCollector
    ) -> Target? {
        node.webAddress(faults).map { .webhook(url: $0, secret: secret, format: format) }
    }

    private static func mqtt(
        _ address: LocatedNode, _ fields: BrokerFields, _ topic: LocatedNode?,
        _ format: FeedFormat, _ node: LocatedNode, _ faults: FaultCollector
    ) -> Target? {
        let broker = fields.broker(at: address, faults)
        guard let topic, let text = topic.string(faults) else {
            if topic == nil {
                faults.add(node.location, "'topic' is missing", remedy: "add 'topic: …'")
            }
            return nil
        }
        if text.isEmpty || text.contains("+") || text.contains("#") || text.hasSuffix("/") {
            faults.add(
                topic.location, "'\(text)' cannot be a topic to publish under",
                remedy: "levels joined by '/', without + and #, without a final '/'")
            return nil
        }
        return .mqtt(broker, topic: text, format: format)
    }

    private static func email(
        _ node: LocatedNode, _ from: LocatedNode?, _ faults: FaultCollector
    ) -> Target? {
        let nodes = if case .sequence(let list) = node.content { list } else { [node] }
        let to = nodes.compactMap { address($0, faults) }
        guard to.count == nodes.count, !to.isEmpty else { return nil }
        guard let from else { return .email(MailEnvelope(from: MailEnvelope.local.from, to: to)) }
        return address(from, faults).map { .email(MailEnvelope(from: $0, to: to)) }
    }

    private static func address(_ node: LocatedNode, _ faults: FaultCollector) -> MailAddress? {
        guard let text = node.string(faults) else { return nil }
        do {
            return try MailAddress(text)
        } catch {
            faults.add(node.location, "\(error)", remedy: "for example 'safety@example.com'")
            return nil
        }
    }

    private static func selection(
        _ reader: inout MappingReader, _ subscription: inout FeedSubscription,
        _ faults: FaultCollector
    ) {
        let severities = AlarmRule.Severity.allCases.map { ($0.rawValue, $0) }
        subscription.severity =
            reader.optional("severity")?.word(severities, faults) ?? subscription.severity
        func texts(_ key: String) -> [String]? {
            reader.optional(key)?.list(faults).compactMap { $0.string(faults) }
        }
        subscription.modules = texts("modules")
        subscription.areas = texts("areas")
        subscription.devices = texts("devices")?.map { DeviceID($0) }
    }

    private static func amounts(
        _ reader: inout MappingReader, _ subscription: inout FeedSubscription,
        _ faults: FaultCollector
    ) {
        subscription.after = reader.optional("after")?.duration(faults)
        subscription.remind = reader.optional("remind")?.duration(faults)
        subscription.group = reader.optional("group")?.duration(faults) ?? subscription.group
        subscription.per = reader.optional("per")?.duration(faults) ?? subscription.per
        if let node = reader.optional("most"), let most = node.int(faults) {
            if (1...1000).contains(most) {
                subscription.most = most
            } else {
                faults.add(node.location, "'most' lies between 1 and 1000")
            }
        }
        if let node = reader.optional("returns") {
            subscription.tellsReturns = node.bool(faults) ?? true
        }
        if let node = reader.optional("chatter") {
            var chatter = MappingReader(node, faults)
            let times = chatter.required("times")?.int(faults) ?? 3
            let within = chatter.required("within")?.duration(faults) ?? .seconds(600)
            chatter.finish()
            if (1...30).contains(times) {
                subscription.chatter = FeedSubscription.Chatter(times: times, within: within)
            } else {
                faults.add(node.location, "'times' lies between 1 and 30")
            }
        }
    }

    private static func digest(
        _ reader: inout MappingReader, _ subscription: inout FeedSubscription,
        _ faults: FaultCollector
    ) {
        subscription.digest = reader.optional("digest").flatMap { $0.minuteOfDay(faults) }
        let severities = AlarmRule.Severity.allCases.map { ($0.rawValue, $0) }
        guard let node = reader.optional("digest_only") else { return }
        subscription.digestOnly = node.word(severities, faults)
        if subscription.digest == nil {
            faults.add(
                node.location, "there is no digest in which they could be told",
                remedy: "add 'digest: \"07:30\"'")
        }
    }
}

extension SiteConfiguration.Feed.Target {
    /// For whom such a feed is, unless it says otherwise.
    fileprivate var usualAudience: FeedSubscription.Audience {
        switch self {
        case .webhook, .mqtt: .programs
        case .robot, .email: .people
        }
    }
}
