import Telemetry

/// A custom robot of a DingTalk group: POST of a markdown message to the robot's address.
///
///     {"msgtype":"markdown","markdown":{"title":…,"text":…}}     answer {"errcode":0,"errmsg":"ok"}
///
/// What was looked up (September 2026; DingTalk's own pages only through copies of them):
/// - Signature, timestamp in ms, at most 1 h off: copies of the vendor's page with its Java and
///   Python code. 20 messages a minute, beyond it 10 minutes of penalty: the same.
/// - 130101 "send too fast, exceed 20 times per minute": issue 369 of ccfos/nightingale.
/// - 460101 "message too long, exceed 20000 bytes", of the body: issue 30 of
///   timonwong/prometheus-webhook-dingtalk. 310000, refused by the robot's security settings: a
///   vendor forum. -1, busy: copies of the vendor's list.
/// - 410100 as a second code for too many messages: UNVERIFIED.
package enum DingTalkRobot {
    static let limit = 20_000

    static func message(_ notice: AlarmNotice, _ words: FeedWords) -> FeedMessage {
        let title = words.title(notice, .plain)
        let text = TextFit.fullest(
            alarms: notice.alarms.count, limit: limit,
            render: { listed in
                // Two spaces before a line feed keep the line; without them markdown joins lines.
                let lines = words.body(notice, .dingtalk, listed: listed)
                return "#### \(words.title(notice, .dingtalk))\n\n"
                    + lines.split(separator: "\n", omittingEmptySubsequences: false)
                    .map { $0.isEmpty ? "" : $0 + "  " }.joined(separator: "\n")
            },
            measure: { body(title: title, text: $0).count })
        return FeedMessage(
            contentType: "application/json", body: body(title: title, text: text),
            idempotencyKey: notice.id)
    }

    private static func body(title: String, text: String) -> [UInt8] {
        var json = JSONWriter(capacity: text.utf8.count + 256)
        json.object {
            $0.field("msgtype", "markdown")
            $0.key("markdown")
            $0.object {
                $0.field("title", title)
                $0.field("text", text)
            }
        }
        return json.bytes
    }

    /// What a robot with a secret wants behind its address: `timestamp=…&sign=…`, to be joined by
    /// `&` to the query that holds the access token.
    package static func signedQuery(secret: String, at time: Timestamp) -> String {
        let sign = Encodings.hmacSHA256(
            key: Array(secret.utf8), message: Array("\(time.milliseconds)\n\(secret)".utf8))
        return "timestamp=\(time.milliseconds)&sign=\(Encodings.percent(Encodings.base64(sign)))"
    }

    static func outcome(of answer: HTTPAnswer) -> Outcome {
        answer.outcome(of: "DingTalk", code: "errcode", message: "errmsg") { code, _ in
            switch code {
            // The penalty lasts up to 10 minutes; asking each minute finds its end soonest.
            case 130_101, 410_100: .seconds(60)
            case -1: .seconds(30)
            default: nil
            }
        }
    }
}
