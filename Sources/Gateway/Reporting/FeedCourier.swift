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
    /// What else is known of an alarm when it is told.
    var facts: @Sendable (AlarmRecord) async -> [AlarmBrief.Fact] = { _ in [] }

    func owed(
        at now: Timestamp, limit: Int, _ policy: DeliveryPolicy
    ) async throws -> [(item: OwedItem, parcel: Parcel)] {
        let owed = try await reader.owedNotices(
            feed: feed, receiver: FeedName.outbox(feed), now: now, limit: limit)
        return owed.map { one in
            guard let notice = one.notice else {
                return (one.item, .expired(reason: "the message is no longer kept"))
            }
            if one.alarms.isEmpty {
                return (one.item, .expired(reason: "its alarms are no longer kept"))
            }
            return (one.item, .ready { await send(notice, one.alarms) })
        }
    }

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
        for alarm in alarms { briefs.append(texts.brief(alarm, facts: await facts(alarm))) }
        return AlarmNotice(
            id:
                "\(texts.site)|\(feed)|\(record.kind)|\(record.subject)|\(record.time.milliseconds)",
            site: texts.site, siteName: texts.siteName, kind: record.noticeKind, time: record.time,
            alarms: briefs, total: record.total, from: record.from, since: record.since)
    }
}
