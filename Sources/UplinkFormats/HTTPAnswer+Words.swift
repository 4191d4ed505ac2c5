import Telemetry

extension HTTPAnswer {
    /// The outcome that the status means, with the platform's own words behind it.
    var outcomeInWords: Outcome {
        let words = words
        guard !words.isEmpty else { return outcome }
        switch outcome {
        case .accepted: return .accepted
        case .retry(let wait, let reason):
            return .retry(after: wait, reason: "\(reason): \(words)")
        case .rejected(let reason): return .rejected(reason: "\(reason): \(words)")
        }
    }

    /// What a person can read of the body: its first 300 characters on one line.
    var words: String {
        // Four bytes a character at most.
        let text = String(decoding: body.prefix(1200), as: UTF8.self)
        let printable = text.unicodeScalars.map { scalar -> Character in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return String(
            String(printable.prefix(300)).split(separator: " ").joined(separator: " "))
    }
}
