import Telemetry

/// The formats in which feeds are told of alarms; `docs/formats/alarm-feed.md` tells each.
///
/// A notice is encoded without a clock and without a secret: the same notice gives the same bytes,
/// so that what is sent again after a restart is the same message. What depends on the instant of
/// sending (signatures) is added afterwards, by functions that take the time.
package enum FeedFormat: String, Hashable, Sendable, CaseIterable {
    /// `plumbline-alarm/1`, for machines.
    case json
    /// OASIS Common Alerting Protocol 1.2, one message for each alarm.
    case cap
    /// A custom robot of DingTalk (钉钉).
    case dingtalk
    /// A group robot of WeCom (企业微信).
    case wecom
    /// A custom bot of Feishu (飞书) or Lark.
    case feishu
    /// A message for `sendmail -t -i`.
    case email

    /// The format of that name, nil when there is none.
    package static func named(_ name: String) -> FeedFormat? { FeedFormat(rawValue: name) }

    /// The messages that tell `notice`: one, with `cap` one for each alarm, or none.
    ///
    /// Times bear the offset of `calendar`. `language` chooses the template; formats for machines
    /// carry both languages and put this one first where there is an order.
    package func encode(
        _ notice: AlarmNotice, language: FeedLanguage, calendar: SiteCalendar,
        templates: FeedTemplates, settings: FeedSettings = FeedSettings()
    ) -> [FeedMessage] {
        let words = FeedWords(language: language, calendar: calendar, templates: templates)
        switch self {
        case .json: return [AlarmJSON.message(notice, calendar: calendar)]
        case .cap:
            return CAPFormat(settings: settings.cap, calendar: calendar, first: language)
                .messages(notice)
        case .dingtalk: return [DingTalkRobot.message(notice, words)]
        case .wecom: return [WeComRobot.message(notice, words)]
        case .feishu: return [FeishuRobot.message(notice, words)]
        case .email:
            return [MailMessage.message(notice, words, envelope: settings.mail, date: notice.time)]
        }
    }

    /// What the answer to a POST of such a message means.
    ///
    /// Mail is not posted; its outcome is `MailMessage.outcome(exitStatus:)`.
    package func outcome(of answer: HTTPAnswer) -> Outcome {
        switch self {
        case .json, .cap, .email: answer.outcome
        case .dingtalk: DingTalkRobot.outcome(of: answer)
        case .wecom: WeComRobot.outcome(of: answer)
        case .feishu: FeishuRobot.outcome(of: answer)
        }
    }
}
