import Telemetry

/// A custom bot of a Feishu or Lark group: POST of a post message, signed inside the body.
///
///     {"msg_type":"post","content":{"post":{"zh_cn":{"title":…,
///        "content":[[{"tag":"text","text":<line>}] …]}}}}            answer {"code":0,"msg":…}
///
/// A post and not a card: its text elements are no markdown, so there is nothing to escape.
///
/// What was looked up: the vendor's page of custom bots (open.larkoffice.com, document
/// ucTM5YjL3ETO24yNxkjN: 100 messages a minute, 5 a second, body of at most 20 KB, 11232 when the
/// system limits, most at the full and half hour); copies of it (the signature and its code,
/// timestamp in s and at most 1 h off, 19021 when it does not match); the vendor's page of rate
/// limits (99991400 with HTTP 429 or 400 and `x-ogw-ratelimit-reset`). 9499 is "Bad Request", but
/// also "too many request": issue 1437 of ccfos/nightingale. 19022 (address not allowed) and
/// 19024 (keyword missing) are UNVERIFIED and refused like every other code.
package enum FeishuRobot {
    /// 20 KB, less than 200 of which the signature takes.
    static let limit = 20_000 - 200

    static func message(_ notice: AlarmNotice, _ words: FeedWords) -> FeedMessage {
        let title = words.title(notice, .feishu)
        let text = TextFit.fullest(
            alarms: notice.alarms.count, limit: limit,
            render: { words.body(notice, .feishu, listed: $0) },
            measure: { body(title: title, text: $0, words.language).count })
        return FeedMessage(
            contentType: "application/json", body: body(title: title, text: text, words.language),
            idempotencyKey: notice.id)
    }

    private static func body(title: String, text: String, _ language: FeedLanguage) -> [UInt8] {
        var json = JSONWriter(capacity: text.utf8.count * 2)
        json.object {
            $0.field("msg_type", "post")
            $0.key("content")
            $0.object {
                $0.key("post")
                $0.object {
                    $0.key(language == .zh ? "zh_cn" : "en_us")
                    $0.object {
                        $0.field("title", title)
                        $0.key("content")
                        $0.array {
                            let lines = text.split(
                                separator: "\n", omittingEmptySubsequences: false)
                            for line in lines { paragraph(String(line), to: &$0) }
                        }
                    }
                }
            }
        }
        return json.bytes
    }

    private static func paragraph(_ line: String, to json: inout JSONWriter) {
        json.array {
            $0.object {
                $0.field("tag", "text")
                $0.field("text", line)
            }
        }
    }

    /// The body with the time and the signature that a bot with a secret wants.
    ///
    /// The key of the HMAC is `<seconds>\n<secret>`, and its message is empty: the other way round
    /// than DingTalk's.
    ///
    /// - Parameter body: one that `encode` gave.
    package static func signed(
        _ body: [UInt8], secret: String, at time: Timestamp
    ) -> [UInt8] {
        let seconds = time.slot(every: .seconds(1)).milliseconds / 1000
        let sign = Encodings.hmacSHA256(key: Array("\(seconds)\n\(secret)".utf8), message: [])
        var json = JSONWriter()
        json.object {
            $0.field("timestamp", String(seconds))
            $0.field("sign", Encodings.base64(sign))
        }
        return json.bytes.dropLast() + [UInt8(ascii: ",")] + body.dropFirst()
    }

    static func outcome(of answer: HTTPAnswer) -> Outcome {
        answer.outcome(of: "Feishu", code: "code", message: "msg") { code, words in
            switch code {
            case 11_232, 99_991_400: .seconds(60)
            case 9499 where words.lowercased().contains("too many"): .seconds(60)
            default: nil
            }
        }
    }
}
