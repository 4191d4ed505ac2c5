import Telemetry

/// A group robot of WeCom: POST of a markdown message to an address whose `key` is the secret.
///
///     {"msgtype":"markdown","markdown":{"content":…}}            answer {"errcode":0,"errmsg":"ok"}
///
/// What was looked up: the vendor's page 91770 (form of the message, no signature, `<@userid>` in
/// markdown calls a person); copies of it (20 messages a minute, content of at most 4,096 bytes of
/// UTF-8); 40058 "markdown.content exceed max length 4096": issue 82 of dromara/domain-admin;
/// 45009 "api freq out of limit": issue 48 of WecomTeam/wecom-openclaw-plugin. That -1 means busy
/// here as in the vendor's other interfaces is UNVERIFIED.
package enum WeComRobot {
    static let limit = 4096

    static func message(_ notice: AlarmNotice, _ words: FeedWords) -> FeedMessage {
        let content = TextFit.fullest(
            alarms: notice.alarms.count, limit: limit,
            render: { listed in
                "#### \(words.title(notice, .wecom))\n"
                    + words.body(notice, .wecom, listed: listed)
            },
            measure: { $0.utf8.count })
        var json = JSONWriter(capacity: content.utf8.count + 64)
        json.object {
            $0.field("msgtype", "markdown")
            $0.key("markdown")
            $0.object { $0.field("content", content) }
        }
        return FeedMessage(
            contentType: "application/json", body: json.bytes, idempotencyKey: notice.id)
    }

    static func outcome(of answer: HTTPAnswer) -> Outcome {
        answer.outcome(of: "WeCom", code: "errcode", message: "errmsg") { code, _ in
            switch code {
            case 45_009: .seconds(60)
            case -1: .seconds(30)
            default: nil
            }
        }
    }
}
