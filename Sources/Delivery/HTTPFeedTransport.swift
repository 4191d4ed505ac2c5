import FeedFormats
import Telemetry

/// Posts to a webhook or to a messenger's robot, signed where it has a secret.
package struct HTTPFeedTransport: FeedTransport {
    private let poster: HTTPPoster
    private let format: FeedFormat
    private let url: String
    private let secret: String?
    private let retryAfter: Duration

    /// - Parameters:
    ///   - url: of a robot with its token: it is told to nobody.
    ///   - retryAfter: how long a message rests when nobody answered.
    package init(
        poster: HTTPPoster, format: FeedFormat, url: String, secret: String?,
        retryAfter: Duration = .seconds(5)
    ) {
        self.poster = poster
        self.format = format
        self.url = url
        self.secret = secret
        self.retryAfter = retryAfter
    }

    /// Posts one message and says what came of it; never throws.
    package func send(
        _ message: FeedMessage, of notice: AlarmNotice, at time: Timestamp
    ) async -> Outcome {
        var (target, body) = (url, message.body)
        var fields: [(name: String, value: String)] = []
        switch (format, secret) {
        case (.dingtalk, let secret?):
            let query = DingTalkRobot.signedQuery(secret: secret, at: time)
            target += (target.contains("?") ? "&" : "?") + query
        case (.feishu, let secret?):
            body = FeishuRobot.signed(message.body, secret: secret, at: time)
        case (.json, let secret?), (.cap, let secret?):
            fields = WebhookSignature.fields(for: message, secret: Array(secret.utf8), at: time)
        case (.json, nil), (.cap, nil):
            fields = [(WebhookSignature.keyField, WebhookSignature.key(message.idempotencyKey))]
        default: break
        }
        switch await poster.post(
            body, to: target, contentType: message.contentType, fields: fields)
        {
        case .success(let answer): return format.outcome(of: answer)
        case .failure(let failure): return .retry(after: retryAfter, reason: failure.cause)
        }
    }
}
