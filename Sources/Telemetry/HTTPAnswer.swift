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
    /// Everything else is a refusal. The reason repeats a problem document, if the body is one.
    package var outcome: Outcome { outcome(inWords: problem) }

    /// How long the receiver asks to be left alone, between 1 s and a day; nil when it does not say.
    ///
    /// The seconds of `Retry-After`, or its date less the answer's own `Date`, so that a clock of
    /// ours that is wrong makes no wait wrong; a date without `Date` is not read. Feishu's gateway
    /// says in a field of its own when its limit ends.
    package var wait: Duration? {
        for name in ["retry-after", "x-ogw-ratelimit-reset"] {
            guard let text = headers[name].map(Self.withoutBlanks) else { continue }
            if let seconds = Int(text), seconds >= 0 { return Self.bounded(.seconds(seconds)) }
            if let until = Timestamp(httpDate: text),
                let now = headers["date"].flatMap(
                    { Timestamp(httpDate: Self.withoutBlanks($0)) })
            {
                return Self.bounded(until - now)
            }
        }
        return nil
    }

    private static func bounded(_ wait: Duration) -> Duration {
        min(max(wait, .seconds(1)), .seconds(86_400))
    }

    /// Without blanks and tabs at its ends.
    static func withoutBlanks(_ text: String) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = text.drop(while: isBlank)
        while text.last.map(isBlank) ?? false { text.removeLast() }
        return String(text)
    }
}
