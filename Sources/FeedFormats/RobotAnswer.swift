import Telemetry

extension HTTPAnswer {
    /// What a robot means, whose answer is a JSON object with a code, 0 for success.
    ///
    /// - Parameter patience: how long to wait after a code that passes by itself; nil for others.
    func outcome(
        of robot: String, code: String, message: String,
        patience: (_ code: Int, _ words: String) -> Duration?
    ) -> Outcome {
        guard let fields = AnswerFields(body), let number = fields.integer(code) else {
            // The page of a proxy, for example: nobody has said that the message arrived.
            if case .accepted = outcome {
                return .retry(
                    after: .seconds(60), reason: "HTTP \(status) without an answer of \(robot)")
            }
            return outcome
        }
        // Somebody else's words go into our log: one line, not a page.
        let words = PlainLine.of(fields.text(message) ?? "", count: 200)
        let reason = "\(robot) \(number): \(words)"
        if let patience = patience(number, words) {
            return .retry(after: wait ?? patience, reason: reason)
        }
        if number == 0 || status == 429 || status >= 500 { return outcome }
        return .rejected(reason: reason)
    }
}
