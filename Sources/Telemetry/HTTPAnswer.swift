/// What came back for one POST, as far as the outcome depends on it.
package struct HTTPAnswer: Hashable, Sendable {
    package var status: Int
    /// The header fields, with names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]

    /// - Parameter headers: in any spelling; of two that differ in case only, one is kept.
    package init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = Dictionary(
            headers.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first }
        )
        self.body = body
    }

    /// What a webhook means by its status (RFC 9110 section 15; 425: RFC 8470, 429: RFC 6585).
    ///
    /// 2xx is accepted. What the same request may overcome later is tried again: 408, 425, 429,
    /// 5xx, and temporary redirects, which are what the log-in page of a guest network sends.
    /// Everything else is a refusal. `Retry-After` counts in seconds, between 1 s and a day; its
    /// form as a date is not read, because this module has no clock.
    package var outcome: Outcome {
        let reason = "HTTP \(status)"
        switch status {
        case 200..<300: return .accepted
        case 408, 425: return .retry(after: wait ?? .seconds(10), reason: reason)
        case 429: return .retry(after: wait ?? .seconds(60), reason: reason)
        case 302, 303, 307: return .retry(after: wait ?? .seconds(300), reason: reason)
        case 500..<600: return .retry(after: wait ?? .seconds(30), reason: reason)
        default: return .rejected(reason: reason)
        }
    }

    /// The seconds of `Retry-After`, or those in which Feishu's gateway says when its limit ends.
    package var wait: Duration? {
        for name in ["retry-after", "x-ogw-ratelimit-reset"] {
            if let text = headers[name], let seconds = Int(text.trimmed), seconds >= 0 {
                return .seconds(min(max(seconds, 1), 86_400))
            }
        }
        return nil
    }
}

extension String {
    /// Without blanks and tabs at its ends.
    fileprivate var trimmed: Substring {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = drop(while: isBlank)
        while text.last.map(isBlank) ?? false { text.removeLast() }
        return text
    }
}
