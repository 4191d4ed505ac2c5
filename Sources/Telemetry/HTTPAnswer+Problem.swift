extension HTTPAnswer {
    /// What a problem document says of itself: `title: detail`, on one line (RFC 9457).
    ///
    /// nil when the answer is none. Of `instance` and what a problem adds nothing is repeated.
    package var problem: String? {
        let type = headers["content-type"]?.prefix { $0 != ";" } ?? ""
        guard Self.withoutBlanks(String(type)).lowercased() == "application/problem+json",
            let fields = AnswerFields(body)
        else { return nil }
        let words = [fields.text("title"), fields.text("detail")].compactMap(\.self)
            .map(Self.line).filter { !$0.isEmpty }
        return words.isEmpty ? nil : words.joined(separator: ": ")
    }

    /// The first 300 characters of somebody's words on one line: they go into our log.
    package static func line(_ text: String) -> String {
        let printable = text.unicodeScalars.prefix(1200).map { scalar -> Character in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return String(
            String(printable.prefix(300)).split(separator: " ").joined(separator: " "))
    }

    /// The outcome that the status means, with words behind it if there are any.
    package func outcome(inWords words: String?) -> Outcome {
        let reason = ["HTTP \(status)", words ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
        switch status {
        case 200..<300: return .accepted
        case 408, 425: return .retry(after: wait ?? .seconds(10), reason: reason)
        case 429: return .retry(after: wait ?? .seconds(60), reason: reason)
        case 302, 303, 307: return .retry(after: wait ?? .seconds(300), reason: reason)
        case 500..<600: return .retry(after: wait ?? .seconds(30), reason: reason)
        default: return .rejected(reason: reason)
        }
    }
}
