import Delivery
import FeedFormats
import Store
import Telemetry

/// Makes messages about alarms ready for one feed.
struct FeedCourier: Courier {
    let feed: String
    let texts: AlarmTexts
    let reader: StoreReader
    let format: FeedFormat
    let language: FeedLanguage
    let settings: FeedSettings
    let templates: FeedTemplates
    let transport: any FeedTransport
    let calendar: SiteCalendar
    let wallClock: any WallClock
    /// What else is known of an alarm when it is told; the flag says that it has just changed.
    var facts: @Sendable (AlarmRecord, _ isNews: Bool) async -> [AlarmBrief.Fact] = { _, _ in [] }

    func owed(_ request: OwedRequest) async throws -> [Consignment] {
        let owed = try await reader.owedNotices(
            feed: feed, now: request.now, limit: request.limit)
        return owed.map { one in
            guard let notice = one.notice else {
                return Consignment(one.item, expired: "the message is no longer kept")
            }
            if one.alarms.isEmpty {
                return Consignment(one.item, expired: "its alarms are no longer kept")
            }
            return Consignment(one.item, lane: Self.lane(of: one.item)) {
                await send(notice, one.alarms)
            }
        }
    }

    /// The changes of all alarms of one rule on one series, `rule|series|onset`: what is retained of
    /// them has to end with the newest.
    static func lane(of item: OwedItem) -> String {
        guard item.kind.hasPrefix("change/"), let end = item.scope.lastIndex(of: "|") else {
            return item.scope
        }
        return String(item.scope[..<end])
    }

    /// For so long after its time nothing about a message can have come late.
    private static let newsAge = Duration.seconds(30)

    private func send(_ record: NoticeRecord, _ alarms: [AlarmRecord]) async -> Outcome {
        let notice = await notice(record, alarms)
        let messages = format.encode(
            notice, language: language, calendar: calendar, templates: templates,
            settings: settings)
        for message in messages {
            let outcome = await transport.send(message, of: notice, at: wallClock.read().wall)
            guard case .accepted = outcome else { return outcome }
        }
        return .accepted
    }

    private func notice(_ record: NoticeRecord, _ alarms: [AlarmRecord]) async -> AlarmNotice {
        var briefs: [AlarmBrief] = []
        let isNews = wallClock.read().wall - record.time < Self.newsAge
        for alarm in alarms {
            briefs.append(texts.brief(alarm, facts: await facts(alarm, isNews)))
        }
        return AlarmNotice(
            id:
                "\(texts.site)|\(feed)|\(record.kind)|\(record.subject)|\(record.time.milliseconds)",
            site: texts.site, siteName: texts.siteName, kind: record.noticeKind, time: record.time,
            alarms: briefs, total: record.total, from: record.from, since: record.since)
    }
}
