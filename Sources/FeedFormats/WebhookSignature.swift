import Telemetry

/// How a webhook can prove that a message is ours and new.
///
///     X-Plumbline-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, "<t>.<body>")>
///     Idempotency-Key:       <the message's key, percent-encoded where it is no visible ASCII>
///
/// The time is signed with the body, so that a receiver can refuse what somebody has recorded; the
/// key is equal for every attempt, so that it can drop what it has seen.
package enum WebhookSignature {
    package static let signatureField = "X-Plumbline-Signature"
    package static let keyField = "Idempotency-Key"

    /// The header fields that go with `message` when it is sent at `time`.
    package static func fields(
        for message: FeedMessage, secret: [UInt8], at time: Timestamp
    ) -> [(name: String, value: String)] {
        [
            (signatureField, signature(of: message.body, secret: secret, at: time)),
            (keyField, key(message.idempotencyKey)),
        ]
    }

    /// The value of `X-Plumbline-Signature`.
    package static func signature(
        of body: [UInt8], secret: [UInt8], at time: Timestamp
    ) -> String {
        let seconds = time.slot(every: .seconds(1)).milliseconds / 1000
        return "t=\(seconds),v1=\(digest(of: body, secret: secret, seconds: seconds))"
    }

    /// Whether `signature` was made with `secret` for `body`, at most `tolerance` before or after
    /// `now`. What a receiver does, written down once; ours is used by tests.
    package static func isValid(
        _ signature: String, of body: [UInt8], secret: [UInt8], now: Timestamp,
        tolerance: Duration = .seconds(300)
    ) -> Bool {
        var fields: [Substring: Substring] = [:]
        for part in signature.split(separator: ",") {
            guard let equals = part.firstIndex(of: "=") else { return false }
            fields[part[..<equals]] = part[part.index(after: equals)...]
        }
        guard let seconds = fields["t"].flatMap({ Int64($0) }), let given = fields["v1"],
            seconds.magnitude < 1 << 40
        else { return false }
        let age = now - Timestamp(milliseconds: seconds * 1000)
        guard age <= tolerance, age >= .zero - tolerance else { return false }
        let expected = digest(of: body, secret: secret, seconds: seconds)
        // Every digit is looked at, so that the time tells nothing of where they differ.
        var difference = given.utf8.count ^ expected.utf8.count
        for (a, b) in zip(given.utf8, expected.utf8) { difference |= Int(a ^ b) }
        return difference == 0
    }

    /// A key as a header field may hold it.
    package static func key(_ key: String) -> String {
        Encodings.percent(key, keeping: "!#$&'()*+,/:;=?@[]|")
    }

    private static func digest(of body: [UInt8], secret: [UInt8], seconds: Int64) -> String {
        Encodings.hexadecimal(
            Encodings.hmacSHA256(key: secret, message: Array("\(seconds).".utf8) + body))
    }
}
