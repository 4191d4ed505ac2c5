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

    func prepare(_ item: OwedItem) async throws -> Parcel {
        let record = try await reader.notice(
            feed: feed, kind: item.kind, subject: item.scope, at: item.start)
        guard let record else { return .expired(reason: "the message is no longer kept") }
        guard let notice = try await notice(record) else {
            return .expired(reason: "its alarms are no longer kept")
        }
        let messages = format.encode(
            notice, language: language, calendar: calendar, templates: templates,
            settings: settings)
        return .ready {
            for message in messages {
                let outcome = await transport.send(
                    message, of: notice, at: wallClock.read().wall)
                guard case .accepted = outcome else { return outcome }
            }
            return .accepted
        }
    }

    /// The message as it is sent: to programs each change as it was, to people the alarms as they
    /// stand now.
    private func notice(_ record: NoticeRecord) async throws -> AlarmNotice? {
        var briefs: [AlarmBrief] = []
        for key in record.alarms {
            guard var alarm = try await reader.alarm(key: key) else { continue }
            if let to = record.to {
                let changes = try await reader.transitions(alarmKey: key)
                if let change = changes.last(where: { $0.to == to && $0.time == record.time }) {
                    alarm.state = to
                    alarm.changed = change.time
                    alarm.evidence = change.evidence
                    (alarm.actor, alarm.note) = (change.actor, change.note)
                }
            }
            briefs.append(texts.brief(alarm, facts: await facts(alarm)))
        }
        if briefs.isEmpty { return nil }
        return AlarmNotice(
            id:
                "\(texts.site)|\(feed)|\(record.kind)|\(record.subject)|\(record.time.milliseconds)",
            site: texts.site, siteName: texts.siteName, kind: record.noticeKind, time: record.time,
            alarms: briefs, total: record.total, from: record.from, since: record.since)
    }
}
