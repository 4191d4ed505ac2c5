import FeedFormats
import Synchronization
import Telemetry
import UplinkFormats

/// Posts items to an address, several in one request where the format holds them.
///
/// A refusal of several is no word about each: they are sent again in halves, so that what is
/// refused in the end is what the platform does not want, and the rest has passed.
package final class HTTPUplinkTransport: UplinkTransport {
    /// What goes with each request besides the items.
    package struct Options: Sendable {
        /// Goes out as `Authorization: Bearer …`.
        package var token: String?
        /// Signs time and body (`WebhookSignature`).
        package var signingSecret: String?
        /// Whether bodies are compressed; not those that say their own `Content-Encoding`.
        package var compresses = false
        /// The header field that holds the idempotency key; nil sends none.
        package var keyField: String? = WebhookSignature.keyField
        /// Further header fields.
        package var fields: [EncodedMessage.Field] = []
        /// How long items rest when nobody answered.
        package var retryAfter: Duration = .seconds(5)

        /// Told of each request and its answer; secrets are hidden.
        package var onNote: @Sendable (ConversationNote) -> Void = { _ in }

        package init() {}
    }

    private let poster: HTTPPoster
    private let url: String
    private let format: any UplinkFormat
    private let calendar: SiteCalendar
    private let options: Options
    private let wallClock: any WallClock
    private let sent = Atomic<Int64>(0)

    /// - Parameter url: where to post; a message's own suffix goes behind it.
    package init(
        poster: HTTPPoster, url: String, format: any UplinkFormat, calendar: SiteCalendar,
        wallClock: any WallClock, options: Options = Options()
    ) {
        self.poster = poster
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.format = format
        self.calendar = calendar
        self.wallClock = wallClock
        self.options = options
    }

    package var correction: CorrectionForm { format.correction }
    package var batchLimit: Int { format.batchLimit }
    package var bytesSent: Int64 { sent.load(ordering: .relaxed) }

    /// Posts the items and says what came of each; never throws.
    package func send(_ items: [UplinkItem]) async -> [Outcome] {
        let outcome = await post(format.encode(items, calendar: calendar))
        guard case .rejected = outcome, items.count > 1 else { return items.map { _ in outcome } }
        let middle = items.count / 2
        let first = await send(Array(items[..<middle]))
        // Whoever has to wait keeps what is behind it waiting too.
        if case .retry? = first.last {
            return first + items[middle...].map { _ in first[first.count - 1] }
        }
        return await first + send(Array(items[middle...]))
    }

    /// Posts the format's trial; without one there is nothing to post that would not count.
    package func tryOut(_ site: SiteID, at time: Timestamp) async -> Trial {
        guard let message = format.trial(of: site, at: time, calendar: calendar) else {
            return .open
        }
        return .item(await post(message))
    }

    private func post(_ message: EncodedMessage) async -> Outcome {
        var body = message.payload
        var fields = (options.fields + message.fields).map { (name: $0.name, value: $0.value) }
        if let token = options.token { fields.append(("Authorization", "Bearer \(token)")) }
        let isEncoded = message.fields.contains { $0.name.lowercased() == "content-encoding" }
        if options.compresses, !isEncoded, let packed = Gzip.compressed(body) {
            body = packed
            fields.append(("Content-Encoding", "gzip"))
        }
        if let secret = options.signingSecret {
            fields.append(
                (
                    WebhookSignature.signatureField,
                    WebhookSignature.signature(
                        of: body, secret: Array(secret.utf8), at: wallClock.read().wall)
                ))
        }
        if let field = options.keyField {
            fields.append((field, WebhookSignature.key(message.idempotencyKey)))
        }
        let suffix = Self.path(message.topicSuffix)
        let target = suffix.isEmpty ? url : "\(url)/\(suffix)"
        sent.add(Int64(body.count + target.utf8.count), ordering: .relaxed)
        options.onNote(.init(.sent, Self.text(of: message, to: target, fields)))
        switch await poster.post(
            body, to: target, contentType: message.contentType, fields: fields)
        {
        case .success(let answer):
            options.onNote(.init(.received, answer.readable))
            return outcome(of: answer)
        case .failure(let failure):
            options.onNote(.init(.thought, failure.cause))
            return .retry(after: options.retryAfter, reason: failure.cause)
        }
    }

    /// A topic as the end of a path: what is no letter of a path is percent-encoded, and what is
    /// percent-encoded already stays (RFC 3986 section 3.3).
    static func path(_ suffix: String) -> String {
        let plain = Set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/%".utf8
        )
        return suffix.utf8.map { byte in
            if plain.contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (byte < 16 ? "0" + digits : digits)
        }.joined()
    }

    /// What an answer means for the items of the message.
    ///
    /// Who we are, and where to post, is wrong for all items alike: a slip in the configuration must
    /// not cost any of them.
    private func outcome(of answer: HTTPAnswer) -> Outcome {
        let outcome = format.outcome(of: answer)
        guard [401, 403, 404, 405, 407].contains(answer.status),
            case .rejected(let reason) = outcome
        else { return outcome }
        return .retry(after: answer.wait ?? .seconds(60), reason: reason)
    }

    /// A request as a person may read it.
    private static func text(
        of message: EncodedMessage, to target: String, _ fields: [(name: String, value: String)]
    ) -> String {
        // What stands behind '?' may be a key.
        let head = "POST \(target.prefix { $0 != "?" })"
        let lines = fields.map { field in
            ["authorization", WebhookSignature.signatureField.lowercased()]
                .contains(field.name.lowercased())
                ? "\(field.name): (hidden)" : "\(field.name): \(field.value)"
        }
        return ([head, "Content-Type: \(message.contentType)"] + lines + [message.readable])
            .joined(separator: "\n")
    }
}
