import Telemetry

extension HTTPAnswer {
    /// The outcome that the status means, with the platform's own words behind it.
    var outcomeInWords: Outcome { outcome(inWords: words) }

    /// What a person can read of the answer on one line: its problem document, or the first 300
    /// characters of its body.
    var words: String {
        // Four bytes a character at most.
        problem ?? Self.line(String(decoding: body.prefix(1200), as: UTF8.self))
    }
}
