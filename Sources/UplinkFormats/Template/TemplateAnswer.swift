import Telemetry

/// How a platform says in the body what it made of a message, which the status does not tell.
struct TemplateAnswer: Hashable, Sendable {
    /// The keys that lead to the value which decides.
    var field: [String]
    /// The values that mean that it has the message, as text: `0` and `"0"` are the same.
    var accepted: Set<String>
    /// The values after which the same message may be taken later.
    var retry: Set<String>
    /// The values that refuse it for good.
    var rejected: Set<String>
    /// Whether all other values are such that pass, or refusals.
    var isRetriedOtherwise: Bool
    /// The keys that lead to the platform's words.
    var words: [String]?
    /// How long a message rests before it is sent again, when the answer does not say.
    var wait: Duration

    /// What an answer means. One without the field is nobody's word that the message arrived: the
    /// page of a proxy, for example.
    func outcome(of answer: HTTPAnswer) -> Outcome {
        guard case .accepted = answer.outcome else { return answer.outcomeInWords }
        let fields = AnswerFields(answer.body)
        guard let fields, let value = fields.scalar(field) else {
            return .retry(
                after: answer.wait ?? wait,
                reason: "HTTP \(answer.status) without '\(field.joined(separator: "."))'")
        }
        if accepted.contains(value) { return .accepted }
        let told = words.flatMap { fields.scalar($0) }.map(HTTPAnswer.line) ?? ""
        let reason = ["\(field.last ?? "") \(HTTPAnswer.line(value))", told]
            .filter { !$0.isEmpty }.joined(separator: ": ")
        if retry.contains(value) || (isRetriedOtherwise && !rejected.contains(value)) {
            return .retry(after: answer.wait ?? wait, reason: reason)
        }
        return .rejected(reason: reason)
    }
}
