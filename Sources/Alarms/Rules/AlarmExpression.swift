import Telemetry

/// What stands under `when:`: one term, or several joined by `all`, `any` and `not`.
///
/// Judgements join as in Kleene's logic, so that what is not known decides nothing that it could
/// change:
///
///              breach              clear             else undecidable if one is, else between
///     all      every one           one of them
///     any      one of them         every one
///     not      when it is clear    when it is breach
package indirect enum AlarmExpression: Hashable, Sendable {
    case term(AlarmTerm)
    case all([AlarmExpression])
    case any([AlarmExpression])
    case not(AlarmExpression)

    /// Every term in the order in which it is written.
    package var terms: [AlarmTerm] {
        switch self {
        case .term(let term): [term]
        case .all(let parts), .any(let parts): parts.flatMap(\.terms)
        case .not(let part): part.terms
        }
    }

    /// Joins the judgements of the terms, which stand in their order.
    ///
    /// - Returns: the judgement, and the place of the term on which it rests.
    func judgement(of standings: [AlarmJudgement]) -> (standing: AlarmJudgement, term: Int) {
        var next = 0
        return judge(standings, &next)
    }

    private func judge(
        _ standings: [AlarmJudgement], _ next: inout Int
    ) -> (standing: AlarmJudgement, term: Int) {
        switch self {
        case .term:
            defer { next += 1 }
            return (standings[next], next)
        case .all(let parts): return Self.join(parts, standings, &next, decisive: .clear)
        case .any(let parts): return Self.join(parts, standings, &next, decisive: .breach)
        case .not(let part):
            let found = part.judge(standings, &next)
            return (found.standing.negated, found.term)
        }
    }

    /// - Parameter decisive: one part of this judgement decides.
    private static func join(
        _ parts: [AlarmExpression], _ standings: [AlarmJudgement], _ next: inout Int,
        decisive: AlarmJudgement
    ) -> (standing: AlarmJudgement, term: Int) {
        let found = parts.map { $0.judge(standings, &next) }
        for standing in [decisive, .undecidable, .between] {
            if let first = found.first(where: { $0.standing == standing }) { return first }
        }
        return found.first ?? (.undecidable, 0)
    }
}

/// What one look at the data says.
package enum AlarmJudgement: String, Hashable, Sendable, Codable, CaseIterable {
    /// Strictly beyond the limit.
    case breach
    /// Neither beyond the limit nor back at `clear`.
    case between
    /// At `clear` or on its safe side.
    case clear
    /// Too few readings, or none.
    case undecidable

    var negated: AlarmJudgement {
        switch self {
        case .breach: .clear
        case .clear: .breach
        case .between, .undecidable: self
        }
    }
}
