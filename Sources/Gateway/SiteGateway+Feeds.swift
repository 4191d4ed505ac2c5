import Delivery
import FeedFormats
import FieldLinks
import ServiceLifecycle
import Store
import Telemetry

extension SiteGateway {
    /// The loops that tell the feeds, and what they need to run.
    func feeds() throws -> [any Service] {
        let configured = site.configuration.feeds
        if configured.isEmpty { return [] }
        let poster = HTTPPoster()
        var before: [any Service] = [HTTPService(poster: poster)]
        var loops: [any Service] = []
        let templates = try surroundings.feedTemplates()
        let texts = alarmTexts()
        let facts = alarmFacts()
        for feed in configured {
            let (transport, format) = try transport(of: feed, poster, &before)
            var settings = FeedSettings()
            if case .email(let envelope) = feed.target { settings.mail = envelope }
            var policy = DeliveryPolicy()
            policy.expires = feed.expires
            policy.rates = feed.target.rates
            // A robot that is asked for ten things at once counts ten.
            policy.inFlight = feed.subscription.audience == .people ? 4 : 64
            loops.append(
                Reporting(
                    receiver: NoticeRecord.receiver(feed.id), store: store,
                    courier: FeedCourier(
                        feed: feed.id, texts: texts, reader: store.reader, format: format,
                        language: feed.language, settings: settings, templates: templates,
                        transport: transport, calendar: site.calendar,
                        wallClock: surroundings.wallClock,
                        facts: { await facts.facts(of: $0, isNews: $1) }),
                    policy: policy, clock: surroundings.clock, wallClock: surroundings.wallClock,
                    logger: surroundings.logger))
        }
        return before + loops
    }

    /// What takes instructions over MQTT; nil when the site wants none.
    func instructionLink() throws -> (any Service)? {
        guard let wanted = site.configuration.instructions else { return nil }
        let events = EventLog(logger: surroundings.logger)
        let link = try InstructionLink(
            wanted.broker.connection(
                clientID: "plumbline-\(site.configuration.site.id)-instructions"),
            topic: wanted.topic, tokens: site.configuration.tokens, instructions: instructions,
            clock: LinkClock(surroundings.clock), wallClock: surroundings.wallClock,
            onEvent: { events.uplink("instructions", $0) })
        return Running(start: { await link.run() }, stop: { link.stop() })
    }

    private func transport(
        of feed: SiteConfiguration.Feed, _ poster: HTTPPoster, _ services: inout [any Service]
    ) throws -> (any FeedTransport, FeedFormat) {
        switch feed.target {
        case .webhook(let url, let secret, let format):
            return (
                HTTPFeedTransport(
                    poster: poster, format: format, url: url,
                    secret: try secret?.read(feed.location)), format
            )
        case .robot(let format, let url, let secret):
            return (
                HTTPFeedTransport(
                    poster: poster, format: format, url: try url.read(feed.location),
                    secret: try secret?.read(feed.location)), format
            )
        case .email:
            return (SendmailTransport(clock: surroundings.clock), .email)
        case .mqtt(let broker, let topic, let format):
            let events = EventLog(logger: surroundings.logger)
            let publisher = try MQTTPublisher(
                broker.connection(
                    clientID: "plumbline-\(site.configuration.site.id)-feed-\(feed.id)"),
                clock: LinkClock(surroundings.clock), onEvent: { events.uplink(feed.id, $0) })
            services.append(
                Running(start: { await publisher.run() }, stop: { publisher.stop() }))
            return (MQTTFeedTransport(publisher: publisher, topic: topic), format)
        }
    }

    /// What else is told of alarms.
    func alarmFacts() -> AlarmFacts {
        AlarmFacts(
            evidence: site.configuration.evidence,
            rules: Dictionary(
                site.configuration.alarms.map { ($0.name, $0) },
                uniquingKeysWith: { first, _ in first }),
            areas: site.alarmSite(groups: []).devices.compactMapValues(\.area),
            series: Dictionary(
                groups.flatMap { group in
                    group.series.map { ($0.id, (series: $0, period: group.period)) }
                }, uniquingKeysWith: { first, _ in first }),
            units: site.units, reader: store.reader,
            calendar: site.calendar, outlooks: alarmOutlooks)
    }

    /// What the site calls its rules, devices and points.
    func alarmTexts() -> AlarmTexts {
        let configuration = site.configuration
        let devices = Dictionary(
            self.devices().map { ($0.id, $0.title) }, uniquingKeysWith: { first, _ in first })
        var points = pointTitles()
        points[PointKey("communication")] = LocalizedText(en: "communication", zh: "通信")
        for circumstance in configuration.circumstances {
            points[PointKey(circumstance.id)] = circumstance.title
        }
        return AlarmTexts(
            site: configuration.site.id, siteName: configuration.site.name,
            rules: configuration.alarms, devices: devices,
            areas: site.alarmSite(groups: []).devices.compactMapValues(\.area), points: points)
    }
}

extension SiteConfiguration.Feed.Target {
    /// What the messengers allow; a robot that says more is silenced for minutes.
    var rates: [DeliveryPolicy.Rate] {
        switch self {
        case .robot(.dingtalk, _, _), .robot(.wecom, _, _):
            [DeliveryPolicy.Rate(count: 18, per: .seconds(60))]
        case .robot:
            [
                DeliveryPolicy.Rate(count: 4, per: .seconds(1)),
                DeliveryPolicy.Rate(count: 90, per: .seconds(60)),
            ]
        case .webhook, .mqtt, .email: []
        }
    }
}

/// Lets go of the HTTP connections when everything that used them has stopped.
private struct HTTPService: Service {
    let poster: HTTPPoster

    func run() async throws {
        try? await gracefulShutdown()
        await poster.shutDown()
    }
}
